"""Trackers on sequences: the numbers against the field's toolkit, and what is missing, odd or refused."""

import numpy as np
import pytest
from PIL import Image

from praxino.catalogs.folder import VideoFolder
from praxino.catalogs.got10k import GOT10k
from praxino.catalogs.otb import OTB
from praxino.encoders.siamese import SiameseHead
from praxino.errors import UserError
from praxino.evaluations.result import read_result, table_lines, write_result
from praxino.evaluations.tracking.baselines import STILL, StillBox
from praxino.evaluations.tracking.measure import compare_trackers, track_sequences
from praxino.evaluations.tracking.toolkit_files import ToolkitFiles, as_written
from praxino.evaluations.tracking.tracker import Tracker
from sequences import ByColour, walk, write_got10k, write_lines, write_otb
from tracked import toy_encoder

LARGEST = 100 * 20 / 21


def two_sequences(root):
    """Couple is followed with an error, so that it comes before Crossing."""
    return {name: write_otb(root, name, 10, seed) for seed, name in enumerate(("Couple", "Crossing"))}


class WorseOnTheFirst(ByColour):
    """Errs by 3 pixels on the first sequence that it is shown, and not on the second."""

    def init(self, frame, box):
        self.off = 0.0 if self.seen else 3.0
        super().init(frame, box)


def test_rows_sequences_curves_and_pictures(tmp_path):
    two_sequences(tmp_path)
    result = compare_trackers({"trained": WorseOnTheFirst(), STILL: StillBox()}, OTB(tmp_path))
    assert [row.name for row in result.rows] == ["trained", STILL]
    assert result.columns == ["AUC", "P@20", "SR@0.5"]
    each = result.per_query["trained"]
    assert each["sequence"] == ["Couple", "Crossing"]
    assert each["AUC"][1] == pytest.approx(LARGEST)
    # 9 of 12 pixels wide: an overlap of 9 / 15, which is above twelve thresholds; the first frame is as it should be.
    assert each["AUC"][0] == pytest.approx(100 * (0.1 * 20 + 0.9 * 12) / 21)
    assert result.row("trained").values["AUC"] == pytest.approx(np.mean(each["AUC"]))
    assert result.row("trained").values["P@20"] == 100
    assert result.row(STILL).values["AUC"] < result.row("trained").values["AUC"]
    assert [picture.title for picture in result.pictures] == ["Couple", "Crossing"]
    assert [curve.title for curve in result.curves] == ["Success", "Precision"]
    assert [len(curve.lines["trained"]) for curve in result.curves] == [21, 51]
    assert result.settings["AUC of each sequence, worst first"].startswith("Couple trained 61.0")
    assert result.settings["frames"] == 20
    shown = table_lines(result)
    assert "is above the threshold" in next(line for line in shown if line.startswith("AUC:"))
    at = [number for number, line in enumerate(shown) if line.startswith(("Couple", "Crossing"))]
    assert [shown[number].split()[:2] for number in at] == [["Couple", "61.0"], ["Crossing", "95.2"]]
    write_result(tmp_path / "run", "tracking", result, ())
    assert read_result(tmp_path / "run", "tracking").rows == result.rows


def test_pictures_have_the_true_box_in_green_and_the_predicted_one_in_red(tmp_path):
    two_sequences(tmp_path)
    (worst,) = compare_trackers({"trained": ByColour(3.0)}, OTB(tmp_path), shown=1).pictures
    assert worst.pixels.shape == (150, 6 * 200 + 5 * 4, 3)
    assert all((worst.pixels == colour).all(axis=2).any() for colour in ((0, 200, 0), (255, 40, 40)))
    assert "Green: the true box; red: trained" in worst.caption
    assert compare_trackers({"trained": ByColour()}, OTB(tmp_path), shown=0).pictures == []


def test_the_toolkit_reports_the_same_of_what_is_written(tmp_path):
    """got10k's own report of OTB reads our files and comes to our numbers."""
    experiment = toolkit("ExperimentOTB", tmp_path, nbins_iou=21, nbins_ce=51)
    datasets = pytest.importorskip("got10k.datasets")
    two_sequences(tmp_path / "data")
    write_otb(tmp_path / "data", "Jogging", 7, 5, "groundtruth_rect.1.txt")
    write_lines(tmp_path / "data/Jogging/groundtruth_rect.2.txt", walk(7, 5) + 2)
    trackers = {"trained": ByColour(2.3456), STILL: StillBox()}
    result = compare_trackers(trackers, OTB(tmp_path / "data"), results=tmp_path / "results")
    experiment.dataset = datasets.OTB(str(tmp_path / "data"), 2015, download=False)
    said = experiment.report(["trained", "box_that_never_moves"])
    for ours, theirs in (("trained", "trained"), (STILL, "box_that_never_moves")):
        whole = said[theirs]["overall"]
        row = [whole["success_score"], whole["precision_score"], whole["success_rate"]]
        assert list(result.row(ours).values.values()) == [100 * number for number in row]
        each = [100 * one["success_score"] for one in said[theirs]["seq_wise"].values()]
        assert result.per_query[ours]["AUC"] == each
        assert whole["speed_fps"] > 0


