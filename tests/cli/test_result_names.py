"""Results: the same question replaces its own answer, another one never does; and which videos are measured is said."""

import json
import shutil

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from test_finetuning import pretrained, root  # noqa: F401

from praxino.catalogs.folder import VideoFolder
from praxino.catalogs.listfile import ListFile
from praxino.cli.line.evaluation import in_words
from praxino.cli.line.naming import LONGEST, result_name, safe
from praxino.cli.main import main
from praxino.encoders.encoder import Encoder
from praxino.evaluations.measured import measured_line

QUICK = ["--workers", "0", "--device", "cpu"]
ALONE = ("--baselines", "false")
HASH = "[0-9a-f]{8}"


def names(run):
    return sorted(path.stem for path in (run / "evaluations").glob("*.json"))


@pytest.fixture
def asked(pretrained, capsys):  # noqa: F811
    """Asks an evaluation of the run, and gives the file's name and what was printed first."""

    def ask(*words, place=pretrained):
        assert main(["evaluate", words[0], str(place), *words[1:], *QUICK]) == 0
        first, *_, last, look = capsys.readouterr().out.splitlines()
        assert look.startswith("to look at it: praxino report ")
        return last.removeprefix("written: ").rpartition("/")[2].removesuffix(".json"), first

    return ask


def test_another_question_never_replaces_an_answer(pretrained, root, asked, tmp_path):  # noqa: F811
    plain, first = asked("retrieval")
    assert plain == "retrieval"
    assert first == f"videos: UCF101, {root}, split 1: gallery train 8, queries test 4"
    answer = (pretrained / "evaluations/retrieval.json").read_bytes()
    # A folder of the same name elsewhere: other videos.
    shutil.copytree(root / "Left", tmp_path / "other/data/Left")
    shutil.copytree(root / "Right", tmp_path / "other/data/Right")
    shutil.copytree(tmp_path / "other/data", tmp_path / "third/data")
    others = [
        ("--k", "1,2"),
        ("--feature", "mean"),
        ("--queries", "train"),
        ("--catalog.split", "2"),
        ("--sampler", "EvenClips", "--sampler.frames", "2", "--sampler.clips", "3"),
        ("--drop_last", "2"),
        ("--baselines", "false"),
        ("--videos", str(tmp_path / "other/data")),
        ("--videos", str(tmp_path / "third/data")),
    ]
    others = [words if "--baselines" in words else (*words, *ALONE) for words in others]
    found = {asked("retrieval", *words)[0]: words for words in others}
    assert len(found) == len(others)
    assert names(pretrained) == sorted(["retrieval", *found])
    assert (pretrained / "evaluations/retrieval.json").read_bytes() == answer
    # The same once more: each answer has its own file still.
    for name, words in list(found.items())[::4]:
        assert asked("retrieval", *words)[0] == name
    assert len(names(pretrained)) == len(others) + 1
    folders = [name for name in found if name.startswith("retrieval-VideoFolder-data-")]
    assert len(folders) == 2
    said = json.loads((pretrained / f"evaluations/{folders[0]}.json").read_text())["settings"]
    assert said["measured on"].startswith("VideoFolder, ")
    assert "VideoFolder" in said["asked otherwise"]


def test_what_is_as_usual_may_be_typed(pretrained, root, asked):  # noqa: F811
    """Also what the encoder says by itself, and the run's own catalog in full; the machine's options are none."""
    usual = ["--feature", "max", "--k", "1,5,10,20,50", "--centred", "true", "--gallery", "train"]
    assert asked("retrieval", *usual)[0] == "retrieval"
    assert asked("retrieval", "--catalog", "UCF101", "--catalog.root", str(root))[0] == "retrieval"
    assert asked("retrieval", "--max_left_out", "0.5")[0] == "retrieval"
    assert asked("retrieval", "--view", "rgb")[0] == "retrieval-rgb"


def test_another_encoder_in_the_runs_folder(pretrained, asked):  # noqa: F811
    encoder = Encoder.load(pretrained)
    encoder.save(pretrained / "other.safetensors")
    assert asked("knn")[0] == "knn"
    assert asked("knn", place=pretrained / "encoder.safetensors")[0] == "knn"
    assert asked("knn", place=pretrained / "other.safetensors")[0] == "knn@other.safetensors"


