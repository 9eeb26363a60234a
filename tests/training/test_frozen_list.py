"""The frozen list of a run: its file, line by line; columns in memory; the catalog's word; processes that read it."""

import csv
import io
import json
import os
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from praxino.catalogs.base import Video
from praxino.cli.main import main
from praxino.errors import UserError
from praxino.files import encoded
from praxino.training import videos
from praxino.training.listed import ListedVideo, read_list, write_list
from praxino.training.pretrain import pretrain
from praxino.training.run import Run
from praxino.training.videos import RunVideos, frozen_list, usable_videos
from toys import ToyCatalog, ToySampler, ToyStream, toy_method, toy_protocol, toy_stages

HERE = Path(__file__).parent
# Names of files: any bytes.
NAMES = st.binary(min_size=1, max_size=12).map(os.fsdecode)
FOUND = st.tuples(NAMES, st.integers(0, 2**40), st.sampled_from(["ok", "too short", "unreadable"]), NAMES | st.just(""))
HEADING = "row,id,frames,status,reason\n"


class Said(ToyCatalog):
    """Its list says how many frames a video has; every fifth one is too short for the sampler."""

    def listed_frames(self, row):
        return 3 if row % 5 == 4 else 20


class Unprobed(ToyStream):
    def probe(self, video, full=False):
        raise AssertionError("something was probed")


def arguments(out, **more):
    given = {
        "catalog": Said(12), "sampler": ToySampler(), "method": toy_method(), "stages": toy_stages(steps=5),
        "protocol": toy_protocol(), "out": out, "streams": {"rgb": Unprobed()}, "batch_size": 4, "workers": 0,
        "threads": 1, "device": "cpu", "probe": "listed", "max_left_out": 0.2,
    }  # fmt: skip
    return {**given, **more}


def lines_of(found):
    rows = iter(range(len(found)))
    return [ListedVideo(next(rows) if status == "ok" else None, id, n, status, why) for id, n, status, why in found]


@given(st.lists(FOUND, max_size=8))
def test_the_file_is_a_plain_csv(found):
    path, lines = Path(os.environ["PRAXINO_CACHE"]) / "videos.csv", lines_of(found)
    write_list(path, iter(lines))
    assert list(read_list(path)) == lines
    # At one go, as it was written when all of it was held in memory.
    text = io.StringIO(newline="")
    csv.writer(text).writerows([HEADING.strip().split(","), *(["" if v.row is None else v.row, *v[1:]] for v in lines)])
    assert path.read_bytes() == encoded(text.getvalue())


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("row,id,frames,status\n0,a,1,ok\n", 1),
        (HEADING + "0,a,1,ok,\n1,b,1,ok\n", 3),
        (HEADING + "0,a,1,ok,\n\n2,b,1,ok,\n", 4),  # 1 is missing
        (HEADING + "0,a,1,ok,\n0,b,1,ok,\n", 3),
        (HEADING + ",a,1,ok,\n", 2),
        (HEADING + "0,a,1,too short,\n", 2),
        (HEADING + ",a,1,short,\n", 2),
        (HEADING + "0,a,many,ok,\n", 2),
    ],
)
def test_a_damaged_line_is_named(tmp_path, text, line):
    (tmp_path / "videos.csv").write_text(text)
    with pytest.raises(UserError, match=rf"videos\.csv line {line} is damaged: the run cannot be gone on with$"):
        list(read_list(tmp_path / "videos.csv"))


def test_columns_in_another_order_are_read(tmp_path):
    (tmp_path / "videos.csv").write_text("id,status,more,frames,reason,row\na,ok,x,7,,0\n")
    assert list(read_list(tmp_path / "videos.csv")) == [ListedVideo(0, "a", 7, "ok", "")]


def test_what_is_no_file_is_no_list(tmp_path):
    os.mkfifo(tmp_path / "videos.csv")  # to open it would be to wait for ever
    for path in (tmp_path, tmp_path / "videos.csv"):
        with pytest.raises(UserError, match=rf"^{path} cannot be read: it is no regular file$"):
            list(read_list(path))