def test_got10k_reports_the_same_of_what_is_written(tmp_path):
    """Labels of what is seen, boxes beyond the frame, and its own names of files."""
    experiment = toolkit("ExperimentGOT10k", tmp_path, nbins_iou=101, subset="val")
    datasets = pytest.importorskip("got10k.datasets")
    write_got10k(tmp_path / "data/val", "GOT-10k_Val_000001", 9, 0, [8, 8, 0, 3, 8, 8, 1, 0, 8])
    write_got10k(tmp_path / "data/val", "GOT-10k_Val_000002", 5, 1)
    result = compare_trackers({"trained": ByColour(5.5)}, GOT10k(tmp_path / "data"), results=tmp_path / "results")
    experiment.dataset = datasets.GOT10k(str(tmp_path / "data"), "val")
    whole = experiment.report(["trained"])["trained"]["overall"]
    assert result.columns == ["AO", "SR@0.5", "SR@0.75"]
    assert result.row("trained").values["AO"] == pytest.approx(100 * whole["ao"], rel=1e-12)
    assert result.row("trained").values["SR@0.5"] == 100 * whole["sr"]
    np.testing.assert_allclose([y for _, y in result.curves[0].lines["trained"]], 100 * np.array(whole["succ_curve"]))
    assert 0 < whole["ao"] < 1


def toolkit(name, folder, **attributes):
    """An experiment of the toolkit, whose constructor would download its data set."""
    pytest.importorskip("matplotlib").use("Agg")
    experiments = pytest.importorskip("got10k.experiments", reason="got10k is not installed")
    experiment = object.__new__(getattr(experiments, name))
    places = {"result_dir": str(folder / "results"), "report_dir": str(folder / "reports")}
    vars(experiment).update(places | attributes)
    return experiment


def test_boxes_come_back_as_the_files_have_them(tmp_path):
    files = ToolkitFiles(tmp_path / "results")
    boxes = np.array([[1.23456, -2.5, 3, 4], [1e4 + 0.0004999, 0, 0.0005, 7]])
    files.write("box that never moves", "David", boxes, np.array([0.5, 0.0123456789]))
    text = (tmp_path / "results/box_that_never_moves/David.txt").read_text()
    assert text == "2.235,-1.500,3.000,4.000\n10001.000,1.000,0.001,7.000\n"
    assert (tmp_path / "results/box_that_never_moves/times/David_time.txt").read_text() == "0.50000000\n0.01234568\n"
    np.testing.assert_array_equal(files.read("box that never moves", "David"), as_written(boxes))
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_where_a_frame_is_missing_a_tracker_keeps_its_last_box(tmp_path, damage):
    truth = two_sequences(tmp_path)["Crossing"]
    path = tmp_path / "Crossing/img/0005.jpg"
    path.unlink() if damage == "missing" else path.write_bytes(path.read_bytes()[:60])
    tracker = ByColour()
    result = compare_trackers({"trained": tracker}, OTB(tmp_path), results=tmp_path / "results")
    assert len(tracker.seen) == 19
    boxes = ToolkitFiles(tmp_path / "results").read("trained", "Crossing")
    np.testing.assert_array_equal(boxes[4], truth[3])
    np.testing.assert_array_equal(np.delete(boxes, 4, axis=0), np.delete(truth, 4, axis=0))
    assert result.settings["frames missing or damaged"] == "1 in Crossing (4)"
    assert "frames missing or damaged: 1 in Crossing (4)" in result.below
    assert (tmp_path / "results/trained/times/Crossing_time.txt").read_text().splitlines()[4] == "0.00000000"


@pytest.mark.parametrize(
    "line, reason",
    [
        ("1,1,0,9", "its first box, 0,0,0,9, has no area: its width and height must be above 0"),
        (
            "nan,nan,nan,nan",
            "its first box, nan,nan,nan,nan, is no box: it takes four finite numbers, x, y, width and height in pixels",
        ),
        ("500,1,9,9", "its first box, 499,0,9,9, lies outside of the frame, which is {} pixels wide and {} high"),
    ],
)
def test_a_sequence_that_cannot_begin_is_left_out_and_listed(tmp_path, line, reason):
    two_sequences(tmp_path)
    path = tmp_path / "Couple/groundtruth_rect.txt"
    path.write_text("\n".join([line, *path.read_text().splitlines()[1:]]))
    with Image.open(tmp_path / "Couple/img/0001.jpg") as picture:
        reason = reason.format(*picture.size)
    result = compare_trackers({"trained": ByColour()}, OTB(tmp_path), max_left_out=0.5)
    assert result.left_out == [("Couple", reason)]
    assert result.row("trained").values["AUC"] == pytest.approx(LARGEST)
    with pytest.raises(UserError, match=f"more than 10% of 2 videos cannot be read .*{reason}"):
        compare_trackers({"trained": ByColour()}, OTB(tmp_path))


