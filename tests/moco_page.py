"""The views that stand as lists of operations on the page of MoCo's augmentation."""

import re
from pathlib import Path

import yaml

from praxino.configuration.complete import complete, instantiate
from praxino.views.pipeline import View

PAGE = Path(__file__).parents[1] / "docs" / "methods" / "moco_augmentation.md"


def on_the_page(heading: str) -> View:
    """The view whose operations stand below a heading."""
    (block,) = re.findall(rf"^## {heading}$.*?^```yaml\n(.*?)^```", PAGE.read_text(), flags=re.S | re.M)
    return View(**instantiate(View, complete(View, yaml.safe_load(block))))
