import math
import os
import random
import subprocess
import sys
import tracemalloc
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import mean

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.make import make_outcome, make_params, make_scores
from tests.space.spaces import PROBLEMS, load_xor
from xortune.problems.xor.spec import LOSS_FNS, SPEC
from xortune.sampling import ask_generation, optuna_study
from xortune.sampling.samplers import Model
from xortune.sampling.window import window
from xortune.settings import SAMPLERS
from xortune.space import Range, SearchSpace, count_points, load_space
from xortune.spec import Objective
from xortune.trial import FinishedTrial, Outcome, Params, RecordedTrial, Trial
from xortune.trial_table import TrialTable

DEFAULT = load_xor("default")
SMALL = load_xor(
    {
        "lr": {"values": [0.25, 0.5]},
        "epochs": {"min": 1, "max": 4},
        "seed": {"min": 10, "max": 18, "distribution": "q_uniform", "q": 4},
        "loss_fn": {"value": "bce"},
    }
)


def ask(
    sampler="tpe", space=DEFAULT, study_seed=0, generation=1, size=12, told=(), **rest
) -> list[Params]:
    return list(ask_generation(space, sampler, study_seed, generation, size, told, **rest))


def finished(number: int, params: Params, mse: float | None) -> FinishedTrial:
    if mse is None:
        return FinishedTrial(Trial(number, 0, params), make_outcome("FAIL"))
    scores = make_scores(train_loss=mse, mse=mse, bce=2 * mse, accuracy=1.0)
    return FinishedTrial(Trial(number, 0, params), make_outcome(scores=scores))


def told_by(loss: Callable[[Params], float | None], count: int = 40) -> list[FinishedTrial]:
    """The first generation, with the losses that a function gives."""
    asked = ask("random", generation=0, size=count)
    return [finished(number, params, loss(params)) for number, params in enumerate(asked)]


def away_from_5(params: Params) -> float:
    return abs(math.log10(params["lr"] / 5))


TOLD = told_by(away_from_5)
# Of the default space's ranges, where TPE goes more than once.
ENDS = {0.01, 10.0, 500, 10_000}


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
            shared = {p[name] for p in trials} & {p[name] for p in others}
            assert len(shared - ENDS) <= 1, name

    def test_trials_of_a_generation_differ(self, sampler):
        trials = ask(sampler, told=TOLD, size=30)
        inside = [p["lr"] for p in trials if p["lr"] not in ENDS]
        assert len(set(trials)) == 30
        assert len(set(inside)) == len(inside) > 20

    def test_failed_trials_are_accepted(self, sampler):
        some = told_by(lambda p: None if p["lr"] > 3 else away_from_5(p))
        none = told_by(lambda p: None)
        assert len(ask(sampler, told=some)) == len(ask(sampler, told=none)) == 12

    def test_all_values_of_a_small_space_come_out_and_no_others(self, sampler):
        trials = ask(sampler, SMALL, size=150)
        assert len(trials) == len(set(trials)) == 2 * 4 * 2
        assert {p["lr"] for p in trials} == {0.25, 0.5}
        assert {p["epochs"] for p in trials} == {1, 2, 3, 4}
        assert {p["seed"] for p in trials} == {12, 16}
        assert {p["loss_fn"] for p in trials} == {"bce"}
        assert {type(p["epochs"]) for p in trials} == {type(p["seed"]) for p in trials} == {int}

    def test_nothing_outside_the_default_space_comes_out(self, sampler):
        for p in ask(sampler, told=TOLD, size=60):
            assert 0.01 <= p["lr"] <= 10
            assert 500 <= p["epochs"] <= 10_000
            assert 0 <= p["seed"] <= 9999

    def test_a_space_of_one_point(self, sampler):
        point = load_xor({"lr": {"value": 0.5}})
        assert ask(sampler, point, size=3) == [make_params(lr=0.5)]
        told = [finished(number, make_params(lr=0.5), number) for number in range(20)]
        assert ask(sampler, point, size=3, told=told) == []
        assert ask(sampler, point, size=3, told=told, version=1) == [make_params(lr=0.5)] * 3

    @pytest.mark.parametrize(
        "narrow", [Range(0.5, 0.5), Range(0.5, 0.5, log=True), Range(0.3, 0.7, step=0.5)]
    )
    def test_ranges_of_a_single_value(self, sampler, narrow):
        domains = {**DEFAULT.domains, "lr": narrow, "epochs": Range(7, 7), "seed": Range(3, 3)}
        told = [
            finished(number, make_params(lr=0.5, epochs=7, seed=3, loss_fn="bce"), number)
            for number in range(20)
        ]
        for p in ask(sampler, SearchSpace(SPEC, "custom", domains, {}), told=told):
            assert (p["lr"], p["epochs"], p["seed"]) == (0.5, 7, 3)

    def test_trials_are_asked_only_as_they_are_taken(self, sampler):
        asked = ask_generation(DEFAULT, sampler, 0, 1, 10**12, TOLD)
        assert [next(asked) for _ in range(12)] == ask(sampler, told=TOLD)

    def test_what_is_told_later_is_not_read(self, sampler):
        told = list(TOLD)
        asked = ask_generation(DEFAULT, sampler, 0, 1, 12, told)
        told.clear()
        assert list(asked) == ask(sampler, told=TOLD)

    def test_generations_can_be_asked_side_by_side(self, sampler):
        first = ask_generation(DEFAULT, sampler, 0, 1, 12, TOLD)
        second = ask_generation(DEFAULT, sampler, 0, 2, 12, TOLD)
        pairs = list(zip(first, second))
        assert [one for one, _ in pairs] == ask(sampler, told=TOLD)
        assert [two for _, two in pairs] == ask(sampler, told=TOLD, generation=2)

    def test_global_random_numbers_are_neither_drawn_nor_used(self, sampler):
        random.seed(1)
        np.random.seed(1)
        trials = ask(sampler, told=TOLD)
        assert (random.random(), np.random.random()) == (0.13436424411240122, 0.417022004702574)
        assert ask(sampler, told=TOLD) == trials

    def test_nothing_of_optuna_s_settings_is_changed_between_two_trials(self, sampler):
        before = (optuna.logging.get_verbosity(), list(warnings.filters))
        asked = ask_generation(DEFAULT, sampler, 0, 1, 3, TOLD)
        for _ in range(3):
            next(asked)
            assert (optuna.logging.get_verbosity(), list(warnings.filters)) == before

    def test_optuna_s_verbosity_is_restored(self, sampler):
        before = optuna.logging.get_verbosity()
        for verbosity in (optuna.logging.INFO, optuna.logging.ERROR):
            optuna.logging.set_verbosity(verbosity)
            ask(sampler, told=TOLD)
            optuna_study("quiet", DEFAULT, [RecordedTrial(*told) for told in TOLD])
            assert optuna.logging.get_verbosity() == verbosity
        optuna.logging.set_verbosity(before)


