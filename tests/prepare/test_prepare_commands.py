"""`praxino prepare` as it is typed: what it says, and what it refuses."""

import pytest
from prepared import folder_of

from praxino.cli.main import main


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return folder_of(tmp_path_factory.mktemp("source") / "videos")


def said(capsys, *words, code=0):
    assert main(["prepare", *map(str, words)]) == code
    out, wrong = capsys.readouterr()
    return (out if code == 0 else wrong).splitlines()


def test_what_it_says(source, tmp_path, capsys):
    pytest.importorskip("cv2")
    lines = said(capsys, "flow", "--videos", source[0], "--out", tmp_path, "--provider.bound", 5, "--workers", 1)
    assert lines[0] == f"videos: VideoFolder, {source[0]}: all 4 (no lists)"
    assert lines[1] == f"failed: {source[1]}: it is a text file, not a video"
    assert lines[2].startswith(f"{tmp_path}/flow: 3 videos, 40 frames, ")
    assert lines[2].endswith(" s; 1 failed: the same line tries them again")
    assert lines[3:] == [f"to read them: --streams.flow FlowFolder --streams.flow.root {tmp_path}/flow"]
    lines = said(capsys, "flow", "--videos", source[0], "--out", tmp_path, "--provider.bound", 5)
    assert "3 videos, 3 of them made before, 40 frames" in lines[2]
    (line,) = said(capsys, "flow", "--videos", source[0], "--out", tmp_path, code=2)
    assert line.endswith("flow was made otherwise (provider.bound 5.0 there, 20.0 now): pass another --out")


def test_maps_and_what_was_found(source, tmp_path, capsys):
    words = ("--videos", source[0], "--out", tmp_path / "my views", "--workers", 0)
    lines = said(capsys, "segmentation", *words, "--provider", "prepared.Halves", "--provider.channels", 1)
    assert lines[2] == "21 of 40 frames show what was looked for"
    root = f"'{tmp_path}/my views/segmentation'"
    assert lines[-1] == f"to read them: --streams.segmentation Masks --streams.segmentation.root {root}"
    words = (*words, "--provider", "prepared.Means", "--provider.channels", 17, "--canvas.short_side", 12)
    lines = said(capsys, "keypoints", *words)
    assert "--streams.keypoints HeatMaps" in lines[-1]


def test_another_layout_is_read_with_it(source, tmp_path, capsys):
    words = ("--videos", source[0], "--out", tmp_path, "--provider", "prepared.Means", "--layout", "dense_flow")
    lines = said(capsys, "flow", *words)
    assert lines[-1].endswith("--streams.flow.layout dense_flow")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), "flow|segmentation|keypoints|persons is missing"),
        (("flo",), "there is no view 'flo' to prepare. Did you mean 'flow'?"),
        (("flow", "--out", "x"), "--catalog: missing; pass --videos DIR, or --catalog, one of"),
        (("keypoints", "--videos", "{}", "--out", "x"), "BlazePoseKeypoints needs the file with its weights"),
        (("persons", "--videos", "{}", "--out", "x"), "persons needs the file with BlazePose's weights, --weights"),
        (("segmentation", "--videos", "{}", "--out", "x"), "found without (--provider Foreground)"),
        (("flow", "--videos", "{}", "--out", "x", "--quality", "0"), "--quality must be from 1 to 100, not 0"),
        (("flow", "--videos", "{}", "--out", "x", "--workers", "-1"), "--workers: must be 0 or more, not -1"),
        (("flow", "--videos", "{}", "--out", "x", "--layout", "two"), "--layout: takes"),
        (("flow", "--videos", "{}", "--out", "x", "--provider", "Farnback"), "Did you mean 'FarnebackFlow'?"),
        (("flow", "--videos", "{}", "--out", "x", "--provider.bund", "3"), "Did you mean 'bound'?"),
        (("flow", "--videos", "{}", "--out", "{}/a/v0.mp4"), "is a file, and a folder is needed there"),
    ],
)
def test_mistakes_are_a_line(source, tmp_path, capsys, monkeypatch, words, line):
    monkeypatch.chdir(tmp_path)
    (found,) = said(capsys, *(word.replace("{}", str(source[0])) for word in words), code=2)
    assert line in found
    assert not list(tmp_path.iterdir())


def test_without_any_that_can_be_read(tmp_path, capsys):
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos/a.mp4").write_text("no video")
    words = ("--videos", tmp_path / "videos", "--out", tmp_path, "--provider", "prepared.Means", "--workers", 0)
    (line,) = said(capsys, "flow", *words, code=2)
    assert line.startswith("praxino: nothing can be made of 1 video (a.mp4: ")


def test_what_made_nothing_binds_nobody(source, tmp_path, capsys):
    """A first try without the weights, then another provider; and once something is there, one line of what differs."""
    pytest.importorskip("cv2")
    words = ("segmentation", "--videos", source[0], "--out", tmp_path, "--workers", 0)
    (line,) = said(capsys, *words, "--provider.weights", "no.whl", code=2)
    assert "no.whl is not the file with BlazePose's weights: there is no such file" in line
    assert "3 videos, 43 frames" in said(capsys, *words, "--provider", "Foreground")[-2]
    (line,) = said(capsys, *words, "--provider.weights", "no.whl", code=2)
    classes = '(provider "praxino.streams.foreground.Foreground" there, "praxino.streams.blazepose.BlazePoseMask" now)'
    assert classes in line


def test_help(capsys):
    assert "praxino prepare" in "\n".join(said(capsys, "--help"))
    text = "\n".join(said(capsys, "flow", "--help"))
    assert "(default: DISFlow)" in text
    assert "FarnebackFlow" in text
    assert "--provider.bound <a number>" in "\n".join(said(capsys, "flow", "--provider.help", "TVL1Flow"))
    assert "(default: BlazePoseKeypoints)" in "\n".join(said(capsys, "keypoints", "--help"))
