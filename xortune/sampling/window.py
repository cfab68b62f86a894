"""Chooses the told trials that a model is built from."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

# TPE's cost for a trial grows with the number of told trials. From 241 on its good set is the
# best 25, however many there are; the others only have to show where trials were.
_SIZE = 250
_BEST = 25


def window(losses: Sequence[float]) -> list[int]:
    """The numbers of the trials to learn from: all, or 250 if there are more.

    Those are the best 25, and 225 of the others evenly spread over their numbers.

    Args:
        losses: by number; infinite for failed trials.
    """
    count = len(losses)
    if count <= _SIZE:
        return list(range(count))
    best = sorted(heapq.nsmallest(_BEST, range(count), key=losses.__getitem__))
    room = _SIZE - _BEST
    others = (place * (count - _BEST) // room for place in range(room))
    return sorted([*best, *(_skipping(best, place) for place in others)])


def _skipping(left_out: Sequence[int], place: int) -> int:
    """The number at a place among those that are not left out; `left_out` is ascending."""
    for number in left_out:
        if number > place:
            break
        place += 1
    return place
