"""Wilson's interval: how well a share is known from a number of cases."""

from __future__ import annotations

import math

_Z = 1.959963984540054  # the quantile of the normal distribution at 97.5 %


def wilson_interval(hits: int, cases: int) -> tuple[float, float]:
    """The interval that holds the true share at a confidence of 95 %.

    It is that of E. B. Wilson, Probable inference, the law of succession, and statistical
    inference, Journal of the American Statistical Association 22 (1927), 209-212. Unlike the usual
    one it stays within 0 and 1, and is not empty where all cases are hits, or none.

    Args:
        hits: from 0 to `cases`.
        cases: how many there are; of none, nothing is known.

    Returns:
        The lower and the upper end, with `hits / cases` between them.

    Example:
        wilson_interval(240, 256)  # (0.901, 0.961)
    """
    if cases == 0:
        return 0.0, 1.0
    return _lower(hits, cases), 1 - _lower(cases - hits, cases)


def _lower(hits: int, cases: int) -> float:
    if hits == 0:
        return 0.0
    share, z2 = hits / cases, _Z * _Z
    centre = share + z2 / (2 * cases)
    spread = _Z * math.sqrt(share * (1 - share) / cases + z2 / (4 * cases * cases))
    return (centre - spread) / (1 + z2 / cases)
