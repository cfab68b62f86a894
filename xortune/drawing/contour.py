"""Lines where a field of numbers has one value: marching squares.

Lorensen and Cline, "Marching Cubes" (1987), in two dimensions, with linear interpolation along the
sides of the squares; where two lines may pass through a square, its mean decides.
"""

from __future__ import annotations

from collections.abc import Sequence

Point = tuple[float, float]
# A side of a square: the row and the column where it begins, and whether it leads along the row.
_Side = tuple[int, int, bool]


def contour(
    xs: Sequence[float], ys: Sequence[float], values: Sequence[Sequence[float]], level: float
) -> list[list[Point]]:
    """The lines on which the values cross a level, from end to end; closed ones end where they
    begin.

    Args:
        xs: `(n,)`, ascending.
        ys: `(m,)`, likewise.
        values: `(m, n)`.
        level: of the lines.
    """
    neighbours: dict[_Side, list[_Side]] = {}
    for j in range(len(ys) - 1):
        for i in range(len(xs) - 1):
            for one, other in _pairs(values, level, j, i):
                neighbours.setdefault(one, []).append(other)
                neighbours.setdefault(other, []).append(one)

    def point(side: _Side) -> Point:
        j, i, along = side
        a, b = values[j][i], values[j][i + 1] if along else values[j + 1][i]
        share = (level - a) / (b - a)
        if along:
            return xs[i] + share * (xs[i + 1] - xs[i]), ys[j]
        return xs[i], ys[j] + share * (ys[j + 1] - ys[j])

    return [[point(side) for side in line] for line in _lines(neighbours)]


def _pairs(
    values: Sequence[Sequence[float]], level: float, j: int, i: int
) -> list[tuple[_Side, _Side]]:
    """The sides of one square that a line connects; none where a value is not a number."""
    corners = values[j][i], values[j][i + 1], values[j + 1][i + 1], values[j + 1][i]
    if any(value != value for value in corners):
        return []
    above = [value > level for value in corners]
    sides: tuple[_Side, ...] = (j, i, True), (j, i + 1, False), (j + 1, i, True), (j, i, False)
    crossed = [side for k, side in enumerate(sides) if above[k] != above[(k + 1) % 4]]
    if len(crossed) < 4:
        return [(crossed[0], crossed[1])] if crossed else []
    bottom, right, top, left = sides
    if (sum(corners) / 4 > level) == above[0]:
        return [(bottom, right), (top, left)]
    return [(bottom, left), (top, right)]


def _lines(neighbours: dict[_Side, list[_Side]]) -> list[list[_Side]]:
    """The chains of sides: open ones from their ends, then closed ones."""
    lines, seen = [], set()
    starts = [side for side, others in neighbours.items() if len(others) == 1]
    for start in (*starts, *neighbours):
        if start in seen:
            continue
        line = [start]
        seen.add(start)
        while following := [side for side in neighbours[line[-1]] if side not in seen]:
            line.append(following[0])
            seen.add(following[0])
        if len(line) > 2 and line[0] in neighbours[line[-1]]:
            line.append(line[0])
        lines.append(line)
    return lines
