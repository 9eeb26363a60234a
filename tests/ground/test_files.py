"""Files of ours on disks that are full or refuse, their encoding, and names that are no UTF-8."""

import ast
import errno
import os
import resource
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import praxino
from praxino.configuration import documents
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.evaluations.embedding import embed_videos
from praxino.evaluations.figures import Picture
from praxino.evaluations.result import Result, Row, write_result
from praxino.files import append_text, make_folder, read_text, write_text, written_aside
from praxino.folders import folder_aside
from praxino.originals.pickles import save_pickle
from praxino.printable import one_line, printable
from praxino.report.page import write_report
from praxino.training.checkpoint import save_checkpoint
from praxino.training.listed import ListedVideo
from praxino.training.run import Run
from toys import ToyBackbone, ToyCatalog, ToyStream, toy_protocol

SOURCE = Path(praxino.__file__).parent
LARGE = "x" * 300_000
ODD = os.fsdecode(b"caf\xe9.mp4")


@contextmanager
def full(folder):
    """No file may become larger than it is, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.fixture
def disk(tmp_path):
    """A disk of one megabyte, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if done.returncode:
        pytest.skip("a disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


@contextmanager
def filled(folder):
    """The disk is full to its last byte."""
    with (folder / "filler").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):  # noqa: PT012
        while True:
            file.write(bytes(4096))
    yield


@contextmanager
def read_only(folder):
    """Nothing on the disk can be changed, and nothing cleaned up."""
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    yield


def result():
    pixels = np.random.default_rng(0).integers(0, 256, (200, 500, 3)).astype(np.uint8)
    return Result("knn", "t", {}, ["1"], [Row("a", {"1": 1.0})], pictures=[Picture("p", pixels)])


def encoder():
    return Encoder.of(ToyBackbone(), toy_protocol())


def two_checkpoints(folder):
    save_checkpoint(folder / "last.ckpt", {"a": torch.randn(50_000)}, folder / "previous.ckpt")


def embedded(folder):
    made = encoder()
    made.streams = {"rgb": ToyStream()}
    embed_videos(made, ToyCatalog(), folder / "vectors.npz", workers=0, device="cpu")


def render(folder):
    from praxino.demo.render import render

    render(folder / "videos", videos=32)


def by_folder_aside(folder):
    with folder_aside(folder / "pictures") as aside:
        (aside / "picture").write_text(LARGE)


WRITERS = {
    "text": lambda folder: write_text(folder / "a.txt", LARGE),
    "shared text": lambda folder: write_text(folder / "a.txt", LARGE, shared=True),
    "folder": by_folder_aside,
    "checkpoint": two_checkpoints,
    "small checkpoint": lambda folder: save_checkpoint(folder / "last.ckpt", {"a": 1}),
    "pickle": lambda folder: save_pickle(folder / "a.pth", {"a": torch.randn(50_000)}),
    "encoder": lambda folder: encoder().save(folder / "encoder.safetensors"),
    "recipe": lambda folder: documents.write(folder / "recipe.yaml", {"a": LARGE}),
    "videos": lambda folder: Run(folder).write_videos([ListedVideo(0, LARGE, 1, "ok", "")]),
    "metrics": lambda folder: Run(folder).add_metrics({"kind": "step", "step": 1, "total": LARGE}),
    "log": lambda folder: Run(folder).log(LARGE),
    "run": lambda folder: Run.create(folder, {"a": LARGE}),
    "result": lambda folder: write_result(folder, "knn", result(), ()),
    "report": write_report,
    "vectors": embedded,
    "videos of the demo": render,
}


