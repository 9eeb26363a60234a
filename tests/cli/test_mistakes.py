"""Every mistake is one line that names the option and the nearest valid one, and ends with 2."""

from __future__ import annotations

import errno

import pytest

from praxino.cli.main import main

RECIPE = """\
# A recipe of toys.
out: {out}
catalog: toys.ToyCatalog
streams: {{rgb: toys.ToyStream}}
sampler: toys.ToySampler
method:
  class_path: SimCLR
  init_args:
    dim: 5
    backbone:
      class_path: toys.ToyBackbone
    view:
      operations: [toys.Noise]
stages:
  - optimizer: {{class_path: AdamW, init_args: {{lr: 1e-2}}}}
    steps: 4
evaluation:
  views: {{rgb: {{operations: []}}}}
  sampler: {{class_path: toys.ToySampler, init_args: {{clips: 3}}}}
  streams: {{rgb: toys.ToyStream}}
batch_size: 4
workers: 0
threads: 1
device: cpu
"""


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    path = tmp_path / "toy.yaml"
    path.write_text(RECIPE.format(out=tmp_path / "run"))
    monkeypatch.chdir(tmp_path)
    return path


def one_line(capsys, argv):
    assert main(argv) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("praxino: ")
    assert printed.err.count("\n") == 1
    return printed.err


COMMAND_LINES = [
    ("--epoch 3", "--epoch: no such option", "'--epochs'"),
    ("--batchsize 3", "--batchsize: no such option", "'--batch_size'"),
    ("--batch 3", "--batch: no such option", "'--batch_size'"),
    ("--out", "--out needs a value"),
    ("--seed --workers 2", "--seed needs a value"),
    ("--seed 1 --seed 2", "--seed is given twice"),
    ("-seed 1", "-seed: options begin with two dashes"),
    ("again", "one word too many: 'again'"),
    ("--batch_size three", "--batch_size: takes a whole number, not 'three'"),
    ("--batch_size 2.5", "--batch_size: takes a whole number, not '2.5'"),
    ("--precision fp64", "--precision: takes one of auto, fp32, bf16, fp16, not 'fp64'"),
    ("--drop_last maybe", "--drop_last: takes true or false, not 'maybe'"),
    ("--clip_norm big", "--clip_norm: takes a number, or null for none, not 'big'"),
    ("--method SimCRL", "--method: there is no Method called 'SimCRL'", "'SimCLR'"),
    ("--method.backbone R3d", "--method.backbone: there is no Backbone called 'R3d'", "'R3D'"),
    ("--method.backbone toys.ToyBackbon", "--method.backbone: toys has no 'ToyBackbon'", "'ToyBackbone'"),
    ("--method.backbone nowhere.Net", "--method.backbone: there is no module 'nowhere'"),
    ("--method.backbone toys.ToySampler", "--method.backbone: toys.ToySampler is not a Backbone"),
    ("--method.tempreature 1", "--method.tempreature: SimCLR takes no argument", "'temperature'"),
    ("--method.temperature hot", "--method.temperature: takes a number, not 'hot'"),
    ("--method.backbone.dimm 3", "--method.backbone.dimm: ToyBackbone takes no argument 'dimm'", "'dim'"),
    ("--method.backbone.dim x", "--method.backbone.dim: takes a whole number, not 'x'"),
    ("--method.view.operations.1 Flip", "--method.view.operations.1: there is no item 1"),
    ("--method.view.operations.0 Nois", "--method.view.operations.0: there is no Operation called 'Nois'"),
    ("--stages.0.optimizer AdamV", "--stages.0.optimizer: there is no Optimizer called 'AdamV'", "'Adam'"),
    ("--stages.0.optimizer.lrr 1", "--stages.0.optimizer.lrr: AdamW takes no argument 'lrr'", "'lr'"),
    ("--stages.0.schedule Cosin", "--stages.0.schedule: there is no Schedule called 'Cosin'", "'Cosine'"),
    ("--stages.0.schedule Step", "--stages.0.schedule.milestones: missing; Step needs a list of whole numbers"),
    ("--stages 3", "--stages: takes a list of Stage, not '3'"),
    ("--stages [3", "--stages", "not valid YAML"),
    ("--canvas.rgb.shortside 3", "--canvas.rgb.shortside: Canvas takes no argument", "'short_side'"),
    ("--canvas.rgb.exact 1,2,3", "--canvas.rgb.exact: takes a list of 2 whole numbers, or null for none"),
    ("--catalog UFC101", "--catalog: there is no Catalog called 'UFC101'", "'UCF101'"),
    ("--catalog ListFile", "--catalog.path: missing; ListFile needs a text"),
    ("--videos a --catalog UCF101", "--videos is --catalog VideoFolder"),
    ("--epochs 2 --steps 3", "give one of the two"),
    ("--epochs many", "--epochs: takes a whole number, or null for none, not 'many'"),
    ("--steps -1", "at least one epoch or step"),
    ("--videos no_such_folder", "no_such_folder"),
    ("--sampler EvenClips --sampler.frames 0", "frames"),
]


