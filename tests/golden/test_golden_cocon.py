"""Golden items of CoCon."""

import golden_items
import pytest

CHECKS: dict[str, golden_items.Check] = {}


@pytest.mark.golden
@golden_items.each_item("cocon")
def test_item(item):
    golden_items.run(item, CHECKS)
