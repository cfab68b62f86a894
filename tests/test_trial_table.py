"""The table of trials: pruned trials have scores to tell a sampler, and never rank."""

from __future__ import annotations

import math

import pytest

from tests.ledger.rungs import complete, pruned, rung_settings, trial_of
from tests.make import make_outcome
from xortune.spec import PRUNED_EPOCH, PRUNED_LOSS
from xortune.trial import FinishedTrial
from xortune.trial_table import TrialTable

SPEC = rung_settings().spec
PLAIN = rung_settings(pruner="none").spec


@pytest.fixture
def table() -> TrialTable:
    """A complete, a pruned, a failed and a waiting trial."""
    table = TrialTable(SPEC)
    failed = FinishedTrial(trial_of(SPEC, 2), make_outcome("FAIL"))
    for number in range(4):
        table.add(trial_of(SPEC, number))
    for trial, outcome in (complete(SPEC, 0), pruned(SPEC, 1), failed):
        table.finish(trial.number, outcome)
    return table


def test_only_complete_trials_have_scores_to_rank_by(table):
    assert [table.scores(number) is None for number in range(4)] == [False, True, True, True]
    assert [table.is_complete(number) for number in range(4)] == [True, False, False, False]
    assert [table.is_finished(number) for number in range(4)] == [True, True, True, False]
    assert table.finished == 3


def test_a_pruned_trial_keeps_its_epoch_and_loss(table):
    outcome = table.outcome(1)
    assert outcome.state == "PRUNED"
    assert {name: v for name, v in outcome.scores.items() if not math.isnan(v)} == {
        PRUNED_EPOCH: 5.0,
        PRUNED_LOSS: 0.75,
    }
    assert repr(table[1].outcome) == repr([*table][1].outcome) == repr(outcome)


def test_told_trials_have_the_scores_of_pruned_ones(table):
    told = table.told(3)
    assert [t.outcome.state for t in told] == ["COMPLETE", "PRUNED", "FAIL"]
    assert told[1].outcome.scores[PRUNED_LOSS] == 0.75
    assert repr([*told]) == repr([told[number] for number in range(3)])
    table.outdated = frozenset({1})
    assert (told[1].outcome.state, told[1].outcome.scores) == ("FAIL", None)


def test_columns_of_a_pruned_trial_are_empty_but_for_two(table):
    columns = table.columns()
    assert [columns[name][1] for name in (PRUNED_EPOCH, PRUNED_LOSS)] == [5.0, 0.75]
    assert all(math.isnan(columns[name][1]) for name in PLAIN.metric_names)
    assert all(math.isnan(columns[PRUNED_LOSS][number]) for number in (0, 2, 3))


@pytest.mark.parametrize("spec", [SPEC, PLAIN])
def test_a_pruned_trial_without_a_loss_has_no_scores(spec):
    table = TrialTable(spec)
    table.add(trial_of(spec, 0))
    table.finish(0, make_outcome("PRUNED", error=None))
    assert (table.outcome(0).scores, table.scores(0)) == (None, None)
