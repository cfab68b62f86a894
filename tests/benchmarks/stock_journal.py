"""Optuna's journal file: what a search that must survive a crash would keep its trials in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import TrialState

from xortune.problems.xor.spec import LOSS_FNS
from xortune.trial import FinishedTrial

_DISTRIBUTIONS = {
    "lr": FloatDistribution(0.01, 10.0, log=True),
    "epochs": IntDistribution(500, 10_000, log=True),
    "seed": IntDistribution(0, 9999),
    "loss_fn": CategoricalDistribution(LOSS_FNS),
}


def trial_by_trial(file: Path, finished: Sequence[FinishedTrial]) -> None:
    """What asking and telling writes: a trial, its four parameters, its end."""
    storage = _storage(file)
    study = storage.create_new_study([StudyDirection.MINIMIZE])
    for f in finished:
        trial = storage.create_new_trial(study)
        for name, value in f.trial.params.items():
            distribution = _DISTRIBUTIONS[name]
            internal = distribution.to_internal_repr(value)
            storage.set_trial_param(trial, name, internal, distribution)
        storage.set_trial_state_values(trial, TrialState.COMPLETE, [_loss(f)])


def as_finished(file: Path, finished: Sequence[FinishedTrial]) -> None:
    """The fewest writes there can be: `add_trial` with trials that have ended, one entry each."""
    study = optuna.create_study(storage=_storage(file))
    for f in finished:
        params = dict(f.trial.params)
        study.add_trial(
            optuna.create_trial(params=params, distributions=_DISTRIBUTIONS, value=_loss(f))
        )


def _storage(file: Path) -> JournalStorage:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return JournalStorage(JournalFileBackend(str(file)))


def _loss(finished: FinishedTrial) -> float:
    assert finished.outcome.scores is not None
    return finished.outcome.scores["mse"]
