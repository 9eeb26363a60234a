"""Makes a run's encoder the one that comes with praxino: its two files, whose record names no place of a machine.

python benchmarks/built_in.py RUN
"""

from __future__ import annotations

import argparse
from typing import Any

from praxino.built_in import FILE
from praxino.encoders.encoder import Encoder

PLACES = ("out", "root", "path", "test")  # what recipes call places


def without_places(said: Any) -> Any:
    """Plain data without what names a place: arguments that are called so, and any text with a slash."""
    if isinstance(said, dict):
        kept = {name: value for name, value in said.items() if name not in PLACES and not _is_path(value)}
        return {name: without_places(value) for name, value in kept.items()}
    return [without_places(item) for item in said if not _is_path(item)] if isinstance(said, list) else said


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and ("/" in value or "\\" in value)


def main() -> None:
    """Reads, strips, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", help="the run's folder, or its encoder.safetensors")
    encoder = Encoder.load(parser.parse_args().run)
    encoder.record = without_places(encoder.record)
    encoder.save(FILE)
    size = sum(path.stat().st_size for path in (FILE, FILE.with_suffix(".json")))
    print(f"{FILE}: {size / 1e6:.2f} MB with its description")


if __name__ == "__main__":
    main()
