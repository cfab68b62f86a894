"""How many points a space has, and each by its index."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.make import make_params
from tests.space.spaces import PROBLEMS, load_xor
from xortune.problems.xor.spec import SPEC
from xortune.sampling import ask_generation
from xortune.space import count_points, count_values, load_space, point_at
from xortune.spec import Parameter


@pytest.mark.parametrize(
    ("entry", "count"),
    [
        ({"value": 3}, 1),
        ({"values": [1, 2]}, 2),
        ({"min": 1, "max": 9}, 9),
        ({"min": 1, "max": 9, "q": 2, "distribution": "q_uniform"}, 4),
        ({"min": 1, "max": 2**31 - 1, "q": 1, "distribution": "q_log_uniform_values"}, 2**31 - 1),
    ],
)
def test_whole_numbers_are_counted(entry, count):
    assert count_points(load_xor({"epochs": entry})) == count


@pytest.mark.parametrize(
    ("entry", "count"),
    [
        ({"values": [0.1, 0.3, 1]}, 3),
        ({"min": 0.1, "max": 0.7, "q": 0.1, "distribution": "q_uniform"}, 7),
        ({"min": 0.1, "max": 0.7}, None),
        ({"min": 1, "max": 3, "distribution": "uniform"}, None),
        ({"min": 1, "max": 3}, 3),
        ({"min": 1.0, "max": 1e30, "q": 1e-9, "distribution": "q_uniform"}, None),
    ],
)
def test_learning_rates_are_counted_where_they_have_a_step(entry, count):
    assert count_points(load_xor({"lr": entry})) == count


def test_a_grid_is_infinite_where_floats_cannot_tell_its_neighbours_apart():
    spec = replace(SPEC, parameters=(Parameter("x", "float", 0.0, -1e30, 1e30),), cost=None)
    for low, high, q, count in [(-1e30, 0, 1e-9, None), (0, 1e30, 1e-9, None), (-1, 1, 0.25, 9)]:
        entry = {"min": low, "max": high, "q": q, "distribution": "q_uniform"}
        assert count_points(load_space({"x": entry}, spec)) == count


def test_points_are_all_combinations():
    space = load_xor({"lr": {"values": [1, 2]}, "seed": {"min": 5, "max": 7}})
    points = [point_at(space, index) for index in range(6)]
    assert set(points) == {make_params(lr=lr, seed=seed) for lr in (1, 2) for seed in (5, 6, 7)}
    assert len(points) == count_points(space)


@settings(deadline=None)
@given(PROBLEMS, st.integers(0, 2**32 - 1))
def test_what_is_drawn_is_one_of_the_points(problem, study_seed):
    """Bit by bit, since that is how a repeat is known."""
    spec, block = problem
    space = load_space(block, spec)
    count = count_points(space)
    if count is None or count > 300:
        return
    points = {point_at(space, index) for index in range(count)}
    assert len(points) == count == math.prod(map(count_values, space.domains.values()))
    assert set(ask_generation(space, "random", study_seed, 0, 30, [], version=1)) <= points


@settings(deadline=None)
@given(PROBLEMS, st.floats(0, 1, exclude_max=True))
def test_every_point_of_a_large_space_lies_in_it(problem, share):
    spec, block = problem
    space = load_space(block, spec)
    count = count_points(space)
    if count is None:
        return
    for params in (point_at(space, int(share * count)), point_at(space, count - 1)):
        for name, domain in space.domains.items():
            ends = getattr(domain, "values", None) or (domain.low, domain.high)
            value = params[name]
            assert spec.parameter(name).takes(value)
            assert value in ends or ends[0] <= value <= ends[-1]
