"""praxino embed into an index, and praxino search: by files, parts, moments and pictures; and one line for mistakes."""

import base64
import io
import json
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from PIL import Image

import praxino
import videos
from praxino.cli.main import main
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.search.queries import query_of_file
from praxino.views.pipeline import View
from toys import ToyBackbone

NAMES = ("a", "b", "long")
TRUST = ["--trust", "toys"]


def encoder(short="repeat", seed=0):
    torch.manual_seed(seed)
    return Encoder(ToyBackbone(), {"seen": View([])}, EvenClips(3, 4, 1, short=short), centred=False).eval()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Videos, an encoder and their index, a clip every 0.4 s."""
    folder = tmp_path_factory.mktemp("search")
    (folder / "v").mkdir()
    for seed, (name, frames) in enumerate(zip(NAMES, (60, 40, 150), strict=True)):
        videos.write(folder / "v" / f"{name}.mp4", frames, size=(24, 32), seed=seed)
    encoder().save(folder / "encoder.safetensors")
    encoder(seed=1).save(folder / "other.safetensors")
    words = ["embed", str(folder / "encoder.safetensors"), "--videos", str(folder / "v"), "--every", "0.4", *TRUST]
    assert main([*words, "--out", f"{folder}/i/", "--workers", "0", "--device", "cpu"]) == 0
    return folder


@pytest.fixture
def folder(made, tmp_path):
    """A copy of them, to be changed."""
    shutil.copytree(made, tmp_path / "own")
    header = tmp_path / "own/i/index.json"
    said = json.loads(header.read_text())
    place = str(tmp_path / "own/encoder.safetensors")
    header.write_text(json.dumps({**said, "root": str(tmp_path / "own/v"), "place": place}))
    return tmp_path / "own"


def searched(capsys, *words):
    """The exit code; the rows that are printed as (rank, similarity, from, to, video); and what is said of mistakes."""
    capsys.readouterr()
    code = main(["search", *map(str, words)])
    out, err = capsys.readouterr()
    rows = [line.split(maxsplit=4) for line in out.splitlines() if re.match(r" *\d+ ", line)]
    return code, [(int(a), float(b), float(c), float(d), e) for a, b, c, d, e in rows], err


def test_embed_says_what_it_did(made, tmp_path, capsys):
    words = ["embed", str(made / "encoder.safetensors"), "--videos", str(made / "v"), *TRUST, "--workers", "0"]
    assert main([*words, "--out", f"{tmp_path}/i/", "--max_left_out", "0"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"{tmp_path}/i/: 9 clips of 3 videos, 6 numbers each"
    assert out[1] == "computed: 3; as before: 0; renamed or touched: 0; gone: 0"
    assert main([*words, "--out", f"{tmp_path}/i/"]) == 0
    assert "computed: 0; as before: 3; renamed or touched: 0; gone: 0" in capsys.readouterr().out
    assert json.loads((tmp_path / "i/index.json").read_text())["place"] == str(made / "encoder.safetensors")
    shutil.copytree(made / "v", tmp_path / "v")
    (tmp_path / "v/broken.mp4").write_bytes(b"no video")
    words[3] = str(tmp_path / "v")
    assert main([*words, "--out", f"{tmp_path}/k/"]) == 0
    said = capsys.readouterr().out.splitlines()[1]
    assert said == "computed: 4; as before: 0; renamed or touched: 0; gone: 0; of these cannot be read: 1"
    words[3] = str(made / "v")
    assert main([*words, "--out", f"{tmp_path}/i/", "--every", "1"]) == 2
    assert "is an index without --every" in capsys.readouterr().err


@pytest.mark.parametrize("typed", ["./encoder.safetensors", ".//encoder.safetensors", "v/../encoder.safetensors"])
def test_an_index_finds_its_encoder_however_it_was_typed(made, tmp_path, monkeypatch, capsys, typed):
    monkeypatch.chdir(made)
    words = ["--videos", "v", "--every", "3", *TRUST, "--workers", "0", "--device", "cpu"]
    assert main(["embed", typed, *words, "--out", f"{tmp_path}/i/"]) == 0
    monkeypatch.chdir(tmp_path)
    code, rows, err = searched(capsys, "i/", made / "v/a.mp4", *TRUST)
    assert (code, err.splitlines()[1:]) == (0, [])
    assert rows


@pytest.mark.parametrize("place", [[], ["built-in"], ["built-in:"]])
def test_an_index_by_the_built_in_encoder_keeps_the_word(made, tmp_path, place):
    words = ["--videos", str(made / "v"), "--every", "3", "--workers", "0", "--device", "cpu"]
    assert main(["embed", *place, *words, "--out", f"{tmp_path}/i/"]) == 0
    said = json.loads((tmp_path / "i/index.json").read_text())
    assert (said["place"], said["view"]) == ("built-in", "joint")
    assert main(["search", f"{tmp_path}/i/", str(made / "v/a.mp4")]) == 0


def test_a_part_of_a_file_finds_itself(made, capsys):
    code, rows, _ = searched(capsys, made / "i", made / "v/long.mp4", "--from", 2, "--to", 2.2, "-k", 3, *TRUST)
    assert code == 0
    assert len(rows) == 3
    assert rows[0] == (1, 1.0, 2.0, 2.12, "long.mp4")
    assert [row[1] for row in rows] == sorted((row[1] for row in rows), reverse=True)


def test_the_rows_are_those_of_python(made, capsys):
    index, one = praxino.open_index(made / "i"), praxino.load_encoder(made / "encoder.safetensors", trust=("toys",))
    query = praxino.search.queries.query_of_file(index, one, made / "v/b.mp4")
    assert len(query) == 6  # 1.6 s, of which the last clip ends at 1.56
    assert len(praxino.search.queries.query_of_file(index, one, made / "v/b.mp4", every=0.4)) == 4
    hits = index.search(query, k=5)
    _, rows, _ = searched(capsys, made / "i", made / "v/b.mp4", "--k", 5, *TRUST)
    assert [(row[0], row[4]) for row in rows] == [(hit.rank, hit.video) for hit in hits]
    assert np.allclose([row[1:4] for row in rows], [(h.similarity, h.start, h.end) for h in hits], atol=0.006)
    by_sampler = index.search(one.embed(made / "v/b.mp4"), k=5)
    assert by_sampler.video[0] == "b.mp4"


def test_several_files_are_one_query(made, capsys):
    _, rows, _ = searched(capsys, made / "i", made / "v/a.mp4", made / "v/b.mp4", "-k", 2, "--by", "video", *TRUST)
    assert {row[4] for row in rows} == {"a.mp4", "b.mp4"}
    assert all(row[1] > 0.9999 for row in rows)


def test_a_moment_of_the_index_needs_no_file(folder, capsys):
    shutil.rmtree(folder / "v")
    (folder / "encoder.safetensors").unlink()
    words = (folder / "i", "--of", "long.mp4", "--from", 2, "--to", 2.1, "-k", 4, "--by", "clip")
    code, rows, _ = searched(capsys, *words)
    assert (code, len(rows)) == (0, 4)
    assert ("long.mp4", 2.0) not in [(row[4], row[2]) for row in rows]


def test_a_picture(made, tmp_path, capsys):
    frame = videos.decoded(made / "v/a.mp4")[20]
    Image.fromarray(frame).save(tmp_path / "one.png")
    code, rows, _ = searched(capsys, made / "i", "--image", tmp_path / "one.png", "-k", 2, *TRUST)
    assert (code, len(rows)) == (0, 2)
    encoder("refuse").save(tmp_path / "moving.safetensors")
    words = ["embed", str(tmp_path / "moving.safetensors"), "--videos", str(made / "v"), *TRUST, "--workers", "0"]
    assert main([*words, "--out", f"{tmp_path}/i/"]) == 0
    code, _, err = searched(capsys, tmp_path / "i", "--image", tmp_path / "one.png", *TRUST)
    assert code == 2
    assert "the encoder's clips need 4 frames" in err


def test_a_page_holds_all_that_it_shows(made, tmp_path, capsys):
    words = (made / "i", made / "v/long.mp4", "--from", 1, "--to", 3, "-k", 4, "--out", tmp_path / "hits.html", *TRUST)
    code, rows, _ = searched(capsys, *words)
    assert code == 0
    page = (tmp_path / "hits.html").read_text()
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)""", page)
    assert "long.mp4, 1 s to 3 s" in page
    cards = re.findall(r'<li class="card".*?</li>', page, flags=re.S)
    assert len(cards) == 4
    for (rank, similarity, start, end, video), card in zip(rows, cards, strict=True):
        assert f'<span class="badge">{rank}</span>' in card
        said = re.search(r"<b>([\d.]+) to ([\d.]+) s</b><span class=\"similarity\">([-\d.]+)<", card).groups()
        assert np.allclose([float(one) for one in said], [start, end, similarity], atol=0.06)
        assert float(said[2]) == pytest.approx(similarity, abs=0.0006)
        assert f"<b>{video}</b>" in card
    # The frames of a hit are those of its moment.
    for (_, _, start, end, video), card in zip(rows, cards, strict=True):
        frames = videos.decoded(made / "v" / video)
        shown = [
            np.asarray(Image.open(io.BytesIO(base64.b64decode(one)))) for one in re.findall(r"base64,([^\"]*)", card)
        ]
        assert 2 <= len(shown) <= 4
        for at, picture in zip(np.linspace(start, end, len(shown)), shown, strict=True):
            small = np.asarray(Image.fromarray(picture).resize((32, 24), Image.Resampling.BOX), float)
            nearest = np.argmin([np.abs(frame - small).mean() for frame in frames])
            assert abs(nearest / 25 - at) < 0.05
    assert searched(capsys, *words)[0] == 0  # a page of ours is replaced