IN_A_PROCESS = """
from xortune.sampling import ask_generation, optuna_study
from xortune.space import load_space
from tests.make import SPEC, make_outcome, make_scores
from xortune.trial import FinishedTrial, RecordedTrial, Trial
space, told = load_space("default", SPEC), []
for number, params in enumerate(ask_generation(space, "random", 0, 0, 20, [])):
    outcome = make_outcome(scores=make_scores(mse=params["lr"]))
    told.append(FinishedTrial(Trial(number, 0, params), outcome))
for sampler in ("tpe", "random"):
    trials = list(ask_generation(space, sampler, 0, 1, 3, told))
    if {print}: print(trials)
optuna_study("quiet", space, [RecordedTrial(*one) for one in told])
"""


def in_a_process(print_trials: bool, **environment: str) -> str:
    script = IN_A_PROCESS.replace("{print}", str(print_trials))
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_optuna_is_silent():
    """In a process of its own, since Optuna keeps the stderr that it was imported with."""
    assert in_a_process(print_trials=False) == ""


def test_another_process_asks_for_the_same():
    """The hash seed decides the order of sets of strings."""
    first, second = (in_a_process(True, PYTHONHASHSEED=seed) for seed in "12")
    assert first == second
    assert first.count("Params(") == 6


@given(st.integers(0, 2**32 - 1), st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_any_study_seed_and_generation_will_do(study_seed, generation):
    for p in ask("random", SMALL, study_seed, generation, size=4):
        assert p["lr"] in (0.25, 0.5)
        assert p["epochs"] in range(1, 5)


def test_tpe_moves_to_where_trials_were_good():
    learnt = mean(away_from_5(p) for p in ask(told=TOLD, size=30))
    unlearnt = mean(away_from_5(p) for p in ask("random", told=TOLD, size=30))
    assert learnt < unlearnt / 2


def test_tpe_learns_the_loss_function_and_the_epochs():
    told = told_by(lambda p: (p["loss_fn"] != "bce") + abs(math.log(p["epochs"] / 8000)), count=200)
    trials = ask(told=told, size=30)
    assert sum(p["loss_fn"] == "bce" for p in trials) > 20
    assert sum(p["epochs"] > 4000 for p in trials) > 20


def test_tpe_learns_from_the_study_s_objective():
    """The two metrics order the trials oppositely, and so do two directions."""
    mirrored = [
        t._replace(outcome=make_outcome(scores=make_scores(mse=loss, bce=-loss, accuracy=loss)))
        for t in TOLD
        for loss in [away_from_5(t.trial.params)]
    ]
    by_mse, by_bce, by_most = (
        mean(map(away_from_5, ask(space=replace(DEFAULT, spec=spec), told=mirrored, size=30)))
        for spec in (
            SPEC,
            SPEC.with_objective("bce"),
            replace(SPEC, objectives=(Objective("accuracy", "maximize"),)),
        )
    )
    assert by_mse < by_bce / 2
    assert by_bce == by_most


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_tpe_is_told_the_loss_of_pruned_trials_as_that_of_complete_ones(direction):
    """Also where a trial is the better the larger its objective is."""
    spec = SPEC.extended(replicated=False, pruned=True).with_objective("mse", direction)
    space = replace(DEFAULT, spec=spec)

    def told(state: str) -> list[FinishedTrial]:
        name = "mse" if state == "COMPLETE" else "pruned_loss"
        values = [{name: away_from_5(t.trial.params), "pruned_epoch": 9.0} for t in TOLD]
        scores = [spec.scores(v.get(n, math.nan) for n in spec.metric_names) for v in values]
        return [t._replace(outcome=Outcome(state, one)) for t, one in zip(TOLD, scores)]

    learnt = ask(space=space, told=told("PRUNED"), size=30)
    assert learnt == ask(space=space, told=told("COMPLETE"), size=30)
    failed = [t._replace(outcome=make_outcome("FAIL")) for t in TOLD]
    blind = mean(map(away_from_5, ask(space=space, told=failed, size=30)))
    assert (mean(map(away_from_5, learnt)) < blind) == (direction == "minimize")


def test_random_learns_nothing():
    assert ask("random", told=TOLD) == ask("random", told=[])


@pytest.mark.parametrize("count", [9, 10])
def test_tpe_draws_blindly_until_ten_trials_are_told(count):
    learnt = ask(told=TOLD[:count]) != ask("random")
    assert learnt == (count == 10)


def test_tpe_draws_blindly_while_all_trials_fail():
    failed = [finished(t.trial.number, t.trial.params, None) for t in TOLD]
    assert ask(told=failed) == ask("random")


def test_tpe_keeps_away_from_where_trials_fail():
    """Where they do not fail, one is as good as the other."""
    told = told_by(lambda p: None if p["lr"] > 0.5 else 0.1, count=60)
    share = mean(p["lr"] > 0.5 for p in ask(told=told, size=40))
    assert share < 0.5 * mean(t.trial.params["lr"] > 0.5 for t in told)


def test_tpe_gets_to_the_ends_of_ranges():
    told = told_by(lambda p: -math.log(p["lr"]) - math.log(p["epochs"]))
    trials = ask(told=told, size=60)
    assert any(p["lr"] == 10.0 for p in trials)
    assert sum(p["epochs"] == 10_000 for p in trials) > 1


def test_tpe_seldom_goes_to_an_end_when_the_best_is_inside():
    told = told_by(lambda p: abs(math.log(p["lr"] / 0.3)), count=100)
    assert sum(p["lr"] in (0.01, 10.0) for p in ask(told=told, size=30)) < 2


def test_tpe_remembers_the_best_of_many_trials():
    """They are the first of 600, the others all lie elsewhere."""
    told = sorted(told_by(away_from_5, count=600), key=lambda t: away_from_5(t.trial.params))
    told = [t._replace(trial=t.trial._replace(number=i)) for i, t in enumerate(told)]
    assert mean(away_from_5(p) for p in ask(told=told, size=30)) < 0.1


def test_tpe_is_built_from_a_window_of_the_told_trials():
    """What is outside might as well be other trials: more told ones cost nothing."""
    told = told_by(away_from_5, count=600)
    kept = set(window([away_from_5(t.trial.params) for t in told]))
    others = [
        t
        if t.trial.number in kept
        else t._replace(trial=t.trial._replace(params=make_params(epochs=600)))
        for t in told
    ]
    assert others != told
    assert ask(told=others) == ask(told=told)


@pytest.mark.parametrize("generation", range(6))
def test_tpe_keeps_apart_what_it_asks_together(generation):
    """The loss function does not matter here, so one of them must not take it all."""
    asked = ask("random", generation=generation, size=40)
    told = [finished(number, params, away_from_5(params)) for number, params in enumerate(asked)]
    trials = ask(told=told, size=60)
    assert max(sum(p["loss_fn"] == loss_fn for p in trials) for loss_fn in LOSS_FNS) < 50


def test_tpe_knows_the_latest_hundred_trials_of_a_generation():
    """More of them cost nothing. Optuna ignores failed ones."""
    model = Model(DEFAULT, 0, 1, [(t.trial.params, away_from_5(t.trial.params)) for t in TOLD])
    for _ in range(120):
        model.ask()
    states = [trial.state.name for trial in model._study.get_trials(deepcopy=False)]
    assert states == ["COMPLETE"] * 40 + ["FAIL"] * 20 + ["RUNNING"] * 100


class Counted(Sequence[FinishedTrial]):
    """Told trials that are made anew at every look, and counted."""

    def __init__(self, told: list[FinishedTrial]) -> None:
        self.told = told
        self.looks = 0

    def __len__(self) -> int:
        return len(self.told)

    def __getitem__(self, number):
        found = self.told[number]._replace()
        self.looks += 1
        return found


@pytest.mark.parametrize(("sampler", "most"), [("tpe", 600 + 250), ("random", 0)])
def test_told_trials_are_read_once_and_those_that_are_modelled_again(sampler, most):
    told = Counted(told_by(away_from_5, count=600))
    assert ask(sampler, told=told) == ask(sampler, told=told.told)
    assert told.looks == most


@pytest.mark.parametrize("sampler", SAMPLERS)
@settings(max_examples=25, deadline=None)
@given(PROBLEMS, st.integers(0, 2**32 - 1))
def test_any_problem_has_proposals_that_training_can_take(sampler, problem, study_seed):
    spec, block = problem
    space = load_space(block, spec)
    first = ask(sampler, space, study_seed, generation=0, size=15)
    table = TrialTable(spec)
    for number, params in enumerate(first):
        table.add(Trial(number, 0, params))
        scores = spec.scores([number / 15] * len(spec.metrics))
        table.finish(number, make_outcome(scores=scores))
    second = ask(sampler, space, study_seed, told=table.told(len(first)), size=15)
    for params in first + second:
        assert tuple(params) == spec.names
        assert all(p.takes(params[p.name]) for p in spec.parameters), params
    if (points := count_points(space)) is not None:
        assert len({*first, *second}) == len(first + second) == min(points, 30)
    assert ask(sampler, space, study_seed, told=table.told(len(first)), size=15) == second


def test_random_trials_are_not_kept():
    asked = ask_generation(DEFAULT, "random", 0, 0, 3000, [])
    next(asked)
    tracemalloc.start()
    try:
        assert sum(1 for _ in asked) == 2999
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


def model_part(trials: list[Params]) -> list[Params]:
    return [make_params(**{**p, "seed": 0}) for p in trials]


def test_told_seeds_do_not_influence_tpe():
    """Neither where they are noise, nor where the seed alone decides the loss."""
    for loss in (away_from_5, lambda p: p["seed"] / 9999):
        told = told_by(loss)
        others = [
            t._replace(
                trial=t.trial._replace(params=make_params(**{**t.trial.params, "seed": 7 * i}))
            )
            for i, t in enumerate(told)
        ]
        assert model_part(ask(told=others)) == model_part(ask(told=told))


def test_seeds_are_drawn_whatever_was_told():
    seeds = [p["seed"] for p in ask(told=TOLD, size=30)]
    assert [p["seed"] for p in ask(told=told_by(lambda p: p["seed"] / 9999), size=30)] == seeds
    assert [p["seed"] for p in ask(told=[], size=30)] == seeds
    assert len(set(seeds)) > 25
    assert 3000 < mean(seeds) < 7000


def test_the_sampler_can_be_rebuilt_without_earlier_generations_being_asked():
    """What a study says of generation 2 depends on what was told, not on who asked before."""
    first = ask(generation=2, told=TOLD)
    ask(generation=0)
    ask(generation=1, told=TOLD[:10])
    assert ask(generation=2, told=TOLD) == first


def draws(entry: dict, count: int = 6000) -> list:
    space = load_xor({"epochs": entry, "lr": {"min": 0.1, "max": 1.0}})
    return [p["epochs"] for p in ask("random", space, size=count)]


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


def test_the_ends_of_a_grid_of_floats_are_as_likely_as_its_middle():
    space = load_xor({"lr": {"min": 0.5, "max": 1.25, "distribution": "q_uniform", "q": 0.25}})
    found = [p["lr"] for p in ask("random", space, size=2000, version=1)]
    for value in (0.5, 0.75, 1.0, 1.25):
        assert abs(found.count(value) - 500) < 5 * math.sqrt(500), value


def test_a_logarithmic_range_of_integers_is_spread_over_the_logarithm():
    found = draws({"min": 1, "max": 8, "distribution": "q_log_uniform_values", "q": 1})
    whole = math.log(8.5 / 0.5)
    for value in range(1, 9):
        share = len(found) * math.log((value + 0.5) / (value - 0.5)) / whole
        assert abs(found.count(value) - share) < 5 * math.sqrt(share), value
