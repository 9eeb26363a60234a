"""What no one means: YAML that is none, numbers out of range, descriptions of encoders that name anything. One line."""

import json
import os
from contextlib import suppress

import pytest
import torch
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_finetuning import pretrained, root  # noqa: F401
from test_mistakes import one_line, recipe  # noqa: F401

import videos
from praxino.cli.main import main
from praxino.configuration.documents import DEEPEST, parsed
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError, check_numbers, check_within

QUICK = ["--workers", "0", "--device", "cpu"]
LAUGHS = "a: &a [1, 2, 3]\n" + "".join(
    f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefghi", "bcdefghij", strict=True)
)
YAML = [
    ("seed: 2020-13-45", "line 1: not valid YAML: '2020-13-45' is no timestamp"),
    ("batch_size: 4\nseed: !!int abc", "line 2: not valid YAML: 'abc' is no int"),
    ("seed: !!float x", "is no float"),
    ("seed: !!bool perhaps", "is no bool"),
    ("seed: !!timestamp soon", "is no timestamp"),
    ("seed: !!int ''", "is no int"),
    ("[" * 500 + "]" * 500, f"nested more than {DEEPEST} deep"),
    ("a: " + "{b: " * 500 + "1" + "}" * 500, f"nested more than {DEEPEST} deep"),
    ("seed: &x [*x]", "its aliases make more than"),
    (LAUGHS, "its aliases make more than"),
    ("method: {class_path: .}", "'.' is no path of a class"),
    ("method: {class_path: ..}", "is no path of a class"),
    ("method: {class_path: .x}", "is no path of a class"),
    ("method: {class_path: x.}", "is no path of a class"),
    ("method: {class_path: 'a b.c'}", "is no path of a class"),
    ("method: {class_path: 5}", "class_path is a name"),
    ("method: {class_path: SimCLR, init_args: 5}", "init_args a mapping"),
    ("seed: -1", "seed: must be 0 or more, not -1"),
    ("seed: 99999999999999999999", "seed: must be from 0 to"),
    ("max_left_out: .nan", "max_left_out: must be from 0 to 1"),
    ("devices: 0", "devices: must be above 0, not 0"),
    ("out: ''", "out: takes a path, not ''"),
    ('out: "a\\0b"', "out: takes a path"),
]


@pytest.mark.parametrize(("text", "said"), YAML, ids=lambda text: text[:24])
def test_recipes(tmp_path, capsys, text, said):
    path = tmp_path / "odd.yaml"
    path.write_text(text + "\n")
    line = one_line(capsys, ["pretrain", str(path), "--print_config"])
    assert said in line
    assert len(line) < 400
    one_line(capsys, ["pretrain", str(path)])
    # Of a run's folder, too.
    (tmp_path / "run").mkdir()
    (tmp_path / "run/recipe.yaml").write_text(text + "\n")
    one_line(capsys, ["resume", str(tmp_path / "run")])


@pytest.mark.parametrize("width", ["-1", "-1000000000000"])
def test_constructors_that_fail(recipe, capsys, width):  # noqa: F811
    words = ["--method.backbone", "R3D", "--method.backbone.width", width]
    assert "method.backbone: R3D refuses its arguments: " in one_line(capsys, ["pretrain", str(recipe), *words])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(st.text(st.sampled_from("[]{}:,-&*!?|>'\"#% \n0a1~<=.tx\\"), max_size=40))
def test_any_text_is_data_or_one_line(text):
    with suppress(UserError):
        parsed(text, "recipe.yaml")


NUMBERS = [
    ("--max_left_out -1", "must be from 0 to 1, not -1.0"),
    ("--max_left_out 7", "must be from 0 to 1, not 7.0"),
    ("--max_left_out .nan", "must be from 0 to 1, not nan"),
    ("--workers -1", "must be 0 or more, not -1"),
]
TRAINED = [("--seed -1", "must be 0 or more, not -1"), ("--devices 0", "must be above 0, not 0"),
           ("--devices -3", "must be above 0, not -3"), ("--out=", "takes a path, not ''"),
           ("--batch_size 0", "must be above 0, not 0"), ("--clip_norm .nan", "must be above 0, not nan")]  # fmt: skip


@pytest.mark.parametrize(("words", "said"), [*NUMBERS, *TRAINED])
def test_numbers_of_trainings(recipe, pretrained, capsys, words, said):  # noqa: F811
    for command in (["pretrain", str(recipe)], ["evaluate", "finetune", str(pretrained)]):
        line = one_line(capsys, [*command, *words.split()])
        assert line == f"praxino: {words.replace('=', ' ').split()[0]}: {said}\n" or words == "--out="
        assert said in line


