"""Stacks, and the parts in which they are measured, have the lanes that the padding says."""

from hypothesis import given
from hypothesis import strategies as st

from xortune.engines.stacked.padding import PADDINGS, Padding


@given(st.sampled_from(PADDINGS), st.integers(1, 700), st.integers(1, 300))
def test_parts_of_a_stack_are_padded_and_leave_nothing_out(padding: Padding, lanes, most):
    padded = padding.padded(lanes)
    assert padded >= max(lanes, padding.least)
    assert padded % padding.multiple == 0
    parts = padding.parts(padded, most)
    assert [part.start for part in parts] == [0, *(part.stop for part in parts[:-1])]
    assert parts[-1].stop == padded
    for part in parts:
        size = part.stop - part.start
        assert padding.padded(size) == size


def test_a_stack_is_not_larger_than_it_must_be():
    assert [Padding().padded(lanes) for lanes in (1, 2, 3, 201)] == [2, 2, 3, 201]
    assert [Padding(64, 64).padded(lanes) for lanes in (1, 64, 65)] == [64, 64, 128]
