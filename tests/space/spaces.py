"""Valid `parameters` blocks for Hypothesis, in every form that a sweep file may give them."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from xortune.trial import LOSS_FNS

Entry = st.SearchStrategy[dict[str, Any]]

RATES = st.floats(min_value=1e-30, max_value=1e30)


def sorted_pair(numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, Any]]:
    return st.tuples(numbers, numbers).map(lambda pair: (min(pair), max(pair)))


def choices(numbers: st.SearchStrategy[Any]) -> Entry:
    """`value` and `values`, with and without their distribution."""
    lists = st.lists(numbers, min_size=1, max_size=5, unique=True)
    return st.one_of(
        st.fixed_dictionaries({"value": numbers}, optional={"distribution": st.just("constant")}),
        st.fixed_dictionaries({"values": lists}, optional={"distribution": st.just("categorical")}),
    )


def ranges(numbers: st.SearchStrategy[Any], distributions: list[str]) -> Entry:
    """`min` and `max`; a distribution of None is left out."""
    return st.builds(
        lambda bounds, distribution: (
            {"min": bounds[0], "max": bounds[1]}
            | ({"distribution": distribution} if distribution else {})
        ),
        sorted_pair(numbers),
        st.sampled_from([None, *distributions]),
    )


@st.composite
def grids(draw, steps: st.SearchStrategy[Any], most: int) -> dict[str, Any]:
    """`q_*`, with bounds that have multiples of q between them."""
    q = draw(steps)
    low = draw(st.integers(1, most))
    high = low + draw(st.integers(2, most))
    distribution = draw(st.sampled_from(["q_uniform", "q_log_uniform_values"]))
    return {"min": low * q, "max": high * q, "q": q, "distribution": distribution}


def logarithms(distribution: str, low: float, high: float) -> Entry:
    """`min` and `max` are natural logarithms."""
    return sorted_pair(st.floats(low, high) | st.integers(math.ceil(low), math.floor(high))).map(
        lambda bounds: {"min": bounds[0], "max": bounds[1], "distribution": distribution}
    )


def whole(low: int, high: int) -> Entry:
    numbers = st.integers(low, high)
    return st.one_of(
        choices(numbers | st.integers(low, min(high, 2**20)).map(float)),
        ranges(numbers, ["int_uniform"]),
        grids(st.integers(1, 100) | st.integers(1, 100).map(float), 1000),
        logarithms("q_log_uniform", 0, math.log(high)),
    )


PARAMETERS: st.SearchStrategy[dict[str, dict[str, Any]]] = st.fixed_dictionaries(
    {},
    optional={
        "lr": st.one_of(
            choices(RATES | st.integers(1, 100)),
            ranges(RATES, ["uniform", "log_uniform_values"]),
            ranges(st.integers(1, 100), ["int_uniform", "uniform", "log_uniform_values"]),
            grids(st.sampled_from([0.001, 0.1, 0.25, 1.0, 2]), 1000),
            logarithms("log_uniform", -60, 60),
            logarithms("q_log_uniform", 0, 60),
        ),
        "epochs": whole(1, 2**31 - 1),
        "seed": whole(0, 2**32 - 1),
        "loss_fn": choices(st.sampled_from(LOSS_FNS)),
    },
).filter(bool)
