"""The golden items that have no check yet, each with what it waits for. The one list of its kind: an item that is
neither here nor checked fails. Whoever writes a check takes the item off.
"""

from __future__ import annotations

VCOP_VCP = """
    vcop_order_labels vcop_clip_starts vcop_head checkpoint_vcop vcp_ops vcp_sampler vcp_head vcop_network
    vcp_network
"""


def _all(names: str, reason: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), reason)


LATER: dict[str, dict[str, str]] = {
    "iic": _all(VCOP_VCP, "waits for VCOP and VCP"),
    "tclr": {},
    "cyclecontrast": {},
    "cocon": {},
}
