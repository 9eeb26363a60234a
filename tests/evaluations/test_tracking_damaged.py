"""Pictures of a head's training that are missing or damaged: what is learnt from instead, and what is said of it."""

import json

import numpy as np
import pytest
from test_tracking_training import arguments, stages

from praxino.catalogs.otb import OTB
from praxino.evaluations.tracking.augment import PairCrops
from praxino.evaluations.tracking.pairs import PairDataset, drawn_pair
from praxino.evaluations.tracking.train import train_tracker
from praxino.streams.frames import FrameFolder
from tracked import moving, write_sequences

pytest.importorskip("cv2")
STREAMS = {"rgb": FrameFolder(exif=False)}


def spoil(root, name, numbers, frames=12):
    for number in numbers:
        (root / name / "img" / f"{number % frames + 1:04d}.png").write_bytes(b"\x89PNG\r\n\x1a\n no more")


def test_a_pair_with_one_picture_shows_that_one_twice_around_its_own_box(tmp_path):
    """The box of the frame that is not there would mark something else in the one that is shown."""
    root = write_sequences(tmp_path / "otb", "A")
    first, last = drawn_pair(np.arange(12), np.random.default_rng(5))
    for broken, there in ((first, last), (last, first)):
        spoil(root, "A", [broken])
        data = PairDataset(OTB(root), np.array([0]), PairCrops(), STREAMS)
        loaded = data.load(0, np.random.default_rng(5))
        frames, boxes = moving(seed=0)
        generator = np.random.default_rng(5)
        drawn_pair(np.arange(12), generator)
        drawn = data.crops.drawn(generator)
        cuts = zip((data.crops.exemplar_of, data.crops.search_of), drawn, ("exemplar", "search"), strict=True)
        for cut, one, name in cuts:
            assert (loaded.streams[name].pixels == cut(frames[there], boxes[there], one)).all()
        assert [bool(loaded.streams[name].present[0]) for name in ("exemplar", "search")] == [
            number == there for number in (first, last)
        ]
        write_sequences(tmp_path / f"whole{there}", "A")
        (tmp_path / f"whole{there}/A/img/{broken + 1:04d}.png").rename(root / f"A/img/{broken + 1:04d}.png")


def test_what_is_damaged_is_said_once(tmp_path, capsys):
    """A sequence without any whole picture but its first, and one with a few: both are counted, each is said once."""
    root = write_sequences(tmp_path / "otb", "ABC")
    spoil(root, "A", range(1, 12))
    spoil(root, "B", range(0, 12, 3))
    more = {"train": OTB(root), "streams": None, "pairs": 8, "stages": stages(12)}
    done = train_tracker(**arguments(tmp_path / "run", **more))
    steps = [line for line in done.run.metrics() if line["kind"] == "step"]
    half, broken = (sum(line.get(name, 0) for line in steps) for name in ("missing_frames", "replaced_videos"))
    assert half
    assert broken > 3
    said = capsys.readouterr().err
    for text in (said, (done.run.path / "log.txt").read_text()):
        assert text.count("A: a pair broke while loading (none of the frames asked for comes out)") == 1
        assert text.count("pictures are missing or damaged") == 1
        assert f"show the other picture twice: {half}; pairs that others were taken for: {broken};" in text
        assert "took A" not in text


def test_nothing_is_said_of_whole_pictures(tmp_path, capsys):
    root = write_sequences(tmp_path / "otb", "A")
    done = train_tracker(**arguments(tmp_path / "run", train=OTB(root), streams=None, stages=stages(1)))
    assert "damaged" not in capsys.readouterr().err
    assert json.loads((done.run.path / "metrics.jsonl").read_text().splitlines()[0])["kind"] == "step"
    assert "1 sequence, 4 pairs of each an epoch" in (done.run.path / "log.txt").read_text()
