"""The folder of an index: what is computed, what is kept, and equal bytes however often it was killed."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch

import praxino.search.building as building
import praxino.search.embedding as embedding
import praxino.search.plan as plan
from indexed import encoder, files, made, videos
from praxino.errors import UserError
from praxino.search.manifest import _joined, below, record_of
from praxino.search.store import MANIFEST, SECONDS, VECTORS

FORK = multiprocessing.get_context("fork")


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Parts of three videos; and one thread, as a process that was forked has to have."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setattr(plan, "PART_VIDEOS", 3)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def counting(monkeypatch):
    """The ids of all videos that go through the network."""
    seen, of = [], embedding.Embedding.of

    def noted(self, some, progress=None):
        seen.extend(video.id for video in some)
        return of(self, some, progress)

    monkeypatch.setattr(embedding.Embedding, "of", noted)
    return seen


def data(out):
    """The records, vectors and seconds of an index, read by hand."""
    folder = out / json.loads((out / "index.json").read_text())["data"]
    records = [record_of(line) for line in (folder / MANIFEST).read_bytes().splitlines()]
    return {one.id: one for one in records}, np.load(folder / VECTORS), np.load(folder / SECONDS)


def test_vectors_are_those_of_the_encoder(tmp_path):
    one = encoder()
    done = made(videos(tmp_path / "v", broken="c"), tmp_path / "i", one)
    records, vectors, seconds = data(tmp_path / "i")
    assert (done.videos, done.clips, done.dim, done.computed) == (9, 27, 6, 10)
    assert done.left_out == [("c.mp4", "broke")]
    assert (records["c.mp4"].status, records["c.mp4"].reason, records["c.mp4"].clips) == ("failed", "broke", 0)
    assert list(records) == [f"{name}.mp4" for name in "abcdefghij"]
    for id, record in records.items():
        if record.clips:
            own, times = one.embed(praxino_video(tmp_path / "v" / id), times=True)
            own = own / np.linalg.norm(own, axis=1, keepdims=True)
            np.testing.assert_allclose(vectors[record.rows()], own, atol=1e-5)
            assert np.array_equal(seconds[record.rows()], times)


def praxino_video(path):
    from praxino.catalogs.base import Video

    return Video(path.name, {"rgb": str(path)})


def test_every_takes_a_clip_every_so_many_seconds(tmp_path):
    made(videos(tmp_path / "v", "ab"), tmp_path / "i", every=0.5)
    records, _, seconds = data(tmp_path / "i")
    # 20 and 21 frames at 10 a second; a clip has 4.
    assert np.allclose(seconds[records["a.mp4"].rows()], [[k / 2, k / 2 + 0.3] for k in range(4)])
    assert np.allclose(seconds[records["b.mp4"].rows(), 0], [0, 0.5, 1, 1.5])


@pytest.mark.parametrize("every", [None, 0.4])
def test_bytes_do_not_depend_on_workers(tmp_path, every):
    videos(tmp_path / "v", broken="d")
    for workers in (0, 1, 2):
        made(tmp_path / "v", tmp_path / f"i{workers}", every=every, workers=workers)
    assert files(tmp_path / "i0") == files(tmp_path / "i1") == files(tmp_path / "i2")


def dies(folder, out, at):
    """Runs in a process of its own, which is killed when it is about to write for the `at`-th time."""
    torch.set_num_threads(1)
    left = [at]

    def counted(function):
        def called(*words, **more):
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*words, **more)

        return called

    for name in ("write_data", "put", "write_header", "remove_others"):
        setattr(building, name, counted(getattr(building, name)))
    made(folder, out)


def test_bytes_do_not_depend_on_kills(tmp_path, counting):
    videos(tmp_path / "v", "abcdefghijklmnopqrst", broken="d")
    made(tmp_path / "v", tmp_path / "whole")
    counting.clear()
    kills = 0
    while True:
        # In turn before a part is written, before it gets its name, and further on.
        process = FORK.Process(target=dies, args=(tmp_path / "v", tmp_path / "killed", 2 + kills % 3))
        process.start()
        process.join(60)
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        kills += 1
        assert kills < 40
    assert kills >= 8
    assert files(tmp_path / "killed") == files(tmp_path / "whole")


def test_what_a_kill_leaves_is_not_computed_again(tmp_path, counting, monkeypatch):
    videos(tmp_path / "v")
    monkeypatch.setattr(building.Building, "_merged", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path / "v", tmp_path / "i")
    assert len(counting) == 10
    monkeypatch.undo()
    monkeypatch.setattr(embedding.Embedding, "of", lambda *_: pytest.fail("computed again"))
    assert made(tmp_path / "v", tmp_path / "i").computed == 0


def test_a_damaged_part_is_computed_again(tmp_path, monkeypatch):
    videos(tmp_path / "v")
    made(tmp_path / "v", tmp_path / "whole")
    monkeypatch.setattr(building.Building, "_merged", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path / "v", tmp_path / "i")
    monkeypatch.undo()
    monkeypatch.setattr(plan, "PART_VIDEOS", 3)
    second, third = (next((tmp_path / "i/.parts").glob(f"00000{k}-*")) for k in (1, 2))
    (second / VECTORS).write_bytes(b"")
    # As a power cut may leave it: the size of what was written, and zeros.
    content = (third / VECTORS).read_bytes()
    (third / VECTORS).write_bytes(content[:-24] + bytes(24))
    assert made(tmp_path / "v", tmp_path / "i").computed == 6
    assert files(tmp_path / "i") == files(tmp_path / "whole")


def test_nothing_new(tmp_path, counting):
    videos(tmp_path / "v", broken="b")
    made(tmp_path / "v", tmp_path / "i")
    before, stamps = files(tmp_path / "i"), {path: path.stat().st_mtime_ns for path in (tmp_path / "i").rglob("*.npy")}
    counting.clear()
    done = made(tmp_path / "v", tmp_path / "i")
    assert (done.computed, done.moved, done.gone, counting) == (0, 0, 0, [])
    assert files(tmp_path / "i") == before
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "i").rglob("*.npy")} == stamps


def test_new_changed_renamed_and_gone(tmp_path, counting):
    folder = videos(tmp_path / "v", "abcdef")
    made(folder, tmp_path / "i")
    records, vectors, _ = data(tmp_path / "i")
    counting.clear()
    (folder / "b.mp4").write_bytes(bytes([40]) + b"changed")
    (folder / "c.mp4").rename(folder / "renamed.mp4")
    (folder / "d.mp4").unlink()
    (folder / "new.mp4").write_bytes(bytes([22]) + b"new")
    os.utime(folder / "e.mp4")
    done = made(folder, tmp_path / "i")
    assert sorted(counting) == ["b.mp4", "new.mp4"]
    assert (done.computed, done.moved, done.gone) == (2, 2, 1)
    after, now, _ = data(tmp_path / "i")
    assert {id: one.status for id, one in after.items()} == {
        "a.mp4": "done", "b.mp4": "done", "e.mp4": "done", "f.mp4": "done", "new.mp4": "done", "renamed.mp4": "done",
        "d.mp4": "gone",
    }  # fmt: skip
    for id, before in {"a.mp4": "a", "e.mp4": "e", "renamed.mp4": "c", "d.mp4": "d"}.items():
        assert np.array_equal(now[after[id].rows()], vectors[records[f"{before}.mp4"].rows()])
    assert not np.allclose(now[after["b.mp4"].rows()], vectors[records["b.mp4"].rows()])
    # What was gone comes back, be it under another name.
    counting.clear()
    (folder / "back.mp4").write_bytes(bytes([23]) + b"d")
    assert made(folder, tmp_path / "i").gone == 0
    assert counting == []
    # The index of one go, but for the order in which batches came.
    made(folder, tmp_path / "again")
    assert list(data(tmp_path / "i")[0]) == list(data(tmp_path / "again")[0])
    np.testing.assert_allclose(data(tmp_path / "i")[1], data(tmp_path / "again")[1], atol=1e-5)


def test_two_equal_files_have_equal_clips(tmp_path, counting):
    folder = videos(tmp_path / "v", "abcdef")
    (folder / "g.mp4").write_bytes((folder / "a.mp4").read_bytes())
    made(folder, tmp_path / "i")
    records, vectors, _ = data(tmp_path / "i")
    assert "g.mp4" not in counting
    assert np.array_equal(vectors[records["a.mp4"].rows()], vectors[records["g.mp4"].rows()])
    (folder / "a.mp4").unlink()
    assert made(folder, tmp_path / "i").gone == 0  # it lives on as g.mp4


def test_what_was_broken_and_is_mended(tmp_path):
    folder = videos(tmp_path / "v", "abc", broken="b")
    made(folder, tmp_path / "i")
    (folder / "b.mp4").write_bytes(bytes([30]) + b"mended")
    done = made(folder, tmp_path / "i")
    assert (done.left_out, done.computed) == ([], 1)


def test_a_moved_folder_is_the_same(tmp_path):
    folder = videos(tmp_path / "v", "abc")
    made(folder, tmp_path / "i")
    folder.rename(tmp_path / "w")
    done = made(tmp_path / "w", tmp_path / "i")
    assert (done.computed, done.moved, done.gone) == (0, 0, 0)
    assert json.loads((tmp_path / "i/index.json").read_text())["root"] == str(tmp_path / "w")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"one": encoder(seed=1)}, "is an index by another encoder"),
        ({"view": "other"}, "is an index of the view 'seen'"),
        ({"every": 0.5}, "is an index without --every"),
        ({"one": encoder(clips=2)}, "clips of another sampler"),
    ],
)
def test_another_protocol_is_refused(tmp_path, other, said):
    videos(tmp_path / "v", "ab")
    made(tmp_path / "v", tmp_path / "i")
    before = files(tmp_path / "i")
    with pytest.raises(UserError, match=said):
        made(tmp_path / "v", tmp_path / "i", **other)
    assert files(tmp_path / "i") == before


def test_the_checksum_is_that_of_the_file(tmp_path):
    one = encoder()
    one.save(tmp_path / "encoder.safetensors")
    assert one.checksum() == json.loads((tmp_path / "encoder.json").read_text())["checksum"]
    assert encoder(seed=1).checksum() != one.checksum()


def test_a_second_writer_is_refused(tmp_path):
    videos(tmp_path / "v", "ab")
    made(tmp_path / "v", tmp_path / "i")
    code = (
        "import sys; from pathlib import Path; from praxino.lock import lock\n"
        "class Owner: pass\n"
        "me = Owner(); lock(Path(sys.argv[1]), me); print('ready', flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "i")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "ready\n"
        with pytest.raises(UserError, match=r"another process writes into the index .*: wait for its end"):
            made(tmp_path / "v", tmp_path / "i")
        other.stdin.close()
    made(tmp_path / "v", tmp_path / "i")


def test_other_folders_are_refused(tmp_path):
    videos(tmp_path / "v", "ab")
    with pytest.raises(UserError, match=r"is no index, and a\.mp4 lies in it"):
        made(tmp_path / "v", tmp_path / "v")
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="file"):
        made(tmp_path / "v", tmp_path / "file")
    with pytest.raises(UserError, match="none of 2 videos can be read"):
        made(videos(tmp_path / "w", "ab", broken="ab"), tmp_path / "i")


def test_progress_ends_at_all_of_it(tmp_path):
    told = []
    made(videos(tmp_path / "v"), tmp_path / "i", progress=lambda *numbers: told.append(numbers))
    assert told[-1] == (1, 1)
    assert all(0 <= done <= many for done, many in told)


@pytest.mark.parametrize("root", ["/", "/films", "/films/"])
def test_files_below_a_root_are_found_again(root):
    for path in ("/films/a.mp4", "/filmsb.mp4", "/other/films/a.mp4"):
        assert _joined(root, below(root, path)) == path
    assert below(root, "/films/a.mp4") == ("films/a.mp4" if root == "/" else "a.mp4")
