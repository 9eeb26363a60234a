"""Checks of flow in 8 bits."""

import golden_items
import numpy as np
from golden_items import Item

from praxino.streams.flow import decode_flow, encode_flow


def encode(item: Item) -> None:
    flow, bound = item.input("flow"), item.scalars["bound"]
    levels, stored = encode_flow(flow, bound), item.stored["out.bytes"]
    # float32 may fall to the other side of a half, and nowhere else.
    exact = 255 * (flow.astype(np.float64) + bound) / (2 * bound)
    half = np.abs(exact - np.floor(exact) - 0.5) <= 1e-4
    assert (np.abs(levels.astype(int) - stored) <= half).all()
    item.compare(bytes=np.where(half, stored, levels), decoded=decode_flow(stored, bound))


CHECKS: dict[str, golden_items.Check] = {"flow_encode": encode}
