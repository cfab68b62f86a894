"""Dropout is the documented function of seed, step, layer and place."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xortune.engines.plain.dropout import Dropout

WORD = 2**32


def mix(x: int) -> int:
    x ^= x >> 16
    x = x * 0x7FEB352D % WORD
    x ^= x >> 15
    x = x * 0x846CA68B % WORD
    return x ^ x >> 16


def documented(seed: int, rate: float, step: int, layer: int, place: int) -> float:
    key = mix((mix((mix(seed % WORD) + step) % WORD) + layer) % WORD)
    if mix(key ^ mix(place)) < round(rate * WORD):
        return 0.0
    return float(np.float32(1 / (1 - rate)))


@given(
    st.integers(0, WORD + 9),
    st.floats(0.01, 0.95),
    st.integers(0, 2**40),
    st.integers(1, 3),
    st.integers(1, 4),
)
@settings(deadline=None)
def test_each_unit_is_dropped_as_documented(seed, rate, step, depth, width):
    factors = Dropout(seed, rate, depth, width, 5).factors(step, 3).tolist()
    for layer in range(depth):
        for row in range(3):
            for unit in range(width):
                expected = documented(seed, rate, step, layer, row * width + unit)
                assert factors[layer][row][unit] == expected


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.95])
def test_the_share_that_is_dropped_is_the_rate(rate):
    dropout = Dropout(1, rate, 2, 100, 100)
    shares = [(dropout.factors(step, 100) == 0).double().mean(dim=(1, 2)) for step in range(10)]
    for layers in shares:
        for share in layers.tolist():
            assert share == pytest.approx(rate, abs=0.02)


def test_steps_layers_and_seeds_drop_different_units():
    masks = {
        (seed, step, layer): tuple(
            (Dropout(seed, 0.5, 2, 8, 8).factors(step, 8)[layer] == 0).flatten().tolist()
        )
        for seed in range(3)
        for step in range(3)
        for layer in range(2)
    }
    assert len({*masks.values()}) == len(masks)


def test_a_short_batch_has_the_units_of_the_first_rows():
    dropout = Dropout(3, 0.4, 2, 5, 9)
    assert dropout.factors(7, 4).tolist() == dropout.factors(7, 9)[:, :4].tolist()