@pytest.mark.parametrize(("words", "said"), NUMBERS)
def test_numbers_of_everything_else(pretrained, root, capsys, words, said):  # noqa: F811
    run, given = str(pretrained), words.split()
    for name in ("retrieval", "knn", "instance", "linear", "recognition"):
        assert said in one_line(capsys, ["evaluate", name, run, *given])
    assert said in one_line(capsys, ["embed", run, "--videos", str(root), "--out", "v.npz", *given])
    assert not (pretrained / "evaluations").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("evaluate retrieval RUN --k 0", "--k: must be above 0"),
        ("evaluate retrieval RUN --k 1,-5", "--k: must be above 0, not -5"),
        ("evaluate retrieval RUN --k []", "--k: needs at least one number"),
        ("evaluate retrieval RUN --drop_last 0", "--drop_last: must be above 0"),
        ("evaluate knn RUN --k 0", "--k: must be above 0"),
        ("evaluate knn RUN --temperature 0", "--temperature: must be above 0"),
        ("evaluate linear RUN --seed -1", "--seed: must be 0 or more"),
        ("evaluate linear RUN --draws 0", "--draws: must be above 0"),
        ("evaluate linear RUN --labels_per_class 0,1", "--labels_per_class: must be above 0"),
        ("evaluate . RUN", "'.' is no path of a class"),
        ("evaluate os.sep RUN", "os.sep is no function"),
        ("evaluate os.path.exists RUN", "os.path.exists takes no argument 'catalog'"),
        ("embed RUN --videos DATA --out=", "--out: takes a path"),
        ("embed RUN --videos= --out v.npz", "--videos: takes a path"),
        ("demo --seed -1", "--seed: must be 0 or more"),
        ("demo --out=", "--out: takes a path"),
        ("demo --steps 0", "--steps: must be above 0"),
    ],
)
def test_numbers_of_one_command(pretrained, root, capsys, words, said):  # noqa: F811
    places = {"RUN": str(pretrained), "DATA": str(root)}
    assert said in one_line(capsys, [places.get(word, word) for word in words.split()])


def test_numbers_of_a_recipe_as_run(pretrained, root, tmp_path, capsys):  # noqa: F811
    """A run's recipe that has been edited is refused where it is gone on with."""
    line = ["evaluate", "finetune", str(pretrained), "--print_config"]
    assert main(line) == 0
    config = yaml.safe_load(capsys.readouterr().out)
    (tmp_path / "edited").mkdir()
    for name, value in (("devices", 0), ("seed", -1), ("max_left_out", 7), ("workers", -1)):
        (tmp_path / "edited/recipe.yaml").write_text(yaml.safe_dump({**config, name: value}))
        assert f"{name}: must be" in one_line(capsys, ["resume", str(tmp_path / "edited")])


def test_checks():
    check_numbers(a=None, b=1)
    check_within(0, 1, a=0, b=1, c=None)
    check_within(0, a=10**30)
    for wrong in (-1e-9, 1.1, float("nan")):
        with pytest.raises(UserError, match=r"^--share must be from 0 to 1, not "):
            check_within(0, 1, share=wrong)
    with pytest.raises(UserError, match="above 0"):
        check_numbers(a=float("nan"))


def changed(description, place, value):
    node = description
    *above, last = place.split(".")
    for word in above:
        node = node[word]
    node[last] = value


ENCODERS = [
    ("views", "x"), ("views", {}), ("views", {"rgb": "x"}), ("views", None), ("views.rgb.class_path", 5),
    ("views.rgb.class_path", "."), ("views.rgb.class_path", "praxino..View"), ("views.rgb.init_args", 5),
    ("views.rgb.init_args.operations", "x"), ("backbone", "x"), ("backbone", 5), ("backbone.class_path", 5),
    ("backbone.class_path", None), ("backbone.class_path", "praxino.streams.base.Canvas"), ("backbone.init_args", []),
    ("backbone.init_args.width", -1), ("backbone.init_args.width", "x"), ("backbone.init_args.width", 0),
    ("backbone.init_args.width", 1e400), ("backbone.init_args.layers", []), ("backbone.init_args.more", 1),
    ("sampler", {}), ("sampler", None), ("sampler.init_args.frames", -1),
    ("sampler.init_args.frames", 10**30), ("canvas", "x"), ("canvas", {"rgb": 3}),
    ("feature", "best"), ("feature", 5), ("streams", ["x"]), ("reestimate_batchnorm", "yes"), ("centred", 1),
    ("classes", "ab"), ("classes", [1, 2]), ("classes", 3), ("head", "x"), ("record", "x"), ("record", None),
    ("more", 1),
]  # fmt: skip


