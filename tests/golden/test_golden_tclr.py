"""Golden items of TCLR."""

import golden_items
import pytest
import tclr_augment
import tclr_linear
import tclr_method
import tclr_networks

CHECKS: dict[str, golden_items.Check] = {
    **tclr_augment.CHECKS,
    **tclr_linear.CHECKS,
    **tclr_method.CHECKS,
    **tclr_networks.CHECKS,
}


@pytest.mark.golden
@golden_items.each_item("tclr")
def test_item(item):
    golden_items.run(item, CHECKS)