@pytest.mark.parametrize("line", COMMAND_LINES, ids=lambda line: line[0])
def test_on_the_command_line(recipe, capsys, line):
    argv, *fragments = line
    said = one_line(capsys, ["pretrain", str(recipe), *argv.split()])
    for fragment in fragments:
        assert fragment in said


YAML = [
    ("batch_size: 4", "batch_sise: 4", "line 21: batch_sise: no such argument", "'batch_size'"),
    ("batch_size: 4", "batch_size: four", "line 21: batch_size: takes a whole number, not 'four'"),
    ("batch_size: 4", "batch_size: 4\nseed: 1\nbatch_size: 5", "line 23: not valid YAML: 'batch_size' stands twice"),
    ("batch_size: 4", "batch_size: [4", "not valid YAML"),
    ("batch_size: 4", "seed: 1", None),
    ("    dim: 5", "    dimm: 5", "line 9: method.dimm: SimCLR takes no argument 'dimm'", "'dim'"),
    ("class_path: SimCLR", "class_path: SimClr", "line 6: method: there is no Method called 'SimClr'", "'SimCLR'"),
    ("class_path: SimCLR", "clas_path: SimCLR", "line 6: method: needs class_path, one of ", "SimCLR"),
    ("toys.Noise", "Noise", "line 13: method.view.operations.0: there is no Operation called 'Noise'"),
    ("    dim: 5", "    temperature: hot", "line 9: method.temperature: takes a number, not 'hot'"),
    ("    steps: 4", "    step: 4", "line 16: stages.0.step: Stage takes no argument 'step'", "'steps'"),
    ("lr: 1e-2", "lr: quick", "line 15: stages.0.optimizer.lr: takes a number, not 'quick'"),
    ("    view:\n      operations: [toys.Noise]\n", "", "--method.view: missing; SimCLR needs View"),
    ("    view:\n", "    view:\n      strem: rgb\n", "line 13: method.view.strem: View takes no argument", "'stream'"),
    ("class_path: SimCLR", "class_path: SimCLR\n  dims: 3", "beside class_path there is only init_args"),
    ("sampler: toys.ToySampler", "sampler: 3", "line 5: sampler: takes Sampler (BlockClip, ", "RandomClip, "),
    ("catalog: toys.ToyCatalog\n", "", "--catalog: missing", "--videos DIR"),
    ("# A recipe of toys.", "- a\n- b", "not valid YAML"),
]


@pytest.mark.parametrize("case", YAML, ids=lambda case: case[1].strip()[:30])
def test_in_the_recipe(recipe, capsys, case):
    right, wrong, *fragments = case
    assert right in recipe.read_text()
    recipe.write_text(recipe.read_text().replace(right, wrong))
    if fragments == [None]:
        assert main(["pretrain", str(recipe), "--print_config"]) == 0
        return
    said = one_line(capsys, ["pretrain", str(recipe)])
    for fragment in fragments:
        assert fragment in said


