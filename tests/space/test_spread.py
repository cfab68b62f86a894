"""The points of a space at which a model is tried before a search."""

import pytest

from xortune.space import inferred_parameters, load_space
from xortune.space.spread import sample_points
from xortune.spec import Objective, ProblemSpec

SPACE = {
    "width": {"values": [16, 4, 8]},
    "activation": {"values": ["Tanh", "ReLU", "GELU", "SiLU"]},
    "bias": {"values": [True, False]},
    "lr": {"distribution": "log_uniform_values", "min": 0.001, "max": 0.1},
    "depth": {"min": 1, "max": 4},
    "dropout": {"distribution": "q_uniform", "min": 0.0, "max": 0.5, "q": 0.25},
    "fixed": {"value": "one"},
}


def space_of(entries=SPACE):
    parameters = inferred_parameters(entries)
    spec = ProblemSpec("mine", parameters, (), None, (Objective("loss"),))
    return load_space(entries, spec)


def test_the_smallest_and_the_largest_point_come_first():
    smallest, largest, *_ = sample_points(space_of(), 0)
    assert smallest == {
        "width": 4, "activation": "Tanh", "bias": True, "lr": 0.001, "depth": 1, "dropout": 0.0,
        "fixed": "one",
    }  # fmt: skip
    assert largest == {
        "width": 16, "activation": "SiLU", "bias": False, "lr": 0.1, "depth": 4, "dropout": 0.5,
        "fixed": "one",
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_every_text_occurs_and_all_values_are_those_of_the_space(seed):
    space = space_of()
    points = sample_points(space, seed)
    assert {point["activation"] for point in points} == {"Tanh", "ReLU", "GELU", "SiLU"}
    for point in points:
        assert point["width"] in (4, 8, 16)
        assert 0.001 <= point["lr"] <= 0.1
        assert type(point["depth"]) is int
        assert 1 <= point["depth"] <= 4
        assert point["dropout"] in (0.0, 0.25, 0.5)
        assert all(space.spec.parameter(name).takes(value) for name, value in point.items())


def test_the_seed_decides_and_no_point_comes_twice():
    space = space_of()
    assert sample_points(space, 1) == sample_points(space, 1) != sample_points(space, 2)
    assert sample_points(space_of({"fixed": {"value": 1}}), 0) == [{"fixed": 1}]


def test_many_texts_do_not_make_many_points():
    names = [f"kind{n}" for n in range(100)]
    assert len(sample_points(space_of({"kind": {"values": names}}), 0)) == 8