def there(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(name, folder):
    """One line that names a place below the folder, and nothing is left of it."""
    before = there(folder)
    with pytest.raises(UserError, match=r"^[^\n]*cannot be [^\n]*$") as said:
        WRITERS[name](folder)
    assert str(folder) in str(said.value)
    after = there(folder)
    assert not [path for path in after if ".part" in str(path)]
    # What is appended to may hold a part of a line, which is cut back on resume.
    assert {path: after[path][: len(content)] for path, content in before.items()} == before
    assert not set(after) - set(before) - {Path("log.txt"), Path("metrics.jsonl"), Path("environment.json")}


def prepared(name, folder):
    """A folder with what the writer has written before, or a run's small files."""
    folder.mkdir(exist_ok=True)
    if name == "report":
        (folder / "recipe.yaml").write_text("seed: 0\n")
    if name not in ("log", "metrics", "run", "videos of the demo"):
        WRITERS[name](folder)
    return folder


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_that_may_not_grow(tmp_path, name):
    folder = prepared(name, tmp_path / "run")
    with full(folder):
        refused(name, folder)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("state", [filled, read_only])
def test_a_disk_that_is_full_or_read_only(disk, name, state):
    folder = prepared(name, disk / "run")
    with state(disk):
        refused(name, folder)


def test_what_is_no_place_for_a_folder(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("gone")
    for name, said in (("file", "file is a file"), ("link", "link is a link to gone, where nothing is")):
        with pytest.raises(UserError, match=said):
            make_folder(tmp_path / name / "below")


def test_what_is_no_place_for_a_file(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match=r"Not a directory|File exists"), written_aside(tmp_path / "file/below"):
        pass
    with pytest.raises(UserError, match="it is a folder"):
        write_text(tmp_path / "folder", "")
    for path in (tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(UserError, match="no regular file"):
            write_text(path, "")
    with pytest.raises(UserError, match="File name too long"):
        write_text(tmp_path / ("n" * 254), "")
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder", "pipe"}
    embedded(tmp_path)
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(UserError, match="no file that can be written"):
        embed_videos(encoder(), ToyCatalog(), tmp_path / "pipe.npz", device="cpu")


def test_a_pipe_is_no_text_of_ours(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/null"), tmp_path):
        with pytest.raises(OSError, match="no regular file"):
            read_text(path)


class Broken(Exception):
    pass


def broken_at(path):
    path.write_text("half")
    raise Broken


def test_a_folder_whose_turn_a_kill_cut_short_comes_back(tmp_path):
    before = tmp_path / ".b.praxino/before"
    before.mkdir(parents=True)
    (before / "kept").touch()
    with pytest.raises(Broken), folder_aside(tmp_path / "b") as aside:
        broken_at(aside / "half")
    assert [path.name for path in tmp_path.rglob("*")] == ["b", "kept"]


def test_a_folder_is_written_by_one_process_and_others_are_told(tmp_path):
    other = "import sys; from pathlib import Path; from praxino.folders import folder_aside\n"
    other += "with folder_aside(Path(sys.argv[1])) as aside: (aside / 'theirs').touch()"
    with folder_aside(tmp_path / "b") as aside:
        done = subprocess.run(
            [sys.executable, "-c", other, tmp_path / "b"], capture_output=True, text=True, check=False
        )
        (aside / "ours").touch()
    assert f"another process writes {tmp_path}/b (process {os.getpid()} of " in done.stderr
    assert [path.name for path in tmp_path.rglob("*")] == ["b", "ours"]


def test_what_is_called_like_a_folder_and_links_stay(tmp_path):
    for name in ("b.part", "b.before.part", "far"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine").touch()
    (tmp_path / "b").symlink_to("far")
    with folder_aside(tmp_path / "b") as aside:
        (aside / "new").touch()
    assert (tmp_path / "b").is_symlink()
    assert sorted(there(tmp_path)) == [Path("b.before.part/mine"), Path("b.part/mine"), Path("far/new")]


@pytest.mark.parametrize("at", [1, 2])
def test_an_interrupt_between_two_renames_loses_nothing(tmp_path, monkeypatch, at):
    (tmp_path / "b").mkdir()
    (tmp_path / "b/kept").touch()
    replace, count = os.replace, []

    def interrupted(a, b):
        replace(a, b)
        count.append(b)
        if len(count) == at:
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt), folder_aside(tmp_path / "b") as aside:
        (aside / "new").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["b", "kept" if at == 1 else "new"]


def test_any_failure_leaves_what_was_there(tmp_path, monkeypatch):
    write_text(tmp_path / "a", "before")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/kept").touch()
    with pytest.raises(Broken), written_aside(tmp_path / "a") as aside:
        broken_at(aside)
    with pytest.raises(Broken), folder_aside(tmp_path / "b") as aside:
        broken_at(aside / "half")
    replace = os.replace

    def refuse(a, b):
        if Path(b).name == "b" and "before" not in Path(a).name:
            raise OSError(errno.EIO, "Input/output error")
        replace(a, b)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(UserError, match="Input/output error"), folder_aside(tmp_path / "b") as aside:
        (aside / "new").touch()
    assert there(tmp_path) == {Path("a"): b"before", Path("b/kept"): b""}


def test_a_folder_takes_the_place_of_another(tmp_path):
    for name in ("one", "two"):
        with folder_aside(tmp_path / "a") as aside:
            (aside / name).touch()
        assert [path.name for path in (tmp_path / "a").iterdir()] == [name]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@given(st.text(st.characters(exclude_categories=()), max_size=30))
def test_any_text_can_be_written_and_shown(text):
    path = Path(os.environ["PRAXINO_CACHE"]) / "text-of-the-files-test"
    write_text(path, "")
    append_text(path, text)
    back = read_text(path)
    named = text == os.fsdecode(text.encode("utf-8", "surrogatepass")) or all(
        not 0xD800 <= ord(c) < 0xE000 for c in text
    )
    if named:
        assert back == text
    said = printable(text)
    said.encode("utf-8")
    assert "\n" not in one_line(text)
    assert len(said.splitlines()) <= 1
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in said)


@given(st.binary(max_size=30))
def test_any_name_survives(name):
    path = Path(os.environ["PRAXINO_CACHE"]) / "text-of-the-files-test"
    write_text(path, os.fsdecode(name))
    assert path.read_bytes() == name
    assert read_text(path) == os.fsdecode(name)


def test_how_names_are_shown():
    assert printable(ODD) == r"caf\xe9.mp4"
    assert printable("a\x1b[2Jb\nc\u202ed") == r"a\x1b[2Jb\nc\u202ed"
    assert printable("Übung 1 – 動画.mp4") == "Übung 1 – 動画.mp4"
    assert printable("\ud834x") == r"\ud834x"


NAMES = [ODD, "new\nline.mp4", 'semi;comma,"quote".mp4', "escape\x1b[31m.mp4", "sep\u2028\x0b.mp4", "\r.mp4"]


def test_odd_ids_in_a_run(tmp_path, capsys):
    folder = tmp_path / os.fsdecode(b"run\xe9")
    run = Run.create(folder, {"catalog": {"root": ODD}})
    run.write_videos([ListedVideo(row, name, 5, "ok", f"of {name}") for row, name in enumerate(NAMES)])
    assert [(video.id, video.reason) for video in run.videos()] == [(name, f"of {name}") for name in NAMES]
    assert b"caf\xe9.mp4" in (folder / "videos.csv").read_bytes()
    assert run.recipe()["catalog"]["root"] == ODD
    for name in NAMES:
        run.log(f"left out: {name}")
    logged = (folder / "log.txt").read_bytes()
    assert b"left out: caf\xe9.mp4\n" in logged
    assert logged.count(b"\n") == len(NAMES)
    said = capsys.readouterr().err
    assert r"left out: caf\xe9.mp4" in said
    assert "\x1b" not in said
    page = write_report(folder).read_text(encoding="utf-8")
    assert r"caf\xe9.mp4" in page
    assert "6 videos of 6 used" in page


def test_a_damaged_list_of_videos_is_one_line(tmp_path):
    run = Run.create(tmp_path / "run", {})
    for text in ("row,id,frames\n0,a\n", "a\n1\n", "row,id,frames,status,reason\nx,a,1,ok,\n", "row,id\n\0,\n"):
        (tmp_path / "run/videos.csv").write_text(text)
        with pytest.raises(UserError, match=r"videos\.csv line \d is damaged"):
            list(run.videos())


def test_every_open_names_its_encoding():
    """Else it would be that of the machine's language."""
    bare = []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            words = {word.arg for word in node.keywords}
            modes = [a.value for a in node.args[:2] if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if ast.unparse(node.func) == "av.open":
                continue
            plain = name == "open" and any(set(mode) <= set("rwax+t") and mode for mode in modes)
            plain |= isinstance(node.func, ast.Name) and name == "open" and not any("b" in mode for mode in modes)
            ours = name == "read_text" and isinstance(node.func, ast.Attribute) and not node.args
            ours |= name == "write_text" and isinstance(node.func, ast.Attribute)
            if (plain or ours) and "encoding" not in words:
                bare.append(f"{path.relative_to(SOURCE)}:{node.lineno}: {ast.unparse(node)[:60]}")
    assert not bare, "\n".join(bare)
