"""The built-in encoder's files: small, whole, of the form that everything expects, and without a trace of a machine.

Their values are none of the tests' business: the files may be replaced.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import tomllib
from collections.abc import Iterator
from typing import Any

from house_files import PACKAGE, ROOT

from praxino.built_in import BUILT_IN, FILE
from praxino.encoders.encoder import Encoder
from praxino.encoders.statistics import averages

FILES = [PACKAGE / "weights" / f"{BUILT_IN}{ending}" for ending in (".safetensors", ".json")]
MOST_BYTES = 4_000_000


def texts(said: Any) -> Iterator[str]:
    if isinstance(said, dict):
        said = [*said, *said.values()]
    if isinstance(said, list):
        for item in said:
            yield from texts(item)
    elif isinstance(said, str):
        yield said


def test_they_are_small_and_packed() -> None:
    assert sum(path.stat().st_size for path in FILES) < MOST_BYTES
    assert sorted(FILES) == sorted(FILES[0].parent.iterdir())
    packed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["praxino"]
    for path in FILES:
        assert any(fnmatch.fnmatch(path.relative_to(PACKAGE).as_posix(), pattern) for pattern in packed)


def test_the_weights_are_those_that_the_description_was_written_with() -> None:
    weights, description = (path.read_bytes() for path in FILES)
    assert json.loads(description)["checksum"] == hashlib.blake2b(weights, digest_size=16).hexdigest()


def test_no_place_of_a_machine_is_named() -> None:
    said = list(texts(json.loads(FILES[1].read_text())))
    assert said
    assert not [text for text in said if "/" in text or "\\" in text]


def test_it_has_both_views_with_statistics_of_their_own() -> None:
    encoder = Encoder.load(FILE)
    assert list(encoder.views) == ["residual", "rgb"]
    assert {view.stream for view in encoder.views.values()} == {"rgb"}
    for name in encoder.views:
        own = encoder.statistics[name]
        assert own.batchnorm.keys() == averages(encoder.backbone).keys()
        assert own.centre is not None
    assert not encoder.classes
    assert encoder.record["recipe"]["method"]["init_args"]["backbone"]
