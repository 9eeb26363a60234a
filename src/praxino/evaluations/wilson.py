"""An interval where resampling has none to give: of no hits at all, or of nothing but hits."""

from __future__ import annotations

from statistics import NormalDist


def wilson_interval(hits: int, asked: int, level: float = 0.95) -> tuple[float, float]:
    """The score interval of a share: Wilson, Probable inference, Journal of the American Statistical Association 1927.

    Args:
        hits: how many.
        asked: of how many, above 0.
        level: how often such an interval holds the true share.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    share, weight = hits / asked, z * z / asked
    middle = (share + weight / 2) / (1 + weight)
    reach = (share * (1 - share) * weight + weight * weight / 4) ** 0.5 / (1 + weight)
    return max(0.0, middle - reach), min(1.0, middle + reach)
