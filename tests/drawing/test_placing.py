"""Numbers on edges: none covers another, and each lies on its own edge."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xortune.drawing.placing import Box, Edge, places

AT = st.floats(0, 500)
EDGES = st.lists(st.builds(Edge, AT, AT, AT, AT), min_size=1, max_size=8)
WIDTHS = st.lists(st.floats(5, 60), min_size=8, max_size=8)


@given(EDGES, WIDTHS, st.lists(st.builds(Box.around, AT, AT, AT, AT), max_size=3))
def test_numbers_that_are_placed_cover_nothing(edges, widths, taken):
    found = places(edges, widths[: len(edges)], 14, taken)
    if found is None:
        return
    boxes = [Box.around(x, y, width, 14) for (x, y), width in zip(found, widths)]
    assert not any(one.meets(other) for one, other in combinations(boxes, 2))
    assert not any(box.meets(other) for box in boxes for other in taken)
    for edge, (x, y) in zip(edges, found):
        assert min(edge.x1, edge.x2) <= x + 1e-6
        assert x <= max(edge.x1, edge.x2) + 1e-6
        across = (x - edge.x1) * (edge.y2 - edge.y1) - (y - edge.y1) * (edge.x2 - edge.x1)
        assert across == pytest.approx(0, abs=1e-3)


def test_a_number_is_in_the_middle_of_an_edge_that_is_alone():
    assert places([Edge(0, 0, 100, 40)], [30], 14, []) == [(50, 20)]


def test_there_is_no_room_in_what_is_taken():
    assert places([Edge(0, 0, 100, 0)], [30], 14, [Box(-50, -50, 150, 50)]) is None


@given(st.builds(Edge, AT, AT, AT, AT), AT, AT)
def test_a_line_crosses_a_box_around_one_of_its_points(edge, x, y):
    box = Box.around(x, y, 40, 20)
    inside = [box.left <= a <= box.right and box.top <= b <= box.bottom
              for a, b in (edge.at(step / 200) for step in range(201))]  # fmt: skip
    assert edge.crosses(box) or not any(inside)


def test_a_line_that_passes_by_crosses_no_box():
    box = Box(0, 0, 10, 10)
    assert not Edge(-5, 0, 0, 20).crosses(box)
    assert not Edge(20, -5, 20, 50).crosses(box)
    assert Edge(-5, 5, 50, 5).crosses(box)
    assert Edge(5, 5, 5, 5).crosses(box)
