"""The recipes that come with the package: YAML files in folders by system, each with a name of its own."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path

from praxino.errors import UserError, nearest


def recipe_folders() -> dict[str, dict[str, Path]]:
    """System -> its recipes by name, in order."""
    root = Path(str(resources.files("praxino") / "recipes"))
    folders = sorted(path for path in root.iterdir() if path.is_dir())
    return {folder.name: {path.stem: path for path in sorted(folder.glob("*.yaml"))} for folder in folders}


def recipe_files() -> dict[str, Path]:
    """All of them, by name."""
    return {name: path for files in recipe_folders().values() for name, path in files.items()}


def recipe_file(recipe: str) -> Path:
    """The file of a recipe given by its name or its path.

    Raises:
        UserError: if there is none; with the nearest names.
    """
    named = recipe_files()
    if recipe in named:
        return named[recipe]
    if recipe.endswith((".yaml", ".yml")) or os.sep in recipe:
        if not Path(recipe).is_file():
            there = os.path.exists(recipe)
            raise UserError(f"the recipe {recipe} is no file" if there else f"there is no recipe file {recipe}")
        return Path(recipe)
    raise UserError(f"there is no recipe '{recipe}'.{nearest(recipe, named)} A file of your own ends in .yaml")
