"""Rules for every file: docstrings, sizes, full precision where it counts, no path of one machine, one version."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
import warnings
from pathlib import Path

import pytest
import yaml
from house_files import MODULES, ROOT, everything, name_of

import praxino

MOST_LINES = {"src": 300, "tests": 400, "benchmarks": 400, "examples": 400}
MANY_LINES = 250


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_everything_public_has_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text())
    if not tree.body:
        return  # an empty __init__.py
    bare = [] if ast.get_docstring(tree) else ["the module"]
    for node in tree.body:
        public = isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
        if public and not ast.get_docstring(node):
            bare.append(node.name)
    assert not bare, f"{name_of(path)}: no docstring: {', '.join(bare)}"


@pytest.mark.parametrize("folder", MOST_LINES)
def test_files_are_short(folder: str) -> None:
    lines = {name_of(p): len(p.read_text().splitlines()) for p in sorted((ROOT / folder).rglob("*.py"))}
    assert lines
    many = {name: n for name, n in lines.items() if n > MANY_LINES}
    if many:
        warnings.warn(f"above {MANY_LINES} lines: {many}", stacklevel=1)
    assert not {name: n for name, n in many.items() if n > MOST_LINES[folder]}


def test_losses_and_views_run_in_full_precision() -> None:
    from praxino.views.pipeline import View

    functions = [
        function
        for module in everything("losses")
        for name, function in vars(module).items()
        if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_")
    ]
    assert functions
    for function in [*functions, View.transform, View._changed]:
        assert getattr(function, "full_precision", False) is True, f"{function.__qualname__}: mark it @full_precision"


# Who draws from torch's own generator, and forks it or seeds it for that alone.
FORKED = {
    "praxino/configuration/complete.py", "praxino/evaluations/classifying/classifier.py",
    "praxino/evaluations/tracking/prepared.py", "praxino/evaluations/untrained.py",
    "praxino/training/convolution_check.py", "praxino/training/fit.py", "praxino/training/validation.py",
}  # fmt: skip
DRAWING = {"rand", "randn", "randint", "randperm", "bernoulli", "multinomial", "rand_like", "randn_like", "normal"}


def test_randomness_comes_from_what_is_passed_in() -> None:
    found = []
    for path in sorted((ROOT / "src").rglob("*.py")):
        tree = ast.parse(path.read_text())
        name = path.relative_to(ROOT / "src").as_posix()
        for node in ast.walk(tree):
            imported = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            imported += [node.module] if isinstance(node, ast.ImportFrom) else []
            if "random" in imported or (name not in FORKED and isinstance(node, ast.Call) and _draws_unasked(node)):
                found.append(f"{name} line {node.lineno}")
    assert not found


def _draws_unasked(call: ast.Call) -> bool:
    """Whether a call draws from a generator of the whole process, or seeds one."""
    said = ast.unparse(call.func)
    if said == "np.random.default_rng":
        return not call.args and not call.keywords
    if re.fullmatch(r"np\.random\.\w+", said):
        return said.rpartition(".")[2] not in ("Generator", "Philox", "SeedSequence")
    draws = said.partition("torch.")[2] in DRAWING and said.startswith("torch.")
    return said.endswith("manual_seed") or (draws and not any(one.arg == "generator" for one in call.keywords))


def test_the_search_for_draws_finds_them() -> None:
    drawn = ["torch.rand(3)", "np.random.rand(3)", "np.random.default_rng()", "torch.manual_seed(0)"]
    asked = ["torch.rand(3, generator=g)", "np.random.default_rng(0)", "rng.random(3)", "np.random.Philox(0)"]
    calls = {text: ast.parse(text, mode="eval").body for text in (*drawn, *asked)}
    assert [text for text, call in calls.items() if isinstance(call, ast.Call) and _draws_unasked(call)] == drawn


def test_no_machine_paths() -> None:
    folders = ["src", "tests", "docs", "examples", "benchmarks", ".ci"]
    files = [p for folder in folders for p in (ROOT / folder).rglob("*")] + list(ROOT.glob("*"))
    machine = re.compile(r"(?<![\w.])/(?:work|root|tmp|home)/")
    found = []
    for path in files:
        if not path.is_file() or path == Path(__file__).resolve() or "__pycache__" in path.parts:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        shared = ROOT / "tests" not in path.parents and "../shared" in text
        if shared or machine.search(text):
            found.append(name_of(path))
    assert not found


def test_ci_runs_the_commands_of_the_readme() -> None:
    command = "pip install '.[dev]' && pytest"
    assert command in (ROOT / "README.md").read_text()
    assert command in (ROOT / ".ci" / "run").read_text()
    assert "pip install . && praxino demo" in (ROOT / "README.md").read_text()


def test_version_is_written_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == praxino.__version__
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == praxino.__version__