def test_without_a_first_frame_or_any_frame(tmp_path):
    two_sequences(tmp_path)
    (tmp_path / "Couple/img/0001.jpg").write_bytes(b"no picture")
    write_otb(tmp_path, "Skiing")
    for path in (tmp_path / "Skiing/img").iterdir():
        path.unlink()
    result = compare_trackers({"trained": ByColour()}, OTB(tmp_path), max_left_out=1)
    assert [id for id, _ in result.left_out] == ["Couple", "Skiing"]
    assert result.left_out[0][1] == "its first frame is missing or damaged"
    (tmp_path / "Crossing/img/0001.jpg").write_bytes(b"no picture")
    with pytest.raises(UserError, match="no sequence of the part test could be followed: Skiing"):
        compare_trackers({"trained": ByColour()}, OTB(tmp_path), max_left_out=1)


def test_odd_boxes_count_as_the_toolkit_counts_them(tmp_path):
    """A true box without an area cannot be met; one that is NaN does not count; frames without a box are cut off."""
    boxes = write_otb(tmp_path, "Crossing", 10) + np.array([1, 1, 0, 0])
    boxes[3, 2:] = 0
    boxes[4] = np.nan
    write_lines(tmp_path / "Crossing/groundtruth_rect.txt", boxes[:8])
    result = compare_trackers({"trained": ByColour()}, OTB(tmp_path))
    assert result.row("trained").values["SR@0.5"] == pytest.approx(100 * 6 / 7)
    assert result.settings["frames and boxes"] == "Crossing: 10 frames and 8 boxes: the first 8 of each count"


def test_grey_pictures_come_in_three_channels(tmp_path):
    two_sequences(tmp_path)
    for path in (tmp_path / "Couple/img").iterdir():
        Image.open(path).convert("L").save(path, "PNG")
    tracker = ByColour()
    compare_trackers({"trained": tracker}, OTB(tmp_path))
    assert all(np.ptp(frame, axis=2).max() == 0 for frame in tracker.seen[:10])


def test_earlier_results_are_never_taken_for_new_ones(tmp_path):
    two_sequences(tmp_path / "data")
    (tmp_path / "results/trained").mkdir(parents=True)
    tracker = ByColour()
    with pytest.raises(UserError, match="results is there already, and results are never mixed: name another folder"):
        compare_trackers({"trained": tracker}, OTB(tmp_path / "data"), results=tmp_path / "results")
    assert not tracker.seen


def test_catalogs_without_boxes_are_refused(tmp_path):
    (tmp_path / "a.mp4").touch()
    with pytest.raises(UserError, match="VideoFolder has no boxes to follow: pass --catalog OTB"):
        compare_trackers({"trained": ByColour()}, VideoFolder(tmp_path))


def test_no_tracker_at_all(tmp_path):
    two_sequences(tmp_path)
    with pytest.raises(UserError, match="there is no tracker to measure"):
        compare_trackers({}, OTB(tmp_path))


def test_of_held_out_sequences_the_test_part_is_measured(tmp_path):
    two_sequences(tmp_path)
    catalog = OTB(tmp_path, held_out=["Crossing"])
    assert compare_trackers({"trained": ByColour()}, catalog).per_query["trained"]["sequence"] == ["Crossing"]
    result = compare_trackers({"trained": ByColour()}, catalog, "all", scores="got10k")
    assert result.per_query["trained"]["sequence"] == ["Couple", "Crossing"]
    assert result.row("trained").values["SR@0.75"] == 100


def test_an_encoder_beside_its_baselines(tmp_path):
    """A tracker with a head has a row before its encoder's; the untrained one sees something else."""
    pytest.importorskip("cv2")
    two_sequences(tmp_path)
    encoder = toy_encoder()
    result = track_sequences(encoder, OTB(tmp_path), with_mil=False, seed=3, device="cpu", shown=0)
    assert [row.name for row in result.rows] == ["trained", "untrained", STILL]
    assert result.per_query["trained"] != result.per_query["untrained"]
    assert result.settings["seed"] == 3
    assert "scales 3" in result.settings["tracker"]
    alone = track_sequences(encoder, OTB(tmp_path), baselines=False, device="cpu", shown=0)
    assert [row.name for row in alone.rows] == ["trained"]
    assert alone.per_query["trained"] == result.per_query["trained"]
    tracker = Tracker(encoder, SiameseHead(16, 4), scales=1)
    result = track_sequences(tracker, OTB(tmp_path), with_mil=False, device="cpu", shown=0)
    assert [row.name for row in result.rows] == ["trained, with its head", "trained", "untrained", STILL]
    assert "scales 1" in result.settings["tracker"]
    with pytest.raises(UserError, match="pass both --nano_backbone and --nano_head"):
        track_sequences(encoder, OTB(tmp_path), baselines=False, nano_head="head.onnx", device="cpu")
