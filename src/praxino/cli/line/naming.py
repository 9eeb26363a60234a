"""What the file of a result is called: the same question gets the same name, another question never does.

The plain question is that of the run's own catalog with default options. Its file bears the name of the evaluation, the
encoder and the views, as typed. That of any other one has a hash of all settings, and the catalog where it is another.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from praxino.evaluations.measured import PLACES

# What an option of these says changes no number: how the machine works, and what it puts up with.
MACHINE = ("workers", "device", "max_left_out", "results")
# Arguments of evaluations of which "none" means: as the encoder says.
OF_ENCODER = ("feature", "sampler", "reestimate_batchnorm", "centred")
VIEWS = ("view", "views")
LONGEST = 40
HASH_BYTES = 4


def result_name(
    evaluation: str, which: str, config: Mapping[str, Any], plain: Mapping[str, Any], encoder: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """The name of a result's file, without its ending.

    Args:
        evaluation: as typed: one of ours, or the dotted path of one's own, which is named as a whole.
        which: the encoder, as of `encoder_part`.
        config: the complete arguments of the evaluation.
        plain: those of the plain question; without a catalog, where the run does not say which.
        encoder: its description.

    Returns:
        The name, and the settings by which the question differs from the plain one.
    """
    asked, usual = _resolved(config, encoder), _resolved(plain, encoder)
    differs = {name: value for name, value in asked.items() if name not in VIEWS and usual.get(name, ...) != value}
    seen = [config["view"]] if config.get("view") else list(config.get("views") or [])
    parts = [evaluation + which, *map(safe, seen)]
    if differs or [safe(view) for view in seen if "-" not in view] != seen:
        if "catalog" in differs:
            parts += data_words(asked["catalog"])
        parts.append(_hash([evaluation, seen, asked]))
    return "-".join(parts), differs


def data_words(catalog: Mapping[str, Any]) -> list[str]:
    """A catalog's class, and the last part of where its videos or their list lie."""
    arguments = catalog.get("init_args") or {}
    if isinstance(arguments.get("catalog"), Mapping):  # a catalog of another one
        return data_words(arguments["catalog"])
    places = [str(arguments[name]) for name in PLACES if arguments.get(name)]
    words = [catalog["class_path"].rpartition(".")[2], *(os.path.basename(place.rstrip("/\\")) for place in places[:1])]
    return [safe(word) for word in words if safe(word)]


def safe(word: str) -> str:
    """A word as a part of a file's name on any system."""
    return re.sub(r"[^A-Za-z0-9_.]+", "_", word)[:LONGEST].strip("._")


def _resolved(config: Mapping[str, Any], encoder: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in config.items() if name not in MACHINE}
    missing = [name for name in OF_ENCODER if name in found and found[name] is None and name in encoder]
    return found | {name: encoder[name] for name in missing}


def _hash(settings: Sequence[Any]) -> str:
    text = json.dumps(settings, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=HASH_BYTES).hexdigest()
