"""The documentation: links resolve, no page is lost, and what pages name of recipes and code exists."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from house_files import PAGES, ROOT, name_of

from praxino.configuration.recipes import recipe_files

PAST = ("CHANGELOG", "decisions")  # pages that may name what is no more


def links(page: Path) -> Iterator[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.S | re.M)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.S | re.M), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


def code_of(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), flags=re.S | re.M)


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
    assert named <= set(recipe_files())


def test_no_page_is_lost() -> None:
    """Every page of the documentation can be reached from the README."""
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page not in reached and page.suffix == ".md" and page.is_file():
            reached.add(page)
            todo += [(page.parent / target.partition("#")[0]).resolve() for target in links(page)]
    assert {name_of(p) for p in (ROOT / "docs").rglob("*.md")} <= {name_of(p) for p in reached}


@pytest.mark.parametrize("page", [page for page in PAGES if code_of(page)], ids=name_of)
def test_code_imports_what_exists(page: Path) -> None:
    nodes = [node for code in code_of(page) for node in ast.walk(ast.parse(code))]
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                importlib.import_module(alias.name)
        elif isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module or "")
            for alias in node.names:
                assert hasattr(module, alias.name), f"from {node.module} import {alias.name}"


@pytest.mark.parametrize("page", [page for page in PAGES if page.stem not in PAST], ids=name_of)
def test_names_of_the_code_lead_somewhere(page: Path) -> None:
    """Files as `praxino/losses/nce.py` and dotted names as `praxino.evaluations.result.Result`."""
    text = page.read_text()
    wrong = [path for path in re.findall(r"`(praxino/[\w/]+\.py)`", text) if not (ROOT / "src" / path).is_file()]
    for name in re.findall(r"`(praxino(?:\.\w+)+)[`(]", text):
        try:
            pkgutil.resolve_name(name)
        except (ImportError, AttributeError):
            wrong.append(name)
    assert not wrong, f"{name_of(page)}: {', '.join(wrong)}"
