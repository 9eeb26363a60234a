"""praxino duplicates: copies of every kind are found with their seconds, other videos are not; and mistakes."""

import base64
import io
import re
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

import videos
from praxino.catalogs import Rendered
from praxino.catalogs.folder import VideoFolder
from praxino.cli.main import main
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.search import find_duplicates, index_videos, open_index, write_pairs
from praxino.search.hashes import PER_SECOND, _shown_at
from praxino.views.pipeline import View
from toys import ToyBackbone

SIZE = (72, 96)
STEP = 1 / PER_SECOND
COPIES = ("anew", "small", "cropped", "mirrored", "rate")


def film(seed, size=SIZE, show=lambda pixels: pixels):
    """Draws frames of soft blots, which become others within half a second."""
    blots = np.random.default_rng(seed).integers(0, 256, (40, 5, 7, 3), np.uint8)

    def picture(number):
        at, share = divmod(number / 12, 1)
        mixed = (1 - share) * blots[int(at)] + share * blots[int(at) + 1]
        whole = Image.fromarray(mixed.astype(np.uint8)).resize((SIZE[1], SIZE[0]), Image.Resampling.BICUBIC)
        return np.asarray(Image.fromarray(np.ascontiguousarray(show(np.asarray(whole)))).resize(size[::-1]))

    return picture


def write(path, seed, frames=100, size=SIZE, crf=20, rate=25, show=lambda pixels: pixels):
    path.parent.mkdir(exist_ok=True)
    options = {"crf": str(crf), "preset": "ultrafast"}
    videos.write(path, frames, size=size, rate=rate, options=options, picture=film(seed, size, show))


