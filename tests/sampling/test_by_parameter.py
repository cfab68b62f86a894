"""TPE with a model for each parameter, which spaces of many parameters get."""

import math
from dataclasses import replace
from statistics import mean

import numpy as np
import pytest

from tests.make import make_outcome
from tests.sampling.test_generations import DEFAULT, TOLD
from tests.sampling.test_generations import ask as ask_of_the_lab
from xortune.problems.table.spec import table_spec
from xortune.sampling import ask_generation
from xortune.space import SearchSpace, load_space
from xortune.trial import FinishedTrial, Params, Trial

SPEC = table_spec("regression")
MANY = load_space("table", SPEC)


def ask(told=(), space: SearchSpace = MANY, size=16, generation=1, **rest) -> list[Params]:
    return list(ask_generation(space, "tpe", 0, generation, size, told, **rest))


def distance(params: Params) -> float:
    """From a corner of the space: small dropout, wide, lr of 0.001, and tanh."""
    away = (params["dropout"], math.log(params["width"] / 96), math.log10(params["lr"] / 1e-3))
    return sum(part * part for part in away) + 0.3 * (params["activation"] != "tanh")


def told_of(trials: list[Params], start: int = 0) -> list[FinishedTrial]:
    def finished(number: int, params: Params) -> FinishedTrial:
        values = dict.fromkeys(SPEC.metric_names, 0.5) | {"mse": distance(params)}
        scores = SPEC.scores(values[name] for name in SPEC.metric_names)
        outcome = replace(make_outcome(), scores=scores)
        return FinishedTrial(Trial(number, 0, params), outcome)

    return [finished(start + i, params) for i, params in enumerate(trials)]


@pytest.fixture(scope="module")
def told():
    found: list[FinishedTrial] = []
    for generation in range(8):
        found += told_of(ask(found, generation=generation), len(found))
    return found


def test_the_proposals_come_closer_to_the_best(told):
    first, last = told[:16], told[-16:]
    assert mean(distance(t.trial.params) for t in last) < 0.4 * mean(
        distance(t.trial.params) for t in first
    )
    assert sum(t.trial.params["activation"] == "tanh" for t in last) > 10


def test_a_larger_size_gives_the_same_ones_with_more_behind_them(told):
    longer = ask(told, size=80)
    assert longer[:40] == ask(told, size=40)
    assert len({*longer}) == 80


def test_every_value_is_inside_the_space(told):
    for params in ask(told, size=80):
        assert 16 <= params["width"] <= 128
        assert type(params["width"]) is int
        assert 0 <= params["dropout"] <= 0.5
        assert 0.0003 <= params["lr"] <= 0.005
        assert params["batch_size"] in (32, 64)


def test_earlier_studies_are_continued_as_they_began(told):
    assert ask(told, version=2) != ask(told)


def test_few_parameters_are_modelled_together_as_before():
    assert ask_of_the_lab(told=TOLD, version=2) == ask_of_the_lab(told=TOLD, space=DEFAULT)


def test_the_random_state_of_numpy_is_left_alone(told):
    np.random.seed(3)
    before = np.random.get_state()[1].tolist()
    ask(told)
    assert np.random.get_state()[1].tolist() == before
