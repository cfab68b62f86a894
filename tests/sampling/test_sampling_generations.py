import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from statistics import mean

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xortune.sampling import ask_generation, optuna_study
from xortune.settings import SAMPLERS
from xortune.space import SearchSpace, load_space
from xortune.trial import FinishedTrial, Outcome, Params, Scores, Trial

DEFAULT = load_space("default")
SMALL = load_space(
    {
        "lr": {"values": [0.25, 0.5]},
        "epochs": {"min": 1, "max": 4},
        "seed": {"min": 10, "max": 18, "distribution": "q_uniform", "q": 4},
        "loss_fn": {"value": "bce"},
    }
)


def ask(sampler="tpe", space=DEFAULT, study_seed=0, generation=1, size=12, told=()):
    return ask_generation(space, sampler, study_seed, generation, size, told, "mse")


def finished(number: int, params: Params, mse: float | None) -> FinishedTrial:
    if mse is None:
        outcome = Outcome("FAIL", error="loss is not finite at epoch 2")
    else:
        outcome = Outcome("COMPLETE", Scores(train_loss=mse, mse=mse, bce=2 * mse, accuracy=1.0))
    return FinishedTrial(Trial(number, 0, params), outcome)


def told_by(loss: Callable[[Params], float | None], count: int = 40) -> list[FinishedTrial]:
    """The first generation, with the losses that a function gives."""
    asked = ask("random", generation=0, size=count)
    return [finished(number, params, loss(params)) for number, params in enumerate(asked)]


def away_from_5(params: Params) -> float:
    return abs(math.log10(params.lr / 5))


TOLD = told_by(away_from_5)


@pytest.mark.parametrize("sampler", SAMPLERS)
class TestEverySampler:
    def test_the_same_arguments_give_the_same_trials(self, sampler):
        assert ask(sampler, told=TOLD) == ask(sampler, told=TOLD)

    def test_a_larger_size_gives_the_same_ones_with_more_behind_them(self, sampler):
        longer = ask(sampler, size=15, told=TOLD)
        assert len(longer) == 15
        assert longer[:6] == ask(sampler, size=6, told=TOLD)

    @pytest.mark.parametrize("other", [{"study_seed": 1}, {"generation": 2}])
    def test_another_study_seed_or_generation_gives_other_trials(self, sampler, other):
        trials, others = ask(sampler, told=TOLD), ask(sampler, told=TOLD, **other)
        for name in ("lr", "epochs", "seed"):
            shared = {getattr(p, name) for p in trials} & {getattr(p, name) for p in others}
            assert len(shared) <= 1, name

    def test_trials_of_a_generation_differ(self, sampler):
        assert len({p.lr for p in ask(sampler, told=TOLD, size=30)}) == 30

    def test_failed_trials_are_accepted(self, sampler):
        some = told_by(lambda p: None if p.lr > 3 else away_from_5(p))
        none = told_by(lambda p: None)
        assert len(ask(sampler, told=some)) == len(ask(sampler, told=none)) == 12

    def test_all_values_of_a_small_space_come_out_and_no_others(self, sampler):
        trials = ask(sampler, SMALL, size=150)
        assert {p.lr for p in trials} == {0.25, 0.5}
        assert {p.epochs for p in trials} == {1, 2, 3, 4}
        assert {p.seed for p in trials} == {12, 16}
        assert {p.loss_fn for p in trials} == {"bce"}
        assert {type(p.epochs) for p in trials} == {type(p.seed) for p in trials} == {int}

    def test_nothing_outside_the_default_space_comes_out(self, sampler):
        for p in ask(sampler, told=TOLD, size=60):
            assert 0.01 <= p.lr <= 10
            assert 500 <= p.epochs <= 10_000
            assert 0 <= p.seed <= 9999

    def test_a_space_of_one_point(self, sampler):
        point = load_space({"lr": {"value": 0.5}})
        assert ask(sampler, point, size=3) == [Params(lr=0.5)] * 3

    def test_optuna_s_verbosity_is_restored(self, sampler):
        before = optuna.logging.get_verbosity()
        for verbosity in (optuna.logging.INFO, optuna.logging.ERROR):
            optuna.logging.set_verbosity(verbosity)
            ask(sampler, told=TOLD)
            optuna_study("quiet", DEFAULT, TOLD, "mse")
            assert optuna.logging.get_verbosity() == verbosity
        optuna.logging.set_verbosity(before)