def indexed(folder, out, catalog=None):
    torch.manual_seed(0)
    encoder = Encoder(ToyBackbone(), {"seen": View([])}, EvenClips(2, 4, 1), centred=False).eval()
    index_videos(encoder, catalog or VideoFolder(folder), out, workers=0, device="cpu")
    return open_index(out)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A film, copies of it and other films; two black ones and two grey ones; lists that part them; and an index."""
    folder = tmp_path_factory.mktemp("duplicates")
    root = folder / "v"
    write(root / "film.mp4", 0)
    write(root / "anew.mp4", 0, crf=32)
    write(root / "small.mp4", 0, size=(48, 48))
    write(root / "cropped.mp4", 0, show=lambda pixels: pixels[7:-7, 9:-9])
    write(root / "mirrored.mp4", 0, show=lambda pixels: pixels[:, ::-1])
    write(root / "rate.mp4", 0, [round(25 / 30 * k) for k in range(118)], rate=30)
    write(root / "cut.mp4", 0, range(31, 86))
    for seed in (1, 2):
        write(root / f"other{seed}.mp4", seed)
        for name, grey in (("black", 0), ("grey", 99)):
            write(root / f"{name}{seed}.mp4", 0, 60, show=lambda pixels, grey=grey: np.full_like(pixels, grey))
    indexed(root, folder / "i")
    return folder


@pytest.fixture(scope="module")
def found(made):
    return find_duplicates(open_index(made / "i"), nearest=20)


def pair_of(found, *names):
    """The pair of two videos, each in its place; None where there is none."""
    wanted = {f"{name}.mp4" for name in names}
    pair = next((pair for pair in found if {pair.one.video, pair.other.video} == wanted), None)
    if pair is None:
        return None
    return pair, *sorted((pair.one, pair.other), key=lambda one: one.video != f"{names[0]}.mp4")


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_agrees_throughout(found, name):
    pair, film, copy = pair_of(found, "film", name)
    assert pair.share > 0.95
    assert pair.mirrored == (name == "mirrored")
    assert max(film.start, copy.start) <= STEP
    assert min(film.end, copy.end) >= 99 / 25 - 2 * STEP
    assert abs(film.start - copy.start) <= STEP


def test_a_cut_has_its_seconds_in_the_whole(found):
    pair, film, cut = pair_of(found, "film", "cut")
    assert pair.share > 0.95
    assert abs(film.start - cut.start - 31 / 25) <= STEP
    assert abs(film.end - cut.end - 31 / 25) <= STEP
    assert (cut.start, cut.end) == pytest.approx((0, 54 / 25), abs=STEP + 0.001)


def test_other_films_and_flat_ones_are_no_pairs(found):
    named = {one.video for pair in found for one in (pair.one, pair.other)}
    assert named == {f"{name}.mp4" for name in ("film", "cut", *COPIES)}
    assert (found.gone, found.left_out) == ((), ())
    assert found.compared == 13 * 12 // 2


def test_a_part_that_two_files_share(tmp_path):
    """Two seconds in the middle of both: a share of each, with its seconds."""
    blots, others = film(0), (film(1), film(2))
    for own in range(2):
        first = 20 + 25 * own

        def picture(number, own=own, first=first):
            return blots(number - first) if first <= number < first + 60 else others[own](number)

        videos.write(tmp_path / f"{own}.mp4", 120, size=SIZE, picture=picture)
    index = indexed(tmp_path, tmp_path / "i")
    (pair,) = find_duplicates(index, share=0.3)
    assert (pair.one.start, pair.one.end) == pytest.approx((20 / 25, 79 / 25), abs=2 * STEP)
    assert pair.other.start - pair.one.start == pytest.approx(1, abs=STEP)
    assert pair.share == pytest.approx(60 / 120, abs=0.06)
    assert not find_duplicates(index, share=0.8)


def test_gone_and_broken_videos_are_named(made, tmp_path, capsys):
    shutil.copytree(made / "v", tmp_path / "v", ignore=shutil.ignore_patterns("black*", "grey*", "other2*"))
    indexed(tmp_path / "v", tmp_path / "i")
    (tmp_path / "v/cut.mp4").unlink()
    indexed(tmp_path / "v", tmp_path / "i")  # now marked as gone
    (tmp_path / "v/small.mp4").unlink()
    (tmp_path / "v/anew.mp4").write_bytes(b"no video")
    found = find_duplicates(open_index(tmp_path / "i"))
    assert sorted(found.gone) == ["cut.mp4", "small.mp4"]
    assert [id for id, _ in found.left_out] == ["anew.mp4"]
    assert pair_of(found, "film", "cropped")
    capsys.readouterr()
    assert main(["duplicates", f"{tmp_path}/i"]) == 0
    out = capsys.readouterr().out
    assert "gone: 2 videos: cut.mp4, small.mp4" in out
    assert "left out: anew.mp4: " in out


def test_many_gone_videos_are_no_page_of_names(tmp_path, capsys):
    indexed(None, tmp_path / "i", Rendered(25, frames=10))
    indexed(None, tmp_path / "i", Rendered(1, frames=10))
    assert main(["duplicates", f"{tmp_path}/i"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("gone: 24 videos: rendered-0-1, ")
    assert last.endswith(" and 4 others")
    assert last.count(", ") == 19


def test_an_index_without_clips_has_no_pairs(tmp_path, capsys):
    for name in ("a", "b"):
        (tmp_path / f"{name}.mp4").write_bytes(b"no video")
    with pytest.raises(UserError, match="can be read"):
        indexed(tmp_path, tmp_path / "i")
    assert main(["duplicates", f"{tmp_path}/i"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "no pairs"
    assert [line.split(": ")[:2] for line in out[1:]] == [["left out", "a.mp4"], ["left out", "b.mp4"]]


def test_times_that_leap_make_no_frame_of_years():
    times = np.array([0, 0.1, 0.2, 3e9, 3e9 + 0.5])
    shown = _shown_at(times)
    assert len(shown) < 1000
    assert shown[:2].tolist() == [0, 1]
    assert set(shown.tolist()) == {0, 1, 2, 3}  # the last one comes between two steps


def test_stretches_of_one_file_are_not_compared(made, tmp_path):
    from praxino.catalogs import Cut

    still = film(3)
    videos.write(tmp_path / "still.mp4", 100, size=SIZE, picture=lambda number: still(0))
    index = indexed(tmp_path, tmp_path / "i", Cut(VideoFolder(tmp_path), 1.5))
    assert len(index.records) > 1
    assert find_duplicates(index).compared == 0


def test_the_command_prints_what_python_finds(made, found, tmp_path, capsys):
    page = tmp_path / "pairs.html"
    assert main(["duplicates", f"{made}/i", "--nearest", "20", "--out", str(page)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["pair", "share", "bits", "mirrored", "from", "to", "video"]
    rows = [line.split() for line in out[1:-1]]
    wanted = [
        [str(number), f"{pair.share:.2f}", f"{pair.distance:.1f}", "yes" if pair.mirrored else "no",
         f"{one.start:.2f}", f"{one.end:.2f}", one.video]
        for number, pair in enumerate(found, 1) for one in (pair.one, pair.other)
    ]  # fmt: skip
    assert rows == wanted
    assert out[-1] == str(page)
    cards = re.findall(r'<li class="card".*?</li>', page.read_text(), flags=re.S)
    assert len(cards) == len(found)
    # The strips of a pair show the same, one above the other.
    number = found.pairs.index(pair_of(found, "film", "cut")[0])
    frames = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(one))).resize((32, 24)), float)
        for one in re.findall(r"base64,([^\"]*)", cards[number])
    ]
    above, below = frames[: len(frames) // 2], frames[len(frames) // 2 :]
    for k, picture in enumerate(above):
        assert np.argmin([np.abs(picture - one).mean() for one in below]) == k
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)""", page.read_text())


