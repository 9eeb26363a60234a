"""Golden items of CoCon."""

import cocon_augment
import cocon_clips
import cocon_finetune
import cocon_flow
import cocon_maps
import cocon_methods
import cocon_networks
import golden_items
import pytest

CHECKS: dict[str, golden_items.Check] = {
    **cocon_augment.CHECKS,
    **cocon_clips.CHECKS,
    **cocon_finetune.CHECKS,
    **cocon_flow.CHECKS,
    **cocon_maps.CHECKS,
    **cocon_methods.CHECKS,
    **cocon_networks.CHECKS,
}


@pytest.mark.golden
@golden_items.each_item("cocon")
def test_item(item):
    golden_items.run(item, CHECKS)
