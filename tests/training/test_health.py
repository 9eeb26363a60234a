"""The health check, both ways: it is silent on live embeddings and speaks on dead ones."""

import pytest
import torch

from praxino.training.health import Health, effective_rank


def test_known_ranks():
    torch.manual_seed(0)
    assert effective_rank(torch.ones(50, 8)) == 0
    assert effective_rank(torch.ones(50, 8) + 1e-6 * torch.randn(50, 8)) == 0
    line = torch.cat([torch.ones(20, 1), torch.linspace(-1, 1, 20)[:, None]], 1)
    assert 1 <= effective_rank(line) < 1.6
    corners = torch.cat([torch.eye(6), -torch.eye(6)])
    assert effective_rank(corners) == pytest.approx(6, abs=1e-6)


def test_positive_features_are_healthy():
    """After a ReLU all cosines are high, and nothing is wrong."""
    torch.manual_seed(0)
    rows = torch.randn(256, 64).relu() + 1
    assert torch.nn.functional.cosine_similarity(rows[0], rows[1], dim=0) > 0.8
    health = Health()
    health.add({"clip": rows})
    assert health.ranks()["effective_rank"] > 30
    assert health.warning(health.ranks()) is None


def test_a_collapse_is_told_once_and_only_with_a_full_window():
    torch.manual_seed(0)
    health = Health(videos=64)
    health.add({"clip": torch.ones(32, 16)})
    assert health.warning(health.ranks()) is None
    health.add({"clip": torch.ones(32, 16)})
    assert "collapsed" in health.warning(health.ranks())
    assert health.warning(health.ranks()) is None


def test_the_window_is_restored():
    health, again = Health(videos=8), Health(videos=8)
    health.add({"a": torch.randn(20, 4), "b": torch.randn(20, 4)})
    again.load_state_dict(health.state_dict())
    assert again.ranks() == health.ranks()
    assert len(again.window["a"]) == 8
    assert set(again.ranks()) == {"effective_rank/a", "effective_rank/b"}