def test_a_page_has_an_end(made, found, tmp_path, monkeypatch):
    monkeypatch.setattr("praxino.search.pairs_page.MOST", 2)
    page = write_pairs(open_index(made / "i"), found, tmp_path / "pairs.html").read_text()
    assert page.count('<li class="card"') == 2
    assert f"{len(found)} pairs among" in page
    assert "The first 2 are shown" in page


def test_pairs_between_training_and_test_come_first(made, tmp_path, capsys):
    lists = tmp_path / "list.csv"
    parts = {"film": "train", "cut": "test", "other1": "test", "anew": "train"}
    lines = [f"{made}/v/{name}.mp4,{part}" for name, part in parts.items()]
    lists.write_text("\n".join(["path,split", *lines]) + "\n")
    catalog = ["--catalog", "ListFile", "--catalog.path", str(lists)]
    page = tmp_path / "pairs.html"
    assert main(["duplicates", f"{made}/i", "--nearest", "20", *catalog, "--out", str(page)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "between training and test: 2 pairs"
    first = {tuple(line.split()[-2:]) for line in out[2:6]}
    assert first == {("train", "film.mp4"), ("test", "cut.mp4"), ("train", "anew.mp4")}
    assert {line.split()[-2] for line in out[6:-1]} <= {"train", "test", "-"}
    assert "Between training and test" in page.read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "INDEX is missing"),
        (["{folder}/v"], "is no index"),
        (["{folder}/i", "--share", "2"], "--share must be"),
        (["{folder}/i", "--distance", "60"], "--distance must be"),
        (["{folder}/i", "--nearest", "0"], "--nearest must be above 0"),
        (["{folder}/i", "--out", "pairs.csv"], "pairs are written as a page, --out pairs.html"),
        (["{folder}/i", "--root", "{folder}/none"], "pass --root DIR"),
        (["{folder}/i", "--catalog", "VideoFolder", "--catalog.root", "{folder}/v"], "has no lists"),
        (["{folder}/i", "--shares", "1"], "--share"),
    ],
)
def test_mistakes_are_one_line(made, capsys, words, said):
    assert main(["duplicates", *(word.format(folder=made) for word in words)]) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert (out, err.count("\n")) == ("", 1)


def test_no_pairs(made, tmp_path, capsys):
    for name in ("other1", "other2", "black1", "black2"):
        shutil.copy(made / f"v/{name}.mp4", tmp_path / f"{name}.mp4")
    indexed(tmp_path, tmp_path / "i")
    capsys.readouterr()
    assert main(["duplicates", f"{tmp_path}/i"]) == 0
    assert capsys.readouterr().out == "no pairs\n"
