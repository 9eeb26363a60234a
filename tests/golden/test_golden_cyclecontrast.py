"""Golden items of CycleContrast."""

import cyclecontrast_augment
import cyclecontrast_clips
import cyclecontrast_data
import cyclecontrast_methods
import cyclecontrast_networks
import cyclecontrast_otb
import cyclecontrast_schedules
import cyclecontrast_siamese
import cyclecontrast_tracking
import golden_items
import pytest

CHECKS: dict[str, golden_items.Check] = {
    **cyclecontrast_augment.CHECKS,
    **cyclecontrast_clips.CHECKS,
    **cyclecontrast_data.CHECKS,
    **cyclecontrast_methods.CHECKS,
    **cyclecontrast_networks.CHECKS,
    **cyclecontrast_schedules.CHECKS,
    **cyclecontrast_otb.CHECKS,
    **cyclecontrast_siamese.CHECKS,
    **cyclecontrast_tracking.CHECKS,
}


@pytest.mark.golden
@golden_items.each_item("cyclecontrast")
def test_item(item):
    golden_items.run(item, CHECKS)
