"""What is asked of all encoders of a run together: the probe, and whether they find the same videos alike."""

import builtins
import json

import numpy as np
import pytest
import torch

from praxino.catalogs.base import Catalog
from praxino.cli.main import main
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.evaluations.agreement import agreement_of, compare_encoders
from praxino.evaluations.classifying import probe as probing
from praxino.evaluations.comparison import compared_features
from praxino.evaluations.joint import members_of_all
from praxino.evaluations.result import Result, Row
from praxino.evaluations.untrained import untrained
from praxino.losses.cooperative import cooperation
from praxino.views.pipeline import View
from test_several_encoders import MEASURED, run  # noqa: F401
from toys import ToyBackbone, ToySampler, ToyStream
from two_encoders import Listed

sklearn = pytest.importorskip("sklearn", reason="scikit-learn is of the extra 'probe', and of 'dev'")
QUIET = {"workers": 0, "device": "cpu"}


@pytest.fixture
def two():
    torch.manual_seed(0)
    made = {name: ToyBackbone(dim=dim) for name, dim in (("first", 6), ("second", 5))}
    views = {"rgb": View([]), "again": View([])}
    return {
        name: Encoder(backbone, dict(views), ToySampler(clips=3), streams={"rgb": ToyStream()})
        for name, backbone in made.items()
    }


def test_the_ridge_classifier_is_least_squares_onto_signs(two):
    """Two classes: labels of -1 and 1, a ridge of 1, and the sign of what comes out."""
    result = probing.probe(two, Listed(), **QUIET)
    parts = Listed("train"), Listed("test")
    taken = compared_features(members_of_all(two), *parts, baselines=True, centred=False, workers=0)
    for row, ours in taken.queries.items():
        theirs = taken.gallery[row]
        x, y = theirs.vectors.astype(np.float64), 2.0 * theirs.labels - 1
        centre = x.mean(0)
        weights = np.linalg.solve((x - centre).T @ (x - centre) + np.eye(x.shape[1]), (x - centre).T @ (y - y.mean()))
        said = (ours.vectors - centre) @ weights + y.mean()
        assert result.per_query[row]["accuracy"] == ((said > 0) == ours.labels).tolist()
    assert result.row("chance").values == {"accuracy": 50, "Rand": 0}


def test_every_two_encoders_have_a_row(two):
    result = probing.probe(two, Listed(), **QUIET)
    assert result.columns == ["accuracy", "Rand", "V", "AMI of two", "V of two"]
    names = [row.name for row in result.rows]
    assert names[-2:] == ["untrained, first against second", "trained, first against second"]
    assert {"trained, first", "trained, second", "trained, joint", "untrained, first"} < set(names)
    from sklearn.metrics import adjusted_mutual_info_score

    taken = compared_features(members_of_all(two), Listed("train"), Listed("test"), centred=False, workers=0)
    one, other = (probing._clusters(taken.queries[f"trained, {name}"], 2) for name in two)
    wanted = 100 * adjusted_mutual_info_score(one, other, average_method="max")
    assert result.row("trained, first against second").values["AMI of two"] == pytest.approx(wanted)
    alone = probing.probe({"": two["first"]}, Listed(), baselines=False, **QUIET)
    assert [row.name for row in alone.rows] == ["chance", "trained"]
    assert alone.row("trained").values == result.row("trained, first").values
    both = probing.probe({"": two["first"]}, Listed(), views=["rgb", "again"], baselines=False, **QUIET)
    # Two views without operations are one view.
    assert both.row("trained, rgb against again").values == pytest.approx({"AMI of two": 100, "V of two": 100})


def test_the_probe_says_what_is_missing(two, monkeypatch):
    with pytest.raises(UserError, match="training and test part share videos"):
        probing.probe(two, _Same(), **QUIET)
    with pytest.raises(UserError, match="name one of them, as RUN:first"):
        probing.probe(two, Listed(), view="rgb", **QUIET)
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("sklearn"):
            raise ImportError("no sklearn")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UserError, match=r'pip install "praxino\[probe\]"'):
        probing.probe(two, Listed(), **QUIET)


class _Same(Listed):
    def part(self, name):
        return Listed()


def vectors(encoder, videos):
    """[videos, d] the mean over a video's clips, without the machinery of evaluations."""
    taken = compared_features(members_of_all({"": encoder}), videos, videos, baselines=False, centred=False, workers=0,
                              reestimate_batchnorm=False)  # fmt: skip
    return torch.from_numpy(taken.gallery["trained"].vectors)


