"""The recipes that come with the package name what exists, and the classes that recipes name are documented."""

from __future__ import annotations

import importlib
import inspect
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from house_files import PACKAGE, everything, name_of

from praxino.configuration.recipes import recipe_files, recipe_folders

RECIPES = sorted((PACKAGE / "recipes").rglob("*.yaml"))


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


@pytest.mark.parametrize("path", RECIPES, ids=name_of)
def test_recipes_name_what_exists(path: Path) -> None:
    """Every class and argument is there, all of it can be built, and what was built says what it is made of."""
    from praxino.configuration.complete import complete, instantiate
    from praxino.configuration.documents import read
    from praxino.configuration.earlier import as_now
    from praxino.described import describe
    from praxino.evaluations.classifying.finetune import finetune
    from praxino.evaluations.tracking.train import train_tracker
    from praxino.training.pretrain import pretrain

    recipe = read(path)
    assert as_now(recipe) == recipe, "a recipe of ours is in the words of today"
    recipe.pop("catalog", None)  # where its videos lie is the user's
    # A recipe of another run than a pretraining says so; what it leaves open is taken from the encoder.
    kind = recipe.pop("kind", "pretrain")
    functions = {"pretrain": pretrain, "finetune": finetune, "linear": finetune, "tracking": train_tracker}
    assert recipe.get("frozen", False) is (kind == "linear")
    function = functions[kind]
    config = complete(function, recipe, without=("encoder",), partial=True)
    built = instantiate(function, config)
    for name in ("method", "sampler", "protocol"):
        if config.get(name) is not None:
            assert describe(built[name]) == config[name], name


def test_each_recipe_has_a_name_of_its_own() -> None:
    """A recipe goes by its name alone, whatever its folder."""
    named = Counter(name for recipes in recipe_folders().values() for name in recipes)
    assert [name for name, times in named.items() if times > 1] == []
    # By system and name: the package that is tested may be an installed copy.
    found = sorted((path.parent.name, path.name) for path in recipe_files().values())
    assert found == sorted((path.parent.name, path.name) for path in RECIPES), "a recipe lies in its system's folder"


def test_a_description_is_understood_by_itself() -> None:
    """`praxino recipes` sorts by name: one that points to "the same" would stand below another recipe."""
    firsts = {path.name: path.read_text(encoding="utf-8").partition("\n")[0] for path in RECIPES}
    assert firsts
    assert not [name for name, first in firsts.items() if "the same" in first.lower()]
