"""YAML documents: read with the line of every mistake, written aside first."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from praxino.errors import UserError
from praxino.files import write_text

DEEPEST = 100  # what nests deeper is a mistake, and ends in Python's own limit
MOST_VALUES = 1_000_000  # a few lines of aliases of aliases are more than a memory holds


def parsed(text: str, where: str) -> Any:
    """YAML text as data.

    Raises:
        UserError: if it is not YAML, or a name stands twice; with the line.
    """
    try:
        return yaml.load(text, _NoRepeats)
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UserError(f"{where}{line}: not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UserError(f"{where}: not valid YAML: {' '.join(str(error).split())}") from None


class _NoRepeats(yaml.SafeLoader):
    """PyYAML takes the last of two equal names, and says nothing; what is no number or date is Python's error."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.depth += 1
        if self.depth > DEEPEST:
            mark = self.peek_event().start_mark
            raise yaml.MarkedYAMLError(problem=f"nested more than {DEEPEST} deep", problem_mark=mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def get_single_node(self) -> Any:
        node = super().get_single_node()
        if node is not None:
            _values(node, {})
        return node

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            if not isinstance(node, yaml.ScalarNode):
                raise
            problem = f"'{node.value[:60]}' is no {node.tag.rpartition(':')[2]}: {error}"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from None

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        if not isinstance(node, yaml.MappingNode):  # `!!map` may stand before anything
            raise yaml.MarkedYAMLError(problem="a mapping is expected here", problem_mark=node.start_mark)
        names = [key.value for key, _ in node.value]
        for k, (key, _) in enumerate(node.value):
            if key.value in names[:k]:
                raise yaml.MarkedYAMLError(problem=f"'{key.value}' stands twice", problem_mark=key.start_mark)
        return super().construct_mapping(node, deep)


def _values(node: yaml.Node, known: dict[yaml.Node, int]) -> int:
    """How many values a node holds, those of an alias each time that it stands there."""
    if node not in known:
        known[node] = MOST_VALUES + 1  # until it is counted: what holds itself has no end
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        inside = node.value if isinstance(node, yaml.SequenceNode) else [part for pair in pairs for part in pair]
        known[node] = 1 + sum(_values(part, known) for part in inside)
        if known[node] > MOST_VALUES:
            problem = f"its aliases make more than {MOST_VALUES:,} values of it"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
    return known[node]


def read(path: str | Path) -> dict[str, Any]:
    """A recipe file as plain data.

    Raises:
        UserError: if it cannot be read, or is not YAML, or not a mapping.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read the recipe {path}: {getattr(error, 'strerror', None) or error}") from None
    data = parsed(text, str(path))
    if not isinstance(data, dict):
        raise UserError(f"{path}: a recipe is a mapping of names to values, not {type(data).__name__}")
    return data


def write(path: str | Path, config: Mapping[str, Any]) -> None:
    """Writes a recipe that `read` reads; aside first, then renamed.

    Raises:
        UserError: if it cannot be written.
    """
    write_text(Path(path), as_yaml(config))


def as_yaml(config: Mapping[str, Any]) -> str:
    """The text of a recipe, its names in the order given; ASCII, so that any terminal's encoding leaves it as it is."""
    return yaml.safe_dump(dict(config), sort_keys=False, width=120)
