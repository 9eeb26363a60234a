"""Options of a tracker without a training: its numbers can be typed, and what only a training takes is refused."""

import json

import pytest
import torch

from praxino.backbones.resnet2d import ResNet18
from praxino.cli.main import main
from praxino.encoders.siamese import SiameseHead
from praxino.evaluations.tracking.tracker import Tracker
from tracked import encoder_on, write_sequences

SMALL = ["--tracker.exemplar", "32", "--tracker.instance", "64"]


@pytest.fixture
def place(tmp_path):
    """A run's folder whose encoder has a tracker with a head, of other numbers than the usual ones."""
    pytest.importorskip("cv2")
    torch.manual_seed(0)
    write_sequences(tmp_path / "otb", "A", frames=3)
    encoder = encoder_on(ResNet18(width=2))
    (tmp_path / "run").mkdir()
    (tmp_path / "run/recipe.yaml").write_text("kind: tracking\n")
    Tracker(encoder, SiameseHead(16, 4), grid=17, window=0.5).save(tmp_path / "run/encoder.safetensors")
    encoder.save(tmp_path / "alone.safetensors")
    return tmp_path


def evaluated(place, name, *words):
    data = ["--catalog", "OTB", "--catalog.root", str(place / "otb"), "--baselines", "false", "--device", "cpu"]
    return main(["evaluate", "tracking", str(place / name), *data, *words])


def test_a_typed_number_takes_the_place_of_the_trackers_own_and_the_others_stay(place, capsys):
    for words, window in (([], 0.5), ([*SMALL, "--tracker.window", "0.3"], 0.3)):
        assert evaluated(place, "run", *words) == 0, capsys.readouterr().err
        results = list((place / "run/evaluations").glob("tracking*.json"))
        (result,) = (json.loads(path.read_text()) for path in results)
        assert [row["name"] for row in result["rows"]] == ["trained, with its head"]
        tracker = result["settings"]["tracker"]
        assert "grid 17" in tracker
        assert f"window {window}" in tracker
        assert ("exemplar 32" in tracker) == bool(words)
        results[0].unlink()


def test_an_encoder_alone(place, capsys):
    assert evaluated(place, "alone.safetensors", *SMALL, "--tracker.scales", "1") == 0, capsys.readouterr().err
    assert "trained" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tracker.window", "7"], "--window must be from 0 to 1, not 7"),
        (["--tracker.widow", "1"], "Did you mean 'window'?"),
        (["--head.channels", "4"], "--head.channels is an option of a head's training, and without --train nothing"),
        (["--scratch"], "--scratch is an option of a head's training"),
        (["--pairs=4"], "--pairs is an option of a head's training"),
        (["--train.root", "X"], "--train.root is an option of a head's training"),
        (["--colour", "4"], "--colour: no such option"),
    ],
)
def test_what_is_no_option_here(place, capsys, words, said):
    assert evaluated(place, "alone.safetensors", *words) == 2
    assert said in capsys.readouterr().err
