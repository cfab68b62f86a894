"""Which of the told trials a model is built from."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

# TPE's cost for a trial grows with the number of trials that it was told. From 241 on its good
# set is the best 25, however many there are; the others only have to show where trials are.
_SIZE = 250
_BEST = 25


def window(losses: Sequence[float]) -> list[int]:
    """The numbers of the trials to learn from: all of them, or 250 if there are more.

    Those are the best 25 and 225 of the others, evenly spread over their numbers.

    Args:
        losses: by number; infinite for those that failed: where trainings diverge, there is
            little to look for.
    """
    count = len(losses)
    if count <= _SIZE:
        return list(range(count))
    best = sorted(heapq.nsmallest(_BEST, range(count), key=losses.__getitem__))
    room = _SIZE - _BEST
    others = (place * (count - _BEST) // room for place in range(room))
    return sorted([*best, *(_skipping(best, place) for place in others)])


def _skipping(left_out: Sequence[int], place: int) -> int:
    """The number at a place among those that are not left out, which are given in order."""
    for number in left_out:
        if number > place:
            break
        place += 1
    return place