def test_a_page_that_cannot_be(made, folder, tmp_path, capsys):
    query = (folder / "i", "--of", "a.mp4", "--from", 0, "--to", 0.1)
    (tmp_path / "mine.html").write_text("<p>mine")
    for out, said in {
        "hits.csv": "does not end in .html", "none/hits.html": "does not exist", "mine.html": "no report of praxino",
    }.items():  # fmt: skip
        code, _, err = searched(capsys, *query, "--out", tmp_path / out)
        assert code == 2
        assert said in err
    (folder / "v").rename(tmp_path / "moved")
    code, _, err = searched(capsys, *query, "--out", tmp_path / "hits.html")
    assert code == 2
    assert "pass --root DIR" in err
    assert not (tmp_path / "hits.html").exists()
    assert searched(capsys, *query, "--out", tmp_path / "hits.html", "--root", tmp_path / "moved")[0] == 0
    (tmp_path / "moved/b.mp4").unlink()
    assert searched(capsys, *query, "-k", 99, "--out", tmp_path / "hits.html", "--root", tmp_path / "moved")[0] == 0
    assert "no picture: there is no such file" in (tmp_path / "hits.html").read_text()


def test_a_moved_encoder(folder, tmp_path, capsys):
    query = (folder / "i", folder / "v/a.mp4", *TRUST)
    (folder / "encoder.safetensors").rename(tmp_path / "moved.safetensors")
    (folder / "encoder.json").rename(tmp_path / "moved.json")
    code, _, err = searched(capsys, *query)
    assert code == 2
    assert "if it was moved, pass --encoder RUN" in err
    assert searched(capsys, *query, "--encoder", tmp_path / "moved.safetensors")[0] == 0
    code, _, err = searched(capsys, *query, "--encoder", folder / "other.safetensors")
    assert code == 2
    assert "their checksums differ" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing is asked for"),
        (["{v}/a.mp4", "--of", "a.mp4"], "--of and QUERY.mp4: give one of them"),
        (["--of", "z.mp4"], "has no video 'z.mp4'"),
        (["--of", "a.mp4", "--from", "50"], "has no clip there"),
        (["--of", "a.mp4", "--every", "2"], "--every is of a file that is read"),
        (["{v}/none.mp4"], "none.mp4: there is no such file"),
        (["{v}/../encoder.json"], "it is a text file, not a video"),
        (["{v}/a.mp4", "--from", "50"], "the file ends before"),
        (["{v}/a.mp4", "--from", "2", "--to", "1"], "--to 1 is not after --from 2"),
        (["{v}/a.mp4", "--from", "-1"], "--from must be 0 or more"),
        (["{v}/a.mp4", "--from", "x"], "--from takes seconds, such as 3.2, not 'x'"),
        (["{v}/a.mp4", "--every", "0"], "--every must be above 0"),
        (["{v}/a.mp4", "--sequence", "--every", "0"], "--every must be above 0"),
        (["--of", "a.mp4", "--encoder", "e"], "leave out --encoder"),
        (["--of", "a.mp4", "--device", "cpu"], "leave out --device"),
        (["{v}/a.mp4", "-k", "0"], "-k must be 1 or more"),
        (["{v}/a.mp4", "-k", "many"], "-k takes a whole number"),
        (["{v}/a.mp4", "--by", "clips"], "Did you mean 'clip'"),
        (["{v}/a.mp4", "--device", "gpu"], "--device: there is no 'gpu'"),
        (["{v}/a.mp4", "--tow", "3"], "--tow: no such option"),
        (["--image", "{v}/a.mp4"], "is no picture by its name"),
        (["--image", "{v}/none.png"], "there is no file"),
    ],
)
def test_mistakes_are_one_line(made, capsys, words, said):
    code, rows, err = searched(capsys, made / "i", *(word.format(v=made / "v") for word in words), *TRUST)
    assert (code, rows) == (2, [])
    assert said in err
    assert err.count("\n") == 1


