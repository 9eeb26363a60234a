"""The house's rules that a machine can hold: import directions, docstrings, file sizes, links, recipes, precision."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import praxino

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "praxino"
MODULES = sorted(PACKAGE.rglob("*.py"))
GROUND = 0
LEVELS = {
    "streams": 1, "catalogs": 1,
    "clips": 2, "views": 2, "backbones": 2, "losses": 2,
    "methods": 3,
    "training": 4,
    "originals": 5, "evaluations": 5, "report": 5,
    "demo": 6,
    "cli": 7,
    "__main__": 8,
}  # fmt: skip
# Rooms of one level do not know each other, but for these: a stream opens a `Video`, which is a catalog's word.
SIBLINGS = {("streams", "catalogs")}
MOST_LINES, MANY_LINES = 400, 250
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def room_of(module: str) -> str:
    """The room of a module's dotted name; the ground floor's modules are rooms of level GROUND."""
    return f"{module}.".split(".")[1]


def imports(tree: ast.AST) -> Iterator[str]:
    """Dotted names that a module imports, at the top or inside functions; what only type checkers see is left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from imports(ast.Module(node.orelse, []))
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute in this house"
            base = node.module or ""
            yield from (f"{base}.{alias.name}" if base == "praxino" else base for alias in node.names)
        else:
            yield from imports(node)


def test_imports_are_found_everywhere_but_under_type_checking() -> None:
    code = """
from typing import TYPE_CHECKING
import praxino.rng
if TYPE_CHECKING:
    import praxino.cli
else:
    import praxino.batch
def f():
    from praxino import views
    from praxino.clips.samplers import Sampler
"""
    found = [name for name in imports(ast.parse(code)) if name != "typing"]
    assert found == ["praxino.rng", "praxino.batch", "praxino.views", "praxino.clips.samplers"]


@pytest.mark.parametrize("path", [p for p in MODULES if p != PACKAGE / "__init__.py"], ids=name_of)
def test_imports_go_down_only(path: Path) -> None:
    own = path.relative_to(PACKAGE).with_suffix("").parts[0]
    wrong = []
    for name in imports(ast.parse(path.read_text())):
        other = room_of(name)
        if name.split(".")[0] != "praxino" or other == own or other.startswith("__version"):
            continue
        mine, theirs = LEVELS.get(own, GROUND), LEVELS.get(other, GROUND)
        down = theirs < mine or mine == theirs == GROUND or (own, other) in SIBLINGS
        if not down or (own == "report" and theirs != GROUND):
            wrong.append(name)
    assert not wrong, f"{name_of(path)} imports {', '.join(wrong)}: not below {own}"


@pytest.mark.parametrize("statement", ["import praxino", "import praxino.cli.main"])
def test_import_is_quick(statement: str) -> None:
    code = f"import sys; {statement}; print(*{{'torch', 'av', 'matplotlib'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""


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


@pytest.mark.parametrize("folder", ["src", "tests", "benchmarks", "examples"])
def test_files_are_short(folder: str) -> None:
    lines = {name_of(p): len(p.read_text().splitlines()) for p in sorted((ROOT / folder).rglob("*.py"))}
    many = {name: n for name, n in lines.items() if n > MANY_LINES}
    if many:
        warnings.warn(f"above {MANY_LINES} lines: {many}", stacklevel=1)
    assert not {name: n for name, n in many.items() if n > MOST_LINES}


def recipe_classes() -> Iterator[type]:
    """Classes that recipes name: the command line builds its options and their help from their constructors."""
    bases = ["catalogs.base.Catalog", "streams.base.Stream", "streams.base.Derived", "clips.samplers.Sampler"]
    bases += ["views.pipeline.View", "views.pipeline.Operation", "backbones.base.Backbone", "methods.base.Task"]
    paths = [base.rpartition(".") for base in bases]
    roots = tuple(getattr(importlib.import_module(f"praxino.{module}"), name) for module, _, name in paths)
    for module in everything():
        own = [c for c in vars(module).values() if inspect.isclass(c) and c.__module__ == module.__name__]
        public = [c for c in own if not c.__name__.startswith("_") and not inspect.isabstract(c)]
        yield from (c for c in public if issubclass(c, roots) and c not in roots)


def everything(room: str = "") -> list:
    package = importlib.import_module(f"praxino.{room}" if room else "praxino")
    found = pkgutil.walk_packages(package.__path__, package.__name__ + ".")
    return [importlib.import_module(m.name) for m in found if not m.name.endswith("__main__")]


def test_constructors_of_recipe_classes_are_documented() -> None:
    wrong = []
    for cls in recipe_classes():
        parameters = inspect.signature(cls).parameters.values()
        for parameter in (p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)):
            if parameter.annotation is inspect.Parameter.empty:
                wrong.append(f"{cls.__name__}({parameter.name}) has no type")
            if not re.search(rf"\b{parameter.name}\b", inspect.getdoc(cls) or ""):
                wrong.append(f"{cls.__name__}({parameter.name}) is not in the docstring")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", sorted((PACKAGE / "recipes").glob("*.yaml")), ids=name_of)
def test_recipes_name_what_exists(path: Path) -> None:
    """Every class and argument is there, all of it can be built, and what was built says what it is made of."""
    from praxino.described import describe
    from praxino.evaluations.finetune import finetune
    from praxino.training.documents import read
    from praxino.training.pretrain import pretrain
    from praxino.training.recipe import complete, instantiate

    recipe = read(path)
    recipe.pop("catalog", None)  # where its videos lie is the user's
    # A recipe of fine-tuning says so; what it leaves open is taken from the encoder.
    protocol = recipe.pop("protocol", None)
    function = pretrain if protocol is None else finetune
    assert protocol in ("finetune", "linear", None)
    assert recipe.get("frozen", False) is (protocol == "linear")
    config = complete(function, recipe, without=("encoder",), partial=True)
    built = instantiate(function, config)
    for name in ("method", "sampler", "evaluation"):
        if config.get(name) is not None:
            assert describe(built[name]) == config[name], name


def test_losses_and_views_run_in_full_precision() -> None:
    from praxino.views.pipeline import View

    functions = [
        function
        for module in everything("losses")
        for name, function in vars(module).items()
        if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_")
    ]
    assert functions
    for function in [*functions, View.transform]:
        assert getattr(function, "full_precision", False) is True, f"{function.__qualname__}: mark it @full_precision"


def links(page: Path) -> Iterator[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.S | re.M)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.S | re.M), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_resolve(page: Path) -> None:
    broken = []
    for target in links(page):
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert not broken, f"{name_of(page)}: {', '.join(broken)}"


def test_pages_name_recipes_that_exist() -> None:
    named = {name for page in PAGES for name in re.findall(r"praxino pretrain (\w+)(?![\w.])", page.read_text())}
    assert named
    assert named <= {path.stem for path in (PACKAGE / "recipes").glob("*.yaml")}


def test_no_page_is_lost() -> None:
    """Every page of the documentation can be reached from the README."""
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page not in reached and page.suffix == ".md" and page.is_file():
            reached.add(page)
            todo += [(page.parent / target.partition("#")[0]).resolve() for target in links(page)]
    assert {name_of(p) for p in (ROOT / "docs").rglob("*.md")} <= {name_of(p) for p in reached}


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
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == praxino.__version__
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == praxino.__version__
