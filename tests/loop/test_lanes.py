"""What the trainings of a trial come to for it."""

import math
import statistics
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.make import make_curve, make_outcome, make_scores, make_settings, make_weights
from tests.toy import SPEC as HILL
from tests.toy import HillEngine
from xortune.loop.lanes import Plan, aggregated, deviation, pruned_scores
from xortune.loop.seeds import plan_of, replicate_seeds
from xortune.problems.xor.spec import SPEC
from xortune.trial import Outcome, Pack, Trial


def plan(replicates=3, *, single=HILL, pruned=False, **settings) -> Plan:
    spec = single.extended(replicated=replicates > 1, pruned=pruned)
    settings = {"aggregate": "mean", "folds": None, "log_every": None, **settings}
    seeds = tuple(range(replicates)) if replicates > 1 else ()
    return Plan(spec, single, seeds, replicates, **settings)


def hill_trial(made: Plan, number=0, **values) -> Trial:
    return Trial(number, 0, made.spec.assignment(values))


def pack(made: Plan, *trials: Trial, **how) -> Pack:
    return Pack(0, trials, **{"replicates": range(made.replicates), **how})


def test_a_trial_is_trained_on_every_seed_and_has_their_mean():
    made = plan(3)
    (outcome,) = made.train(HillEngine(), pack(made, hill_trial(made, steps=2)))
    heights = [replicate.scores["height"] for replicate in outcome.replicates]
    assert [replicate.place for replicate in outcome.replicates] == [0, 1, 2]
    assert len({*heights}) == 3
    assert outcome.scores["height"] == pytest.approx(statistics.mean(heights))
    assert outcome.scores["final_loss_std"] == pytest.approx(statistics.stdev(heights))
    assert outcome.scores["replicates"] == 3


def test_the_curve_and_the_weights_are_those_of_the_best_replicate():
    made = plan(3)
    (outcome,) = made.train(HillEngine(), pack(made, hill_trial(made, steps=2)))
    best = max(outcome.replicates, key=lambda replicate: replicate.scores["height"])
    (alone,) = plan(1).train(
        HillEngine(),
        Pack(0, (Trial(0, 0, HILL.assignment({"steps": 2, "start": best.place})),)),
    )
    assert (outcome.curve, outcome.weights) == (alone.curve, alone.weights)


def xor_outcomes(made: Plan, *losses: float | None) -> Outcome:
    lanes = [
        make_outcome("FAIL")
        if loss is None
        else make_outcome(scores=make_scores(mse=loss, accuracy=float(loss < 0.1)))
        for loss in losses
    ]
    return made.joined([replace(lane, duration_s=1.0) for lane in lanes])


def test_the_share_that_is_solved():
    outcome = xor_outcomes(plan(4, single=SPEC), 0.2, 0.01, 0.02, 0.03)
    assert outcome.scores["solved_share"] == 0.75
    assert outcome.duration_s == 4


@pytest.mark.parametrize(("aggregate", "loss"), [("mean", None), ("max", None), ("median", 0.2)])
def test_a_diverged_replicate_counts_as_infinite(aggregate, loss):
    outcome = xor_outcomes(plan(3, single=SPEC, aggregate=aggregate), 0.1, None, 0.2)
    if loss is None:
        assert (outcome.state, outcome.scores) == ("FAIL", None)
        assert outcome.error.startswith("1 of 3 replicates failed: loss is not finite")
        assert [replicate.state for replicate in outcome.replicates].count("FAIL") == 1
    else:
        assert outcome.scores["mse"] == loss
        assert math.isnan(outcome.scores["final_loss_std"])


def test_the_worst_of_a_metric_to_maximise_is_the_lowest():
    made = plan(3, aggregate="max")
    (outcome,) = made.train(HillEngine(), pack(made, hill_trial(made, steps=2)))
    heights = [replicate.scores["height"] for replicate in outcome.replicates]
    assert outcome.scores["height"] == min(heights)


def test_with_folds_the_model_is_the_best_of_the_first_fold():
    made = plan(4, single=SPEC, folds=2)
    lanes = [
        make_outcome(scores=make_scores(mse=loss), weights=make_weights([loss] * 9))
        for loss in (0.3, 0.1, 0.2, 0.4)
    ]
    assert made.joined(lanes).weights == lanes[2].weights


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=20))
def test_aggregates_are_those_of_the_standard_library(values):
    assert aggregated(values, "mean") == pytest.approx(statistics.fmean(values))
    assert aggregated(values, "median") == statistics.median(values)
    assert aggregated(values, "max") == max(values)
    assert deviation(values) == pytest.approx(statistics.stdev(values), abs=1e-6)


@given(data=st.data())
def test_rungs_change_nothing_but_the_pauses(data):
    made = plan(data.draw(st.sampled_from((1, 3))), pruned=True)
    trials = [
        hill_trial(made, number, steps=data.draw(st.integers(1, 20)), rate=rate)
        for number, rate in enumerate((0.1, 0.5, 0.9))
    ]
    (rungs, states, ended) = sorted(data.draw(st.sets(st.integers(1, 20), min_size=1))), {}, {}
    for until in (*rungs, None):
        left = [trial for trial in trials if trial.number not in ended]
        if left:
            outcomes = made.train(HillEngine(), pack(made, *left, until=until, states=states))
            for trial, outcome in zip(left, outcomes):
                if outcome.state == "RUNNING":
                    states = {**states, trial.number: outcome.lanes}
                else:
                    ended[trial.number] = outcome
    found = [repr(ended[trial.number]) for trial in trials]
    assert found == [*map(repr, made.train(HillEngine(), pack(made, *trials)))]


def test_a_pruned_trial_has_the_loss_of_its_rung_and_nothing_else():
    scores = pruned_scores(SPEC.extended(replicated=False, pruned=True), 500, 0.125)
    assert (scores["pruned_epoch"], scores["pruned_loss"]) == (500, 0.125)
    assert math.isnan(scores["mse"])


def test_an_engine_may_prune_by_its_limits():
    made = plan(1, single=SPEC, pruned=True)
    curve = make_curve((0, 500), (0.5, 0.4), (0.5, 0.4))
    lane = Outcome("PRUNED", make_scores(mse=0.4), curve)
    assert made.joined([lane]).scores == pruned_scores(made.spec, 500, 0.4)


def test_seeds_of_replicates_are_shared_by_all_trials_and_differ():
    settings = make_settings(replicates=300, study_seed=7)
    seeds = replicate_seeds(settings, SPEC, 300)
    assert len({*seeds}) == 300
    assert seeds == replicate_seeds(settings, SPEC, 300)
    assert seeds != replicate_seeds(replace(settings, study_seed=8), SPEC, 300)


def test_a_confirmation_avoids_the_seeds_of_the_search():
    space = {**make_settings().space, "seed": {"min": 0, "max": 2**31 - 2}}
    settings = make_settings(space=space, confirm=(2, 100))
    first, *others = plan_of(settings, SPEC).seeds
    assert first is None
    assert len({*others}) == 200
    assert min(others) > 2**31 - 2