def test_interrupted_embed_goes_on(made, tmp_path):
    """Ctrl-C in the middle: one line that says so, and the same command goes on."""
    (tmp_path / "v").mkdir()
    for k in range(3):
        videos.write(tmp_path / f"v/{k}.mp4", 400, size=(24, 32), seed=k)
    place = str(made / "encoder.safetensors")
    words = ["embed", place, "--videos", f"{tmp_path}/v", "--every", "0.04", *TRUST, "--out", f"{tmp_path}/i/"]
    code = f"import sys; sys.path.insert(0, {str(videos.__file__.rpartition('/')[0])!r})\n"
    # Who starts the tests in the background may have interrupts ignored, and that is handed down.
    code += "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code += "import praxino.search.plan as plan; plan.PART_VIDEOS = 1\n"
    code += "import praxino.search.building as b; keep = b.Building._keep\n"
    code += "def slow(*a):\n    keep(*a); print('part', flush=True); import time; time.sleep(30)\n"
    code += "b.Building._keep = slow\nfrom praxino.cli.main import main; sys.exit(main(sys.argv[1:]))"
    with subprocess.Popen(
        [sys.executable, "-c", code, *words, "--workers", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "part\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said = process.communicate()[1]
    assert process.returncode == 130
    assert f"{tmp_path}/i/ keeps what is done; the same command goes on" in said
    assert main([*words, "--workers", "0"]) == 0
    index = praxino.open_index(tmp_path / "i")
    assert len(index.records) == 3


def test_without_a_run_the_built_in_encoder_and_all_its_views(made, tmp_path, capsys):
    out = f"{tmp_path / 'vectors'}/"
    assert main(["embed", "--videos", str(made / "v"), "--out", out, "--workers", "0"]) == 0
    index, query = praxino.open_index(out), made / "v/a.mp4"
    assert index.header.view == "joint"
    wanted = praxino.load_encoder().embed(query, view="joint")
    assert np.allclose(query_of_file(index, praxino.load_encoder(), query), wanted, atol=1e-5)
    code, rows, _ = searched(capsys, out, query, "-k", "1", "--by", "video")
    assert (code, rows[0][4]) == (0, "a.mp4")


def test_rendered_videos_are_found_and_shown(tmp_path, capsys):
    out = f"{tmp_path / 'vectors'}/"
    words = ["--catalog", "Rendered", "--catalog.videos", "3", "--catalog.frames", "20", "--workers", "0"]
    assert main(["embed", *words, "--out", out]) == 0
    page = tmp_path / "hits.html"
    code, rows, err = searched(capsys, out, "rendered:0/1/20", "-k", "1", "--by", "video", "--out", page)
    assert (code, rows[0][4]) == (0, "rendered-0-1"), err
    assert "data:image/" in page.read_text()
