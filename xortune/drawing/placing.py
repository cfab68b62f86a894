"""Places for the numbers on edges, where none covers another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

# Along an edge, from its start; the middle first.
_ALONG = tuple(0.5 + sign * step / 50 for step in range(19) for sign in ((1, -1) if step else (1,)))
_CLEAR = 5.0  # pixels around every number
_APART = 13.0  # pixels to other edges, where there is room


class Box(NamedTuple):
    """A rectangle with its sides upright."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, x: float, y: float, width: float, height: float) -> Box:
        """The box of a size around a point."""
        return cls(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    def meets(self, other: Box) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


class Edge(NamedTuple):
    """A straight line between two points."""

    x1: float
    y1: float
    x2: float
    y2: float

    def at(self, share: float) -> tuple[float, float]:
        """The point at a share of its length."""
        return self.x1 + share * (self.x2 - self.x1), self.y1 + share * (self.y2 - self.y1)

    def crosses(self, box: Box) -> bool:
        """Whether a part of it lies in a box: the clipping of Liang and Barsky (1984)."""
        first, last = 0.0, 1.0
        dx, dy = self.x2 - self.x1, self.y2 - self.y1
        for step, room in (
            (-dx, self.x1 - box.left), (dx, box.right - self.x1),
            (-dy, self.y1 - box.top), (dy, box.bottom - self.y1),
        ):  # fmt: skip
            if step == 0:
                if room < 0:
                    return False
            elif step < 0:
                first = max(first, room / step)
            else:
                last = min(last, room / step)
        return first <= last


def places(
    edges: Sequence[Edge], widths: Sequence[float], height: float, taken: Sequence[Box]
) -> list[tuple[float, float]] | None:
    """The centre of each edge's number, on the edge; None if not all of them find room.

    Each is where the fewest other edges pass behind it, and then as near to the middle as it can
    be.

    Args:
        edges: the edges.
        widths: of their numbers.
        height: of every number.
        taken: what no number may cover.
    """
    boxes, found = list(taken), []
    for edge, width in zip(edges, widths):
        others = [other for other in edges if other is not edge]
        best: tuple[int, float, float, Box] | None = None
        for share in _ALONG:
            x, y = edge.at(share)
            box = Box.around(x, y, width + 2 * _CLEAR, height + 2 * _CLEAR)
            if any(box.meets(other) for other in boxes):
                continue
            wide = Box.around(x, y, width + 2 * _APART, height + 2 * _APART)
            behind = sum(other.crosses(box) + other.crosses(wide) for other in others)
            if best is None or behind < best[0]:
                best = (behind, x, y, box)
        if best is None:
            return None
        _, x, y, box = best
        boxes.append(box)
        found.append((x, y))
    return found
