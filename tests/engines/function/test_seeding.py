"""Seeds: from the study's seed and the trial's number, and there however a library arrives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engines.function.functions import engine_for
from tests.make import lanes
from xortune.engines.function.seeding import seed_of

SPACE = {"early": {"values": [False, True]}}


@given(st.integers(0, 2**32 - 1), st.integers(-1, 10**7))
def test_a_seed_fits_every_generator(study_seed, number):
    assert 0 <= seed_of(study_seed, number) < 2**64


def test_seeds_are_those_of_any_machine():
    assert seed_of(0, 0) == 5857645148978988075
    assert len({seed_of(s, n) for s in range(50) for n in range(50)}) == 2500


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_a_trial_that_is_the_first_to_import_a_library_draws_as_any_other(library):
    def train(config, report):
        import importlib
        import sys

        assert (config["library"] in sys.modules) is config["early"]
        module = importlib.import_module(config["library"])
        generator = module.random if config["library"] == "numpy" else module
        return float(generator.rand(1)[0])

    engine, spec = engine_for(train, {**SPACE, "library": {"value": library}})
    trainer = engine.open("cpu")
    first, again = (
        trainer.train(lanes([spec.params((early, library))], numbers=[5]), None)[0]
        for early in (False, True)
    )
    assert first.error is again.error is None
    assert first.scores == again.scores


def test_the_order_of_sets_and_the_number_of_threads_are_fixed():
    def train(config, report):
        import os

        return {"loss": float(hash("a") % 2**40), "threads": int(os.environ["OMP_NUM_THREADS"])}

    scores = set()
    for _ in range(2):
        engine, spec = engine_for(train, SPACE)
        (outcome,) = engine.open("cpu").train(lanes([spec.defaults]), None)
        scores.add(outcome.scores)
    (only,) = scores
    assert only["threads"] == 1
