"""The initial weights that C draws, against Python's own Mersenne Twister."""

import random
import struct
from array import array

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from xortune.engines.xor.native import built_library, load_library

SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def functions(real):
    return load_library(built_library())


def drawn(functions, seeds: list[int], low: float, high: float) -> list[list[float]]:
    """Nine draws of each seed; as many others are drawn beside them as fill the block."""
    lanes = -(-len(seeds) // 32) * 32
    filled = array("I", [*seeds, *range(lanes - len(seeds))])
    draws = array("f", [7.0] * 9 * lanes)
    functions.draw(filled.buffer_info()[0], low, high, draws.buffer_info()[0], lanes)
    return [list(draws[i::lanes]) for i in range(len(seeds))]


def single(value: float) -> float:
    return struct.unpack("f", struct.pack("f", value))[0]


def oracle(seed: int, low: float, high: float) -> list[float]:
    """Low and high are float32, and their products with 24 bits exact in 64."""
    words = [seed]
    for n in range(1, 624):
        words.append((1812433253 * (words[-1] ^ (words[-1] >> 30)) + n) % 2**32)
    twister = random.Random()
    twister.setstate((3, (*words, 624), None))
    width = single(high - low)
    return [single((twister.getrandbits(32) % 2**24) / 2**24 * width + low) for _ in range(9)]


@given(st.lists(SEEDS, min_size=1, max_size=70))
@example([0])
@example([2**31, 2**32 - 1])
@settings(max_examples=60, deadline=None)
def test_draws_are_those_of_the_generator(functions, seeds):
    low, high = -single(0.5**0.5), single(0.5**0.5)
    assert drawn(functions, seeds, low, high) == [oracle(seed, low, high) for seed in seeds]


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.5, 1.5), (2.0, 2.5)])
def test_bounds_are_kept(functions, low, high):
    draws = drawn(functions, list(range(640)), low, high)
    assert draws[5] == oracle(5, low, high)
    flat = [draw for nine in draws for draw in nine]
    assert low <= min(flat) < low + 0.01 * (high - low)
    assert high - 0.01 * (high - low) < max(flat) <= high


def test_a_lane_is_drawn_as_if_it_were_alone(functions):
    together = drawn(functions, list(range(100)), 0.0, 1.0)
    assert [drawn(functions, [seed], 0.0, 1.0)[0] for seed in range(100)] == together