def test_the_catalogs_word_opens_nothing(tmp_path, capsys):
    run = pretrain(**arguments(tmp_path / "run"))
    assert run.finished
    listed = list(csv.DictReader(run.videos_file.open()))
    assert [v["frames"] for v in listed] == ["20", "20", "20", "20", "3"] * 2 + ["20", "20"]
    assert [v["row"] for v in listed] == ["0", "1", "2", "3", "", "4", "5", "6", "7", "", "8", "9"]
    assert {v["reason"] for v in listed} == {"", "it has 3 frames, and 4 are needed"}
    assert "2 of 12 videos are left out, listed in videos.csv (the first: video04: it has 3" in capsys.readouterr().err
    # The same clips as of a run that has looked at the videos and left out the same ones.
    looked = pretrain(**arguments(tmp_path / "looked", streams={"rgb": Looked()}, probe="quick"))
    assert run.videos_file.read_bytes() == looked.videos_file.read_bytes()
    assert totals(run) == totals(looked)


class Looked(ToyStream):
    def probe(self, video, full=False):
        from praxino.streams.base import Probed

        return Probed(3 if int(video.id[-2:]) % 5 == 4 else 20)


def totals(run):
    return [line["total"] for line in run.metrics() if line["kind"] == "step"]


def test_a_file_that_is_not_there_shows_while_loading(tmp_path):
    class Gone(Unprobed):
        def __init__(self):
            super().__init__(broken=("video02",))

    run = pretrain(**arguments(tmp_path / "run", streams={"rgb": Gone()}, stages=toy_stages(epochs=2)))
    epochs = [line for line in run.metrics() if line["kind"] == "epoch"]
    assert sum(line.get("replaced_videos", 0) for line in epochs) > 0
    assert "video02 broke while loading (broke); took video" in (tmp_path / "run/log.txt").read_text()


def test_a_silent_catalog_leaves_the_folder_free(tmp_path):
    said = r"^--probe listed takes the catalog's word.*ToyCatalog does not say it of video00: pass --probe quick$"
    with pytest.raises(UserError, match=said):
        pretrain(**arguments(tmp_path / "run", catalog=ToyCatalog(12)))
    assert not any(path.is_file() for path in (tmp_path / "run").rglob("*"))
    assert pretrain(**arguments(tmp_path / "run")).finished


@pytest.mark.parametrize(
    ("rows", "renamed", "differ"),
    [
        (12, 3, r"1 video is missing \(video03\), 1 video is new \(other\); give the old names back"),
        (11, None, r"1 video is missing \(video11\); put it back"),
        (7, None, r"5 videos are missing \(video07, video08, video09, \.\.\.\); put them back, .*--catalog.root NEW"),
        (13, None, r"1 video is new \(video12\); move it elsewhere"),
    ],
)
def test_another_catalog_is_refused_by_what_is_missing_and_new(tmp_path, rows, renamed, differ):
    class Other(Said):
        def video(self, row):
            video = super().video(row)
            return Video("other" if row == renamed else video.id, video.files, video.label)

    run = pretrain(**arguments(tmp_path / "run"))
    how = ({"rgb": Unprobed()}, ("rgb",), 4, 0.2, "listed", 0)
    assert len(frozen_list(run, Said(12), *how)) == 12
    with pytest.raises(UserError, match=rf"is not the one that \S+ began with: {differ}"):
        frozen_list(run, Other(rows), *how)


def test_a_file_is_waited_for_until_it_is_whole(tmp_path, monkeypatch):
    """Another machine's disk may show a file late, or an earlier one of that name first."""
    run = Run.create(tmp_path, {})
    monkeypatch.setattr(videos, "SEEN_SECONDS", 0.2)
    with pytest.raises(UserError, match=r"does not see \S+videos\.csv, which process 0 has: give --out a folder"):
        videos._wait_for(run, 100)
    monkeypatch.setattr(videos, "SEEN_SECONDS", 60.0)

    def late():
        for size in (50, 100):
            time.sleep(0.1)
            run.videos_file.write_text("x" * size)

    writer = threading.Thread(target=late)
    writer.start()
    videos._wait_for(run, 100)
    assert run.videos_file.stat().st_size == 100
    writer.join()


def test_a_place_is_a_row():
    some = RunVideos(RunVideos(ToyCatalog(12), range(2, 12)), [0, 3, 9])
    assert [video.id for video in some] == ["video02", "video05", "video11"]
    assert [video.id for video in some[1:]] == ["video05", "video11"]
    assert (len(some), some[-1].id, some.rows.dtype) == (3, "video11", np.int64)