@pytest.mark.parametrize(("place", "value"), ENCODERS, ids=lambda part: str(part)[:20])
def test_descriptions_of_encoders(pretrained, root, capsys, place, value):  # noqa: F811
    file = pretrained / "encoder.json"
    said = json.loads(file.read_text())
    changed(said, place, value)
    file.write_text(json.dumps(said))
    with pytest.raises(UserError, match=r"encoder\.(json|safetensors)"):
        Encoder.load(pretrained)
    line = one_line(capsys, ["embed", str(pretrained), "--videos", str(root), "--out", str(pretrained / "v.npz")])
    assert len(line) < 600


@pytest.mark.parametrize("text", ["", "3", "[]", "{", "[" * 100_000, "\xff", "{}", '{"record": {}}', "1" * 5000])
def test_descriptions_that_are_none(pretrained, root, capsys, text):  # noqa: F811
    (pretrained / "encoder.json").write_bytes(text.encode("latin-1"))
    one_line(capsys, ["embed", str(pretrained), "--videos", str(root), "--out", str(pretrained / "v.npz")])


@pytest.mark.parametrize(("name", "said"), [("safetensors", "is no regular file"), ("json", "is missing")])
def test_a_pipe_is_no_encoder(pretrained, name, said):  # noqa: F811
    (pretrained / f"encoder.{name}").unlink()
    os.mkfifo(pretrained / f"encoder.{name}")
    with pytest.raises(UserError, match=said):
        Encoder.load(pretrained)


def test_descriptions_as_written_are_read(pretrained):  # noqa: F811
    """With all kinds of parts, and those of a fine-tuned encoder."""
    from praxino.streams.base import Canvas
    from praxino.streams.flow import DISFlow

    encoder = Encoder.load(pretrained)
    encoder.canvas, encoder.streams = {"rgb": Canvas(exact=(3, 4))}, {"flow_u": DISFlow()}
    full = Encoder(encoder.backbone, encoder.views, encoder.sampler, encoder.canvas, "mean", encoder.streams, False,
                   False, ("a", "b"), record={"method": {"class_path": "not.built", "init_args": {}}})  # fmt: skip
    full.save(pretrained / "full.safetensors")
    again = Encoder.load(pretrained / "full.safetensors")
    assert again.description() == full.description()
    assert all(torch.equal(a, b) for a, b in zip(again._state().values(), full._state().values(), strict=True))


def test_metrics_without_numbers_are_reported(pretrained, capsys):  # noqa: F811
    lines = ['{"kind": "step", "step": 1, "epoch": 1, "total": 1.5, "seconds": NaN}',
             '{"kind": "step", "step": 2, "epoch": 1, "total": Infinity, "seconds": -Infinity}',
             '{"kind": "step", "step": 1' + "0" * 400 + ', "total": 1}',
             '{"kind": "step", "step": 3, "total": 1' + "0" * 400 + ', "seconds": 1' + "0" * 400 + "}",
             '{"kind": "epoch", "step": 3, "epoch": 1' + "0" * 400 + ', "validation/total": NaN, "seconds": NaN}',
             '{"kind": "epoch", "step": 3, "epoch": NaN, "seconds": "x", "total": [1]}']  # fmt: skip
    (pretrained / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    assert main(["report", str(pretrained)]) == 0
    assert capsys.readouterr().err == ""
    assert "metrics.jsonl cannot be read" in (pretrained / "report.html").read_text()


def test_threads_of_commands_that_train_nothing(pretrained, tmp_path, capsys, monkeypatch):  # noqa: F811
    videos.write(tmp_path / "v.mp4", 20, size=(24, 32))
    used = []
    monkeypatch.setattr("torch.set_num_threads", used.append)
    words = ["embed", str(pretrained), "--videos", str(tmp_path), "--out", str(tmp_path / "v.npz"), "--workers", "0"]
    assert main([*words, "--threads", "3"]) in (None, 0)
    assert used == [3]
    capsys.readouterr()
    for wrong in ("0", "two", "-1", "99999999999", "²"):
        line = one_line(capsys, [*words, "--threads", wrong])
        assert f"--threads takes a number of 1 or more, not '{wrong}'" in line
