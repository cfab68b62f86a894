"""Blocks are chosen by what they cost together, whatever the lanes."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xortune.engines.mlp import grouping
from xortune.engines.mlp.grouping import Cost, Kind, grouped, neighbours, portion
from xortune.engines.mlp.native.library import LANES

COST = Cost(inputs=8, outputs=1, rows=1000, measured=250)
kinds = st.builds(
    Kind,
    depth=st.integers(1, 3),
    width=st.integers(1, 128),
    kind=st.integers(0, 4),
    dropped=st.integers(0, 1),
    epochs=st.integers(1, 100),
    batch=st.sampled_from((32, 64, 256)),
)


def seconds(lanes: list[Kind], cost: Cost = COST) -> float:
    """Of one block, until its last lane ends."""
    return cost.of_block(lanes) * max(lane.epochs for lane in lanes)


def narrow(count: int) -> list[Kind]:
    return [Kind(1, 8 + i % 3, 0, 0, 20, 32) for i in range(count)]


@given(lanes=st.lists(kinds, min_size=1, max_size=60))
@settings(max_examples=50, deadline=None)
def test_every_lane_has_a_block_and_no_order_of_neighbours_is_cheaper(lanes):
    blocks, expected = grouped(lanes, COST)
    assert sorted(itertools.chain(*blocks)) == [*range(len(lanes))]
    assert max(map(len, blocks)) <= LANES
    assert sum(seconds([lanes[i] for i in block]) for block in blocks) == pytest.approx(expected)
    order = neighbours(lanes)
    pieces = [order[at : at + LANES] for at in range(0, len(order), LANES)]
    assert expected <= sum(seconds([lanes[i] for i in piece]) for piece in pieces) * (1 + 1e-9)


@given(lanes=st.lists(kinds, min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_an_order_is_cut_where_it_is_cheapest(lanes):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "LANES", 3)
        pieces, found = grouping._cut([*range(len(lanes))], np.array(lanes), COST)
    assert [*itertools.chain(*pieces)] == [*range(len(lanes))]
    every = []
    for cuts in itertools.product((False, True), repeat=len(lanes) - 1):
        places = [0, *(i + 1 for i, cut in enumerate(cuts) if cut), len(lanes)]
        if all(end - begin <= 3 for begin, end in itertools.pairwise(places)):
            parts = [lanes[begin:end] for begin, end in itertools.pairwise(places)]
            every.append(sum(map(seconds, parts)))
    assert found == pytest.approx(min(every))


def test_a_wide_lane_trains_alone_and_narrow_ones_in_blocks():
    wide = Kind(2, 128, 0, 0, 20, 32)
    assert sorted(map(len, grouped([wide, *narrow(32)], COST)[0])) == [1, 16, 16]


def test_few_narrow_lanes_train_alone():
    assert [*map(len, grouped(narrow(3), COST)[0])] == [1, 1, 1]


def test_lanes_of_one_sort_are_cut_into_full_blocks_and_few_that_are_left_train_alone():
    one = Kind(1, 8, 0, 0, 20, 32)
    blocks, found = grouped([one] * 35, COST)
    assert [*map(len, blocks)] == [16, 16, 1, 1, 1]
    assert found == pytest.approx(2 * seconds([one] * 16) + 3 * seconds([one]))


def test_long_lanes_share_a_block():
    lanes = [Kind(1, 32, 0, 0, 200 if i % 4 == 0 else 10, 32) for i in range(64)]
    blocks, _ = grouped(lanes, COST)
    assert [i for i in range(64) if i % 4 == 0] in [sorted(block) for block in blocks]


def test_lanes_of_one_size_share_blocks_by_their_activation():
    lanes = [Kind(2, 48, i % 4, 0, 20, 32) for i in range(64)]
    blocks, _ = grouped(lanes, COST)
    assert sorted(map(sorted, blocks)) == [[*range(kind, 64, 4)] for kind in range(4)]


@pytest.mark.parametrize("depth", [0, 1, 2, 5])
def test_the_cost_counts_the_weights_of_the_widest_and_deepest(depth):
    small, large = Kind(depth, 8, 0, 0, 1, 32), Kind(depth + 1, 64, 0, 0, 1, 32)
    assert COST.of_block([small, large]) == COST.of_block([large] * 2) > COST.of_block([small] * 2)
    assert COST.of_block([large]) > COST.of_block([small])


@pytest.mark.parametrize(
    ("batches", "rows", "most", "expected"),
    [
        ((64, 96, 128), 1000, 1000, 32),
        ((64, 128, 5000), 1000, 1000, 64),
        ((20, 20), 1000, 1000, 20),
        ((1000, 2000), 1000, 2000, 1000),
        ((1000, 2000), 1000, 100, 96),
        ((960,), 1000, 500, 480),
        ((960,), 1000, 100, 96),
        ((960,), 1000, 1, 32),
        ((999,), 1000, 1, 999),
    ],
)
def test_a_portion_is_common_to_all_batches_and_takes_no_longer_than_it_may(
    batches, rows, most, expected
):
    assert portion(batches, rows, most) == expected


def test_neighbours_are_of_similar_depth_and_width():
    sizes = [(1, 9), (2, 3), (3, 5), (2, 8), (1, 2), (3, 7)]
    lanes = [Kind(depth, width, 0, 0, 1, 32) for depth, width in sizes]
    found = [sizes[i] for i in neighbours(lanes)]
    assert found == [(3, 7), (3, 5), (2, 3), (2, 8), (1, 9), (1, 2)]
