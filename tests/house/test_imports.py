"""Imports go down only, from room to room and inside rooms; there is no cycle; what is to be light imports no torch."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest
from house_files import MODULES, PACKAGE, dotted, name_of, printed

# Bottom to top. The ground floor's files use each other; rooms of one brace do not, but for SIBLINGS.
LEVELS: tuple[set[str], ...] = (
    {
        "batch",
        "bars",
        "built_in",
        "cache",
        "described",
        "errors",
        "files",
        "folders",
        "lazy",
        "load",
        "lock",
        "precision",
        "printable",
        "ranks",
        "rng",
        "telling",
    },
    {"configuration"},
    {"streams", "catalogs"},
    {"clips", "views", "backbones", "losses"},
    {"encoders"},
    {"methods"},
    {"training"},
    {"originals", "evaluations", "prepare", "report"},
    {"demo", "search"},
    {"browse"},
    {"cli"},
    {"__main__"},
)
GROUND = LEVELS[0]
# A stream opens a `Video`, which is a catalog's word.
SIBLINGS = {("streams", "catalogs")}
# It reads a run's files, and nothing of what wrote them.
GROUND_ONLY = {"report"}
# A subroom lies below its room's own files, which may import it, or above them, so that it may import them.
SUBROOMS = {
    "streams.rendering": "below",
    "methods.parts": "below",
    "evaluations.classifying": "above",
    "evaluations.tracking": "above",
    "cli.line": "below",
}

SOURCES = {dotted(path): path.read_text(encoding="utf-8") for path in MODULES}
PACKAGES = {dotted(path) for path in MODULES if path.stem == "__init__"}
LIGHT_ROOMS = ("catalogs", "streams", "configuration", "report")


def imports(tree: ast.AST, known: Collection[str] = SOURCES) -> Iterator[str]:
    """Dotted names of modules that a file imports, at the top or inside functions.

    What only type checkers see is left out. `importlib.import_module("praxino...")` and dotted names in tables, which
    are imported when a command needs them, are no arrows: any name could stand there, a user's too.

    Args:
        tree: of a file, or a piece of it.
        known: the modules that there are; of these one is meant by `from praxino import ranks`.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from imports(ast.Module(node.orelse, []), known)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute in this house"
            base = node.module or ""
            yield from dict.fromkeys(f"{base}.{a.name}" if f"{base}.{a.name}" in known else base for a in node.names)
        else:
            yield from imports(node, known)