def test_the_difference_is_the_cooperative_loss_before_and_after(two):
    result = compare_encoders(two, Listed(), part="all", reestimate_batchnorm=False, **QUIET)
    # Class by class, as the matrices are; neither number depends on the order.
    videos = [video for label in (0, 1) for video in Listed() if video.label == label]
    kinds = {"trained": two, "untrained": {name: untrained(one, k) for k, (name, one) in enumerate(two.items())}}
    for kind, encoders in kinds.items():
        row = result.row(f"{kind}, first against second")
        x, y = (vectors(encoder, videos) for encoder in encoders.values())
        loss = float(cooperation(x, y))
        assert row.values["closeness"] == pytest.approx(100 - 100 * loss, abs=1e-3)  # percent, of float32
        assert row.note == f"mean |C_a - C_b| {loss:.4f}"
    titles = [picture.title for picture in result.pictures]
    assert titles == ["first, untrained", "first, trained", "second, untrained", "second, trained"]
    for picture in result.pictures:
        assert picture.pixels.shape == (24, 24, 3)
        assert (picture.pixels.diagonal() == 255).all()
        assert (picture.pixels == picture.pixels.swapaxes(0, 1)).all()
    assert result.settings["videos"] == 24


def test_the_same_query_is_answered_by_each_encoder(two):
    result = compare_encoders(two, Listed(), part="all", most_videos=20, **QUIET)
    assert [one.name for one in result.neighbours] == ["first", "second"] * 6
    pairs = zip(result.neighbours[::2], result.neighbours[1::2], strict=True)
    assert all(one.query.id == other.query.id for one, other in pairs)
    for one in result.neighbours:
        found = [video.id for video, _, _ in one.found]
        assert len(found) == 5
        assert one.query.id not in found
        assert all(hit == (video.label == one.query.label) for video, _, hit in one.found)
    again = compare_encoders(two, Listed(), part="all", most_videos=20, seed=1, **QUIET)
    assert {one.query.id for one in again.neighbours} != {one.query.id for one in result.neighbours}


def test_agreement_of_matrices():
    rng = np.random.default_rng(0)
    x = rng.random((7, 7))
    x = x + x.T
    assert agreement_of(x, 1 - 2 * x)["correlation"] == pytest.approx(-100)
    assert agreement_of(x, x + 0.25) == pytest.approx({"correlation": 100, "closeness": 75})
    assert list(agreement_of(x, np.ones((7, 7)))) == ["closeness"]  # no spread, no correlation


@pytest.mark.parametrize(
    ("encoders", "how", "said"),
    [
        (1, {}, "between two encoders or more"),
        (2, {"most_videos": 2}, "--most_videos 2"),
        (2, {"views": ["rgb", "again"]}, "are of one encoder"),
    ],
)
def test_what_cannot_be_compared(two, encoders, how, said):
    with pytest.raises(UserError, match=said):
        compare_encoders(dict(list(two.items())[:encoders]), Listed(), **QUIET, **how)


def test_views_of_one_encoder_are_compared(two):
    result = compare_encoders({"": two["first"]}, Listed(), views=["rgb", "again"], **QUIET)
    assert result.row("trained, rgb against again").values == pytest.approx({"correlation": 100, "closeness": 100})


def test_a_run_is_taken_as_all_of_its_encoders(run, capsys):  # noqa: F811
    assert main(["evaluate", "agreement", str(run), *MEASURED, "--part", "all"]) == 0
    assert main(["evaluate", "probe", str(run), *MEASURED]) == 0
    assert main(["evaluate", "probe", f"{run}:second", *MEASURED, "--baselines", "false"]) == 0
    assert main(["evaluate", "agreement", f"{run}:second", *MEASURED]) == 2
    assert "between two encoders or more" in capsys.readouterr().err
    names = {path.stem.partition("-")[0] for path in (run / "evaluations").glob("*.json")}
    assert {"agreement", "probe", "probe@second"} <= names
    (file,) = (run / "evaluations").glob("agreement*.json")
    said = json.loads(file.read_text())
    assert [match["name"] for match in said["gallery"][:2]] == ["first", "second"]
    assert main(["report", str(run)]) == 0
    page = (run / "report.html").read_text()
    card = next(part for part in page.split("<article")[1:] if "<h4>first</h4>" in part)
    assert "<h4>second</h4>" in card
    assert card.count(">query<") == 1
    assert "first: for " in page


def own(encoders: dict[str, Encoder], catalog: Catalog) -> Result:
    """An evaluation of one's own that takes all encoders."""
    widths = {name: float(encoder.backbone.dim) for name, encoder in encoders.items()}
    return Result("own", "Widths", {}, list(widths), [Row("trained", widths)])


def test_an_evaluation_of_ones_own_may_take_all(run, capsys):  # noqa: F811
    assert main(["evaluate", "test_probe_and_agreement.own", str(run), "--trust", "toys"]) == 0
    assert "6.0" in capsys.readouterr().out
