"""Pruned trials in the ledger: their epoch and their loss there, and no other metric."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faults.driver.forgery import forge
from tests.ledger.rungs import complete, extended, new_study, pruned, rung_settings, trial_of
from tests.make import make_outcome, make_weights
from xortune.errors import UsageError
from xortune.ledger import Ledger
from xortune.paths import StudyPaths
from xortune.spec import PRUNED_EPOCH, PRUNED_LOSS, SOLVED_SHARE, STD
from xortune.trial import Curve, FinishedTrial, Outcome

SETTINGS = rung_settings()
SPEC = SETTINGS.spec
PLAIN = rung_settings(pruner="none")


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> StudyPaths:
    """A pruned trial, a complete one, and six that wait."""
    paths = new_study(tmp_path_factory.mktemp("study") / "one", SETTINGS)
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([pruned(SPEC, 0), complete(SPEC, 1)])
    return paths


def test_a_pruned_trial_comes_back_with_its_epoch_and_loss(paths):
    before = pruned(SPEC, 0).outcome
    with Ledger.read(paths) as ledger:
        assert ledger.curve(0) == before.curve
        for outcome in (ledger.trial(0).outcome, ledger.trials()[0].outcome):
            assert repr(outcome) == repr(replace(before, curve=Curve()))
        assert ledger.trials().scores(0) is None
        assert ledger.weights(0) is None
        assert ledger.has_complete_trial()


def test_a_complete_trial_has_neither(paths):
    with Ledger.read(paths) as ledger:
        scores = ledger.trials().scores(1)
        assert math.isnan(scores[PRUNED_EPOCH])
        assert math.isnan(scores[PRUNED_LOSS])
        assert scores["mse"] == 0.25


def test_a_pruned_trial_is_no_complete_one(tmp_path):
    paths = new_study(tmp_path / "one", SETTINGS)
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([pruned(SPEC, 0)])
        assert not ledger.has_complete_trial()


def test_weights_of_a_pruned_trial_are_not_kept(paths):
    trial, outcome = pruned(SPEC, 2)
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([FinishedTrial(trial, replace(outcome, weights=make_weights()))])
        assert ledger.weighted() == [1]
        assert ledger.weights(2) is None


@pytest.mark.parametrize("replicates", [1, 3])
@settings(max_examples=20, deadline=None)
@given(epoch=st.integers(0, 2**53), loss=st.floats(allow_nan=False, allow_infinity=False))
def test_every_epoch_and_loss_comes_back(tmp_path_factory, replicates, epoch, loss):
    drawn = rung_settings(replicates)
    paths = new_study(tmp_path_factory.mktemp("ledger") / "one", drawn)
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([pruned(drawn.spec, 3, epoch, loss)])
        scores = ledger.trials()[3].outcome.scores
    assert (scores[PRUNED_EPOCH], scores[PRUNED_LOSS]) == (epoch, loss)
    others = [v for name, v in scores.items() if name not in (PRUNED_EPOCH, PRUNED_LOSS)]
    assert all(map(math.isnan, others))


@pytest.mark.parametrize(
    ("state", "values"),
    [
        ("PRUNED", {}),
        ("PRUNED", {PRUNED_EPOCH: 5.0}),
        ("PRUNED", {PRUNED_LOSS: 0.5}),
        ("PRUNED", {PRUNED_EPOCH: 5.5, PRUNED_LOSS: 0.5}),
        ("PRUNED", {PRUNED_EPOCH: -1.0, PRUNED_LOSS: 0.5}),
        ("PRUNED", {PRUNED_EPOCH: math.inf, PRUNED_LOSS: 0.5}),
        ("PRUNED", {PRUNED_EPOCH: 5.0, PRUNED_LOSS: math.inf}),
        ("PRUNED", {PRUNED_EPOCH: 5.0, PRUNED_LOSS: 0.5, "accuracy": 0.5}),
        ("COMPLETE", {"mse": 0.5, PRUNED_EPOCH: 5.0, PRUNED_LOSS: 0.5}),
    ],
)
def test_metrics_that_do_not_match_the_state_are_not_written(paths, state, values):
    broken = Outcome(state, extended(SPEC, **values))
    with Ledger.open(paths) as ledger:
        with pytest.raises(ValueError, match=f"not the metrics of a trial that is {state}"):
            ledger.finish_trials([complete(SPEC, 3), FinishedTrial(trial_of(SPEC, 2), broken)])
        assert ledger.trial(3).outcome is None


def test_a_pruned_trial_without_metrics_is_not_written(paths):
    with Ledger.open(paths) as ledger, pytest.raises(ValueError, match="trial 2 is pruned, and"):
        ledger.finish_trials([FinishedTrial(trial_of(SPEC, 2), make_outcome("PRUNED"))])


def measured(**changed: str) -> str:
    names = [f'"{name}":{changed.get(name, "null")}' for name in SPEC.metric_names]
    return f"{{{','.join(names)}}}"


RUNG = {PRUNED_EPOCH: "5.0", PRUNED_LOSS: "0.5"}


def forged(paths: StudyPaths, state: str, metrics: str | None) -> None:
    forge(
        paths.folder,
        ("UPDATE trial SET state = ?, metrics = ? WHERE number = 0", [state, metrics]),
    )


def test_metrics_that_a_pruned_trial_may_have(paths):
    forged(paths, "PRUNED", measured(**RUNG))
    with Ledger.read(paths) as ledger:
        assert ledger.trials()[0].outcome.scores[PRUNED_LOSS] == 0.5


@pytest.mark.parametrize(
    ("state", "metrics"),
    [
        ("PRUNED", None),
        ("PRUNED", "{}"),
        ("PRUNED", measured()),
        ("PRUNED", measured(**{**RUNG, PRUNED_EPOCH: "null"})),
        ("PRUNED", measured(**{**RUNG, PRUNED_EPOCH: "5"})),
        ("PRUNED", measured(**{**RUNG, PRUNED_EPOCH: "5.5"})),
        ("PRUNED", measured(**{**RUNG, PRUNED_EPOCH: "-1.0"})),
        ("PRUNED", measured(**{**RUNG, PRUNED_EPOCH: "1e999"})),
        ("PRUNED", measured(**{**RUNG, PRUNED_EPOCH: "true"})),
        ("PRUNED", measured(**{**RUNG, PRUNED_LOSS: "null"})),
        ("PRUNED", measured(**{**RUNG, PRUNED_LOSS: "-1e999"})),
        ("PRUNED", measured(**{**RUNG, PRUNED_LOSS: '"low"'})),
        ("PRUNED", measured(**RUNG, mse="0.5")),
        ("COMPLETE", measured(**RUNG)),
        ("COMPLETE", measured(**RUNG, mse="0.5")),
        ("COMPLETE", measured(mse="0.5", pruned_epoch="5.0")),
        ("FAIL", measured(**RUNG)),
        ("WAITING", measured(**RUNG)),
    ],
)
def test_metrics_that_no_trial_has(paths, state, metrics):
    forged(paths, state, metrics)
    for read in (Ledger.trials, lambda ledger: ledger.trial(0)):
        with (
            Ledger.read(paths) as ledger,
            pytest.raises(UsageError, match=r"study.db is damaged: .*trial 0.*from a copy"),
        ):
            read(ledger)


def test_a_study_without_a_pruner_has_no_pruned_trials(tmp_path):
    paths = new_study(tmp_path / "one", PLAIN)
    with Ledger.open(paths) as ledger:
        with pytest.raises(ValueError, match="not the metrics of a trial that is PRUNED"):
            ledger.finish_trials([FinishedTrial(trial_of(PLAIN.spec, 0), plain_pruned())])
        ledger.finish_trials([complete(PLAIN.spec, 0)])
    forge(paths.folder, "UPDATE trial SET state = 'PRUNED' WHERE number = 0")
    with (
        Ledger.read(paths) as ledger,
        pytest.raises(UsageError, match="metrics of trial 0 are not those of a pruned trial"),
    ):
        ledger.trials()


def plain_pruned() -> Outcome:
    return Outcome("PRUNED", extended(PLAIN.spec, mse=0.5))


@pytest.mark.parametrize(
    ("replicates", "pruner", "part"),
    [
        (1, "none", {"replicates": 2}),
        (1, "none", {"pruner": "halving", "rungs": (5,)}),
        (2, "none", {"replicates": 1}),
        (1, "halving", {"pruner": "none"}),
        (2, "halving", {"pruner": "none", "replicates": 1}),
        (2, "halving", {"confirm": (3,)}),
        (2, "halving", {"rungs": (15, 5)}),
        (2, "halving", {"rungs": (5, 5)}),
        (2, "halving", {"starts": (4, 2)}),
    ],
)
def test_settings_that_do_not_go_together_are_refused(tmp_path, replicates, pruner, part):
    sound = rung_settings(replicates, pruner=pruner, confirm=(20, 256), starts=(2, 4))
    paths = new_study(tmp_path / "one", sound)
    with Ledger.open(paths) as ledger:
        assert ledger.settings() == sound
        ledger.record(replace(sound, **part), ledger.provenance())
        with pytest.raises(UsageError, match=r"study.db is damaged: the .*Restore it from a copy"):
            ledger.trials()


def test_a_spec_whose_added_metrics_are_others_is_refused(tmp_path):
    sound = rung_settings(2)
    metrics = [m for m in sound.spec.metrics if m.name != SOLVED_SHARE]
    assert len(metrics) < len(sound.spec.metrics)
    assert STD in [m.name for m in metrics]
    broken = replace(sound, spec=replace(sound.spec, metrics=tuple(metrics)))
    paths = new_study(tmp_path / "one", sound)
    with Ledger.open(paths) as ledger:
        ledger.record(broken, ledger.provenance())
        with pytest.raises(UsageError, match="metrics do not match the replicates and the pruner"):
            ledger.settings()