def test_optuna_is_silent():
    """In a process of its own, since Optuna keeps the stderr that it was imported with."""
    script = """
from xortune.sampling import ask_generation, optuna_study
from xortune.space import load_space
for sampler in ("tpe", "random"):
    ask_generation(load_space("default"), sampler, 0, 0, 3, [], "mse")
optuna_study("quiet", load_space("default"), [], "mse")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@given(st.integers(0, 2**32 - 1), st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_any_study_seed_and_generation_will_do(study_seed, generation):
    for p in ask("random", SMALL, study_seed, generation, size=4):
        assert p.lr in (0.25, 0.5)
        assert p.epochs in range(1, 5)


def test_tpe_moves_to_where_trials_were_good():
    learnt = mean(away_from_5(p) for p in ask(told=TOLD, size=30))
    unlearnt = mean(away_from_5(p) for p in ask("random", told=TOLD, size=30))
    assert learnt < unlearnt / 2


def test_tpe_learns_the_loss_function_and_the_epochs():
    told = told_by(lambda p: (p.loss_fn != "bce") + abs(math.log(p.epochs / 8000)))
    trials = ask(told=told, size=30)
    assert sum(p.loss_fn == "bce" for p in trials) > 20
    assert sum(p.epochs > 4000 for p in trials) > 20


def test_tpe_learns_from_the_study_s_yardstick():
    """Here the two order the trials oppositely."""
    mirrored = [
        replace(t, outcome=replace(t.outcome, scores=replace(t.outcome.scores, bce=-loss)))
        for t in TOLD
        for loss in [away_from_5(t.trial.params)]
    ]
    by_mse, by_bce = (
        ask_generation(DEFAULT, "tpe", 0, 1, 30, mirrored, metric) for metric in ("mse", "bce")
    )
    assert mean(map(away_from_5, by_mse)) < mean(map(away_from_5, by_bce)) / 2


def test_random_learns_nothing():
    assert ask("random", told=TOLD) == ask("random", told=[])


def model_part(trials: list[Params]) -> list[Params]:
    return [replace(p, seed=0) for p in trials]


def test_told_seeds_do_not_influence_tpe():
    """Neither where they are noise, nor where the seed alone decides the loss."""
    for loss in (away_from_5, lambda p: p.seed / 9999):
        told = told_by(loss)
        others = [
            replace(t, trial=replace(t.trial, params=replace(t.trial.params, seed=7 * i)))
            for i, t in enumerate(told)
        ]
        assert model_part(ask(told=others)) == model_part(ask(told=told))


def test_seeds_are_drawn_whatever_was_told():
    seeds = [p.seed for p in ask(told=TOLD, size=30)]
    assert [p.seed for p in ask(told=told_by(lambda p: p.seed / 9999), size=30)] == seeds
    assert [p.seed for p in ask(told=[], size=30)] == seeds
    assert len(set(seeds)) > 25
    assert 3000 < mean(seeds) < 7000


def test_the_sampler_can_be_rebuilt_without_earlier_generations_being_asked():
    """What a study says of generation 2 depends on what was told, not on who asked before."""
    first = ask(generation=2, told=TOLD)
    ask(generation=0)
    ask(generation=1, told=TOLD[:10])
    assert ask(generation=2, told=TOLD) == first


def draws(entry: dict, count: int = 6000) -> list:
    space: SearchSpace = load_space({"epochs": entry})
    return [p.epochs for p in ask("random", space, size=count)]


@pytest.mark.parametrize(
    ("entry", "values"),
    [
        ({"min": 1, "max": 6}, range(1, 7)),
        ({"min": 10, "max": 34, "distribution": "q_uniform", "q": 8}, (16, 24, 32)),
    ],
)
def test_the_ends_of_a_range_of_integers_are_as_likely_as_its_middle(entry, values):
    """Within five standard deviations of a fair die."""
    found = draws(entry)
    share = len(found) / len(values)
    assert set(found) == set(values)
    for value in values:
        assert abs(found.count(value) - share) < 5 * math.sqrt(share), value


def test_a_logarithmic_range_of_integers_is_spread_over_the_logarithm():
    found = draws({"min": 1, "max": 8, "distribution": "q_log_uniform_values", "q": 1})
    whole = math.log(8.5 / 0.5)
    for value in range(1, 9):
        share = len(found) * math.log((value + 0.5) / (value - 0.5)) / whole
        assert abs(found.count(value) - share) < 5 * math.sqrt(share), value