@pytest.mark.parametrize(
    "argv, fragment",
    [
        (["pretrian"], "there is no command 'pretrian'. Did you mean 'pretrain' or 'prepare'?"),
        (["--verison"], "there is no command '--verison'"),
        (["pretrain"], "RECIPE is missing: 'praxino recipes' lists"),
        (["pretrain", "simclr_smal"], "Did you mean 'simclr_small'"),
        (["pretrain", "mine.yaml"], "there is no recipe file mine.yaml"),
        (["resume"], "RUN is missing"),
        (["resume", "nothing"], "holds no run"),
        (["resume", "nothing", "--epochs", "3"], "--epochs: no such option"),
        (["evaluate"], "EVALUATION is missing"),
        (["evaluate", "--threads", "2", "finetune", "not/there"], "no not/there: give a run's folder"),
        (["evaluate", "--scratch", "--threads=2", "finetune", "not/there"], "no not/there: give a run's folder"),
        (["evaluate", "--out", "x", "ensemble", "a", "b"], "no folder a"),
        (["evaluate", "--recipe", "linear_tclr", "linear", "not/there"], "no not/there: give a run's folder"),
        (["evaluate", "--recipe", "linear_tclr"], "EVALUATION is missing"),
        (["evaluate", "retreival", "run"], "Did you mean 'retrieval'"),
        (["evaluate", "nowhere.score", "run"], "there is no module 'nowhere'"),
        (["evaluate", "retrieval", "not/there"], "no not/there: give a run's folder, an encoder file, or built-in"),
        (["evaluate", "finetune", "not/there"], "no not/there: give a run's folder, an encoder file, or built-in"),
        (["embed"], "--catalog: missing; pass --videos DIR, or --catalog, one of Cut, "),
        (["embed", "--out", "v/"], "--catalog: missing; pass --videos DIR, or --catalog, one of Cut, "),
        (["embed", "--videos", "."], "--out: missing; pass --out vectors.npz, or --out vectors/ for an index"),
        (["embed", "--videos", ".", "--out", "no/v.npz"], "no does not exist: make it, or pass another --out"),
        (["embed", "--videos", ".", "--out", "."], "vectors.npz, or --out ./ for an index"),
        (["embed", "--videos", "no", "--out", "v.npz"], "there is no folder"),
        (["embed", "--videos", "no", "--out", "v/"], "there is no folder"),
        (["embed", "--videos", ".", "--out", "v.npz", "--every", "0"], "--every: must be above 0, not 0.0"),
        (["embed", "--videos", ".", "--out", "v/", "--every", "1e999"], "--every: must be a finite number, not inf"),
        (["evaluate", "retrieval", "built-in"], "--catalog: missing; pass --videos DIR, or --catalog, one of Cut, "),
        (["embed", "nothing", "--videos", "."], "--out: missing"),
        (["embed", "nothing", "--video", ".", "--out", "v.npz"], "'--videos'"),
        (["report", "run", "--outt", "x"], "--outt: no such option"),
        (["recipes", "all"], "one word too many: 'all'"),
    ],
)
def test_commands(tmp_path, monkeypatch, capsys, argv, fragment):
    monkeypatch.chdir(tmp_path)
    assert fragment in one_line(capsys, argv)


@pytest.mark.parametrize(
    "text, fragment", [("3", "a recipe is a mapping"), ("a: [", "line 2"), ("\x00", "not valid YAML")]
)
def test_unreadable_recipes(tmp_path, capsys, text, fragment):
    path = tmp_path / "broken.yaml"
    path.write_text(text + "\n")
    said = one_line(capsys, ["pretrain", str(path)])
    assert fragment in said
    assert str(path) in said


def test_a_bug_keeps_its_traceback(monkeypatch):
    import praxino.cli.recipes

    monkeypatch.setattr(praxino.cli.recipes, "run", lambda argv: [][0])
    with pytest.raises(IndexError):
        main(["recipes"])


def test_a_path_that_may_not_be_looked_at_is_a_line(monkeypatch, capsys):
    """A folder of somebody else's: nothing below it can even be asked for."""

    def refuse(*arguments):
        raise PermissionError(errno.EACCES, "Permission denied", "/theirs/run/recipe.yaml")

    monkeypatch.setattr("praxino.report.page.read_run", refuse)
    assert main(["report", "/theirs/run"]) == 2
    assert capsys.readouterr().err == "praxino: /theirs/run/recipe.yaml: Permission denied\n"


def test_an_interrupt_is_a_word(monkeypatch, capsys):
    import praxino.cli.recipes

    def interrupted(argv):
        raise KeyboardInterrupt

    monkeypatch.setattr(praxino.cli.recipes, "run", interrupted)
    assert main(["recipes"]) == 130
    assert capsys.readouterr().err == "praxino: interrupted\n"


def test_an_unreadable_video_is_a_line(monkeypatch, capsys):
    import praxino.cli.recipes
    from praxino.errors import UnreadableVideo

    def unreadable(argv):
        raise UnreadableVideo("a/b.mp4", "holds no video")

    monkeypatch.setattr(praxino.cli.recipes, "run", unreadable)
    assert one_line(capsys, ["recipes"]) == "praxino: a/b.mp4: holds no video\n"
