"""The size at which frames leave a reader."""

import pytest

from praxino.errors import UserError
from praxino.streams.base import Canvas


def test_sizes():
    assert Canvas().size(240, 320) == (240, 320)
    assert Canvas(short_side=60).size(240, 320) == (60, 80)
    assert Canvas(short_side=60).size(320, 240) == (80, 60)
    assert Canvas(exact=(50, 70)).size(240, 320) == (50, 70)


@pytest.mark.parametrize("sizes", [{"short_side": 0}, {"exact": (0, 5)}, {"short_side": 5, "exact": (5, 5)}])
def test_refuses(sizes):
    with pytest.raises(UserError, match="canvas"):
        Canvas(**sizes)
