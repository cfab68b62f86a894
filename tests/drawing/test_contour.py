"""Lines of one value."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xortune.drawing.contour import contour


def field(of, count=41, reach=2.0):
    axis = [-reach + 2 * reach * place / (count - 1) for place in range(count)]
    return axis, axis, [[of(x, y) for x in axis] for y in axis]


def test_the_line_of_a_slope_is_straight_and_exact():
    ((line),) = contour(*field(lambda x, y: 3 * x + y, count=9), level=1.0)
    assert len(line) > 5
    for x, y in line:
        assert 3 * x + y == pytest.approx(1.0, abs=1e-12)


def test_a_circle_is_one_closed_line():
    (line,) = contour(*field(lambda x, y: x * x + y * y), level=1.0)
    assert line[0] == line[-1]
    assert all(math.hypot(x, y) == pytest.approx(1, abs=2e-3) for x, y in line)


def test_two_hills_have_two_lines():
    lines = contour(*field(lambda x, y: abs(x) - y * y), level=1.0)
    assert len(lines) == 2
    assert {min(line)[0] > 0 for line in lines} == {True, False}


def test_a_saddle_is_cut_by_its_mean():
    saddle = [[1, 0], [0, 1]]  # 0.5 in the middle
    low = {frozenset(line) for line in contour([0, 1], [0, 1], saddle, 0.4)}
    assert low == {frozenset({(0.6, 0), (1, 0.4)}), frozenset({(0, 0.6), (0.4, 1)})}
    high = {frozenset(line) for line in contour([0, 1], [0, 1], saddle, 0.6)}
    assert high == {frozenset({(0.4, 0), (0, 0.4)}), frozenset({(0.6, 1), (1, 0.6)})}


def test_a_level_that_is_not_reached_and_cells_without_numbers_have_no_line():
    assert contour(*field(lambda x, y: x), level=9.0) == []
    assert contour([0, 1], [0, 1], [[0, 1], [math.nan, 1]], 0.5) == []


@given(st.lists(st.lists(st.floats(-5, 5), min_size=4, max_size=4), min_size=4, max_size=4))
def test_every_point_lies_where_values_cross(values):
    axis = [0.0, 1.0, 2.0, 3.0]
    for line in contour(axis, axis, values, 0.25):
        for x, y in line:
            i, j = min(int(x), 2), min(int(y), 2)
            a, b = x - i, y - j
            bilinear = (
                (1 - a) * (1 - b) * values[j][i] + a * (1 - b) * values[j][i + 1]
                + (1 - a) * b * values[j + 1][i] + a * b * values[j + 1][i + 1]
            )  # fmt: skip
            assert bilinear == pytest.approx(0.25, abs=1e-9)
