"""The orders of rows that the C code draws are those of PyTorch, bit for bit."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from xortune.engines.loading import loaded
from xortune.engines.mlp.native.build import built_library
from xortune.engines.mlp.native.library import LANES, WORDS, CFunctions

# Of each lane, the orders that it has had before.
BEFORE = st.lists(st.integers(0, 5), min_size=LANES, max_size=LANES)
SEEDS = st.lists(st.integers(0, 2**32 - 1), min_size=LANES, max_size=LANES)
# Those of one word and none; around a generator's 624 words; around 16 bits.
COUNTS = (1, 2, 3, 4, 623, 624, 625, 626, 65_535, 65_536, 65_537)


def orders(
    functions: CFunctions, rows: int, seeds: Sequence[int], before: Sequence[int], count: int
) -> list[NDArray[np.int32]]:
    """The next orders of all lanes, each `(rows, LANES)`."""
    words = np.zeros((WORDS, LANES), np.uint32)
    for lane, (seed, skipped) in enumerate(zip(seeds, before)):
        functions.seed(words, lane, seed, rows, skipped)
    return [drawn(functions, words, rows) for _ in range(count)]


def drawn(functions: CFunctions, words: NDArray[np.uint32], rows: int) -> NDArray[np.int32]:
    order = np.full((rows, LANES), -1, np.int32)
    functions.permute(words, order)
    return order


def expected(rows: int, seed: int, before: int, count: int) -> list[list[int]]:
    generator = torch.Generator().manual_seed(seed)
    every = [torch.randperm(rows, generator=generator).tolist() for _ in range(before + count)]
    return every[before:]


@pytest.fixture(params=[16, 8])
def each_vector(request, functions) -> CFunctions:
    if functions.vector < request.param:
        pytest.skip("this processor has no such vectors")
    return CFunctions(loaded(built_library(), "other"), request.param)


@pytest.mark.parametrize("rows", COUNTS)
def test_orders_of_many_numbers_of_rows(each_vector, rows):
    seeds = [2**32 - 1 - 7 * lane for lane in range(LANES)]
    found = orders(each_vector, rows, seeds, [0] * LANES, 2)
    for lane in (0, 7, 15):
        assert [o[:, lane].tolist() for o in found] == expected(rows, seeds[lane], 0, 2)


def test_an_order_of_a_million_rows(functions):
    rows = 1_000_003
    (found,) = orders(functions, rows, range(LANES), [0] * LANES, 1)
    assert found[:, 15].tolist() == expected(rows, 15, 0, 1)[0]


@given(rows=st.integers(1, 700), seeds=SEEDS, before=BEFORE)
@settings(max_examples=20, deadline=None)
def test_lanes_that_have_had_different_numbers_of_orders_draw_their_next(
    functions, rows, seeds, before
):
    found = orders(functions, rows, seeds, before, 3)
    for lane in range(LANES):
        wanted = expected(rows, seeds[lane], before[lane], 3)
        assert [o[:, lane].tolist() for o in found] == wanted


@given(rows=st.integers(2, 700), epochs=st.integers(1, 3), before=st.integers(0, 3))
@settings(max_examples=20, deadline=None)
def test_a_lane_that_joins_others_draws_its_own_orders_and_changes_none(
    functions, rows, epochs, before
):
    words = np.zeros((WORDS, LANES), np.uint32)
    for lane in range(LANES - 1):
        functions.seed(words, lane, lane, rows, 0)
    for _ in range(epochs):
        drawn(functions, words, rows)
    functions.seed(words, LANES - 1, 99, rows, before)
    found = drawn(functions, words, rows)
    assert found[:, -1].tolist() == expected(rows, 99, before, 1)[0]
    assert found[:, 3].tolist() == expected(rows, 3, epochs, 1)[0]