@pytest.mark.parametrize("again", [False, True], ids=["begun", "resumed"])
def test_no_object_is_held_for_a_row(tmp_path, again):
    """At most 64 bytes a row at any time, measured between two sizes; an object of its own has more, and a line 100."""

    def peak(rows):
        run = Run.create(tmp_path / f"{rows}", {})
        how = ({"rgb": Unprobed()}, ("rgb",), 4, 0.5, "listed", 0)
        if again:
            usable_videos(run, Said(rows), *how)
        tracemalloc.start()
        kept = usable_videos(run, Said(rows), *how)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(kept[1]) == len(kept[0]) == rows - rows // 5
        return most

    assert (peak(6000) - peak(1000)) / 5000 < 64


RECIPE = """\
catalog: {{class_path: {catalog}, init_args: {{videos: 12}}}}
streams: {{rgb: test_frozen_list.Unprobed}}
sampler: toys.ToySampler
method: {{class_path: SimCLR, init_args: {{dim: 5, backbone: toys.ToyBackbone, view: {{operations: [toys.Noise]}}}}}}
stages: [{{optimizer: {{class_path: AdamW, init_args: {{lr: 1e-2}}}}, steps: 2}}]
protocol: {{views: {{rgb: {{operations: []}}}}, sampler: toys.ToySampler, streams: {{rgb: toys.ToyStream}}}}
batch_size: 4
workers: 0
threads: 1
device: cpu
max_left_out: 0.2
"""


def test_on_the_command_line(tmp_path, capsys):
    (tmp_path / "said.yaml").write_text(RECIPE.format(catalog="test_frozen_list.Said"))
    (tmp_path / "silent.yaml").write_text(RECIPE.format(catalog="toys.ToyCatalog"))
    asked = ["--out", str(tmp_path / "run"), "--probe"]
    assert main(["pretrain", str(tmp_path / "silent.yaml"), *asked, "listed"]) == 2
    assert "does not say it of video00: pass --probe quick" in capsys.readouterr().err
    assert main(["pretrain", str(tmp_path / "said.yaml"), *asked, "thorough"]) == 2
    assert "listed" in capsys.readouterr().err
    assert main(["pretrain", str(tmp_path / "said.yaml"), *asked, "listed"]) == 0
    assert "probe: listed" in (tmp_path / "run/recipe.yaml").read_text()
    assert main(["resume", str(tmp_path / "run")]) == 0


def test_two_processes_read_it_by_themselves(tmp_path):
    """The same losses as of one process, and a mistake of one is told by both, neither of which waits for the other."""
    paths = [str(HERE), str(HERE.parent), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [sys.executable, *launcher, str(HERE / "listed_ranks_script.py"), str(tmp_path)]
    done = subprocess.run(
        command, env={**environment, "GLOO_SOCKET_IFNAME": "lo"}, check=False, capture_output=True, timeout=240
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    found = json.loads((tmp_path / "found.json").read_text())
    assert [one["rows"] for one in found] == [10, 10]
    for mistake in ("silent", "other", "damaged"):
        first, second = (one[mistake] for one in found)
        assert first == second
    assert "does not say it of video00" in found[0]["silent"]
    assert "1 video is new (other)" in found[0]["other"]
    assert "videos.csv line 1 is damaged" in found[0]["damaged"]
    assert not (tmp_path / "silent/recipe.yaml").exists()
    assert not (tmp_path / "other/videos.csv").exists()
    one = pretrain(**arguments(tmp_path / "one", stages=toy_stages(steps=4)))
    # Sums in float32 of another order.
    assert totals(Run(tmp_path / "whole")) == pytest.approx(totals(one), rel=1e-6)


class Odd(ToyStream):
    def probe(self, video, full=False):
        from praxino.streams.base import Probed

        return Probed(20, "number 3 is damaged" if video.id in ("video02", "video07") else "")


def test_what_is_odd_and_used_is_counted(tmp_path, capsys):
    pretrain(**arguments(tmp_path / "run", streams={"rgb": Odd()}, probe="quick", catalog=ToyCatalog()))
    line = "2 of 12 videos are used, but odd, listed in videos.csv (the first: video02: number 3 is damaged)"
    assert line in capsys.readouterr().err.splitlines()