def test_evaluations_of_ones_own_are_named_as_a_whole(pretrained, asked, tmp_path, monkeypatch):  # noqa: F811
    code = """
from praxino.catalogs import Catalog
from praxino.evaluations import Result, Row

def retrieval(encoder, catalog: Catalog, workers: int = 0, device: str = "cpu"):
    return Result("mine", "Mine", {}, ["1"], [Row("trained", {"1": 1.0})])
"""
    for file in ("first_mine", "second_mine"):
        (tmp_path / f"{file}.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert asked("first_mine.retrieval")[0] == "first_mine.retrieval"
    assert asked("second_mine.retrieval")[0] == "second_mine.retrieval"
    # One of ours by its path is ours.
    assert asked("praxino.evaluations.nearest_neighbours.knn")[0] == "knn"


def test_earlier_names_are_reported(pretrained, asked):  # noqa: F811
    asked("retrieval")
    asked("retrieval", "--k", "1")
    content = (pretrained / "evaluations/retrieval.json").read_text()
    for name in ("retrieval@rgb", "retrieval-rgb-residual"):
        title = f"An earlier {name}"
        (pretrained / f"evaluations/{name}.json").write_text(json.dumps(json.loads(content) | {"title": title}))
    assert main(["report", str(pretrained)]) == 0
    page = (pretrained / "report.html").read_text()
    assert "An earlier retrieval@rgb" in page
    assert "An earlier retrieval-rgb-residual" in page
    assert page.count("Retrieval on UCF101") >= 2


def test_a_typed_catalog_takes_nothing_of_the_runs(pretrained, root, capsys):  # noqa: F811
    recipe = {"catalog": {"class_path": "UCF101", "init_args": {"root": str(root), "split": 2}}}
    (pretrained / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    for command in (["retrieval"], ["finetune"]):
        words = ["evaluate", *command, str(pretrained)]
        assert main([*words, "--catalog", "UCF101"]) == 2
        assert "--catalog.root: missing" in capsys.readouterr().err
        assert main([*words, "--catalog", "VideoFolder"]) == 2
        assert "--catalog.root: missing" in capsys.readouterr().err
    split = {}
    for words in (["--catalog", "UCF101"], []):
        line = ["evaluate", "finetune", str(pretrained), *words, "--catalog.root", str(root), "--print_config"]
        assert main(line) == 0
        split[bool(words)] = yaml.safe_load(capsys.readouterr().out)["catalog"]["init_args"]["split"]
    assert split == {True: 1, False: 2}


def test_a_fine_tuning_says_its_videos_first(pretrained, root, capsys):  # noqa: F811
    more = ["--threads", "1", "--epochs", "1", "--batch_size", "4"]
    assert main(["evaluate", "finetune", str(pretrained), *QUICK, *more]) == 0
    assert capsys.readouterr().out.startswith(f"videos: UCF101, {root}, split 1: train 8, test 4\n")


def test_the_line_of_catalogs(root, tmp_path):  # noqa: F811
    whole = VideoFolder(root)
    assert measured_line(whole, {}) == f"VideoFolder, {root}: all 12 (no lists)"
    assert measured_line(whole, {"part": "all"}) == f"VideoFolder, {root}: all 12 (no lists)"
    videos = [video.id for video in whole]
    (tmp_path / "train.txt").write_text("\n".join(videos[:7]))
    (tmp_path / "test.txt").write_text("\n".join(videos[7:]))
    listed = ListFile(tmp_path / "train.txt", root, tmp_path / "test.txt")
    assert measured_line(listed, {"part": "test"}) == f"ListFile, {root}: test 5"
    assert measured_line(listed, {"gallery": "all"}).endswith(": gallery all 12")


def test_settings_in_words():
    catalog = {
        "class_path": "praxino.catalogs.cut.Cut",
        "init_args": {"seconds": 10.0, "catalog": {"class_path": "a.B"}},
    }
    assert in_words(catalog) == "Cut (seconds 10.0, catalog B)"
    assert in_words({"class_path": "praxino.catalogs.folder.VideoFolder", "init_args": {}}) == "VideoFolder"
    assert in_words([1, None, "x"]) == '[1, null, "x"]'


values = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["a", "b"]), st.just([1, 2]))
questions = st.fixed_dictionaries(
    {"view": st.sampled_from([None, "rgb", "rgb-flow", "a/b", "rgb_flow"]), "k": values, "feature": values},
    optional={"views": st.sampled_from([["rgb", "flow"], ["a_b"]])},
)  # fmt: skip


@given(st.lists(questions, min_size=2, max_size=6), st.sampled_from(["max", "a"]))
def test_names_are_those_of_questions(asked, feature):
    encoder = {"feature": feature}
    plain = {"view": None, "k": None, "feature": None}

    def meant(one):
        return json.dumps({**one, "feature": feature if one["feature"] is None else one["feature"]}, sort_keys=True)

    got = {}
    for one in asked:
        seen = [one["view"]] if one["view"] else one.get("views") or []
        # Both typed is refused by evaluations; the first is what is measured.
        one = {**one, "views": None} if one["view"] else one
        name, _ = result_name("retrieval", "", one, plain, encoder)
        assert safe(name) or name
        assert "/" not in name
        key = json.dumps([seen, {k: v for k, v in json.loads(meant(one)).items() if k not in ("view", "views")}])
        assert got.setdefault(name, key) == key
    assert len(set(got.values())) == len(got)


@given(st.text())
def test_parts_of_a_name_are_safe_on_any_system(word):
    made = safe(word)
    assert len(made) <= LONGEST
    assert not set(made) & set('/\\:*?"<>| \n\0')
    assert not made.startswith(".")