def arrows(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Module -> the modules of `sources` that run before it does: what it imports, and the packages in which that lies.

    `praxino` itself is left out: its functions import their encoder, and no file imports them.
    """
    found: dict[str, set[str]] = {}
    for module, source in sources.items():
        wanted = {name for name in imports(ast.parse(source), sources) if name != module}
        above = {name.rsplit(".", k)[0] for name in wanted for k in range(1, name.count("."))}
        found[module] = ((wanted | above) & set(sources)) - {module, "praxino"}
    return found


def cycle_of(graph: Mapping[str, set[str]]) -> list[str]:
    """The modules of one cycle, the first once more at the end; none: []."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])[::-1]  # its arrows point from what is imported
    return []


def room_of(module: str) -> str:
    """The room of a module's dotted name; a file of the ground floor is its own."""
    return f"{module}.".split(".")[1]


def refused(own: str, other: str) -> bool:
    """Whether a file of one room may not import one of another."""
    if own == other:
        return False
    mine, theirs = (next((n for n, level in enumerate(LEVELS) if room in level), len(LEVELS)) for room in (own, other))
    down = theirs < mine or {own, other} <= GROUND or (own, other) in SIBLINGS
    return not down or (own in GROUND_ONLY and other not in GROUND)


def crossing(subroom: str, lies: str, graph: Mapping[str, set[str]]) -> list[str]:
    """The arrows between a subroom and its room's own files that go the wrong way."""
    room = subroom.rpartition(".")[0]
    inside = {m for m in graph if f"{m}.".startswith(f"praxino.{subroom}.")}
    own = {m for m in graph if m.rpartition(".")[0] == f"praxino.{room}" and m not in inside}
    upper, lower = (inside, own) if lies == "above" else (own, inside)
    return sorted(f"{m} -> {other}" for m in lower for other in graph[m] & upper)


def test_imports_are_found_everywhere_but_under_type_checking() -> None:
    code = """
from typing import TYPE_CHECKING
import praxino.rng
if TYPE_CHECKING:
    import praxino.cli
else:
    import praxino.batch
def f():
    from praxino import ranks, views
    from praxino.clips.samplers import Sampler, span
"""
    found = [name for name in imports(ast.parse(code)) if name != "typing"]
    known = ["praxino.ranks", "praxino.views", "praxino.clips.samplers"]
    assert found == ["praxino.rng", "praxino.batch", *known]


def test_cycles_and_crossings_are_found() -> None:
    house = {
        "praxino": "def load():\n from praxino.room.top import load",
        "praxino.room": "",
        "praxino.room.top": "from praxino.room.sub import deep",
        "praxino.room.middle": "import praxino.ground",
        "praxino.room.sub": "",
        "praxino.room.sub.deep": "def f():\n from praxino.room.middle import g",
        "praxino.ground": "",
    }
    assert cycle_of(arrows(house)) == []
    assert crossing("room.sub", "below", arrows(house)) == ["praxino.room.sub.deep -> praxino.room.middle"]
    assert crossing("room.sub", "above", arrows(house)) == [
        "praxino.room.top -> praxino.room.sub",
        "praxino.room.top -> praxino.room.sub.deep",
    ]
    late = house | {"praxino.room.middle": "def g():\n from praxino.room import top"}
    ring = cycle_of(arrows(late))
    assert ring[0] == ring[-1]
    assert set(ring) == {"praxino.room.top", "praxino.room.sub.deep", "praxino.room.middle"}
    assert all(other in arrows(late)[one] for one, other in pairwise(ring))
    # A package that imports its own files when it is imported is a cycle as soon as one of them imports another.
    eager = house | {"praxino.room": "from praxino.room.top import load"}
    assert "praxino.room" in cycle_of(arrows(eager))


def test_every_room_has_its_level() -> None:
    rooms = {room_of(module) for module in SOURCES} - {""}
    assert rooms == set().union(*LEVELS)
    assert sum(map(len, LEVELS)) == len(rooms)
    deeper = {package.partition(".")[2] for package in PACKAGES if package.count(".") > 1}
    assert deeper == set(SUBROOMS)


@pytest.mark.parametrize("path", [p for p in MODULES if p != PACKAGE / "__init__.py"], ids=name_of)
def test_imports_go_down_only(path: Path) -> None:
    own = room_of(dotted(path))
    named = [name for name in imports(ast.parse(path.read_text())) if name.startswith("praxino.")]
    wrong = [name for name in named if refused(own, room_of(name))]
    assert not wrong, f"{name_of(path)} imports {', '.join(wrong)}: not below {own}"


@pytest.mark.parametrize("subroom", SUBROOMS)
def test_subrooms_keep_their_direction(subroom: str) -> None:
    wrong = crossing(subroom, SUBROOMS[subroom], arrows(SOURCES))
    assert not wrong, f"{subroom} lies {SUBROOMS[subroom]} its room's own files: {', '.join(wrong)}"


def test_no_file_imports_itself_around_a_corner() -> None:
    ring = cycle_of(arrows(SOURCES))
    assert not ring, " -> ".join(ring)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_inside_the_house_modules_go_by_their_full_path(path: Path) -> None:
    """A package's names are the users': inside they would hide where something lies, and the arrows with it."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    wrong = [f"import {name}" for name in plain if name in PACKAGES]
    wrong += [
        f"from {node.module} import {alias.name}"
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module in PACKAGES
        for alias in node.names
        if f"{node.module}.{alias.name}" not in SOURCES and (node.module, alias.name) != ("praxino", "__version__")
    ]
    assert not wrong, f"{name_of(path)}: {'; '.join(wrong)}"


@pytest.mark.parametrize("module", ["praxino.cli.main", *sorted(PACKAGES)])
def test_packages_and_the_command_line_are_quick_to_import(module: str) -> None:
    heavy = "{'torch', 'av', 'matplotlib', 'jsonargparse'}"
    assert printed(f"import sys, {module}; print(*{heavy} & set(sys.modules))") == ""


def test_help_needs_no_torch() -> None:
    code = "import sys; from praxino.cli.main import main; main(['--help']); print('torch' in sys.modules)"
    assert printed(code).endswith("\nFalse")


@pytest.mark.parametrize("room", [*LIGHT_ROOMS, "demo.render"])
def test_rooms_that_compute_nothing_on_a_device_import_no_torch(room: str) -> None:
    """So a loading process that reads videos is small, and data can be prepared where there is no torch."""
    modules = [name for name in SOURCES if f"{name}.".startswith(f"praxino.{room}.")]
    assert modules
    code = (
        "import importlib, sys\n"
        f"for name in {modules}:\n"
        "    importlib.import_module(name)\n"
        "    if 'torch' in sys.modules: print(name); break\n"
    )
    assert printed(code) == ""
