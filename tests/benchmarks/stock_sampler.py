"""Stock Optuna over the default space: TPE with its defaults, integers as integers."""

from __future__ import annotations

from collections.abc import Sequence

import optuna

from xortune.problems.xor.spec import LOSS_FNS, SPEC
from xortune.trial import Outcome, Params


def suggest(trial: optuna.Trial) -> Params:
    """The default space, as Optuna's documentation would have it written."""
    return SPEC.params(
        (
            trial.suggest_float("lr", 0.01, 10.0, log=True),
            trial.suggest_int("epochs", 500, 10_000, log=True),
            trial.suggest_int("seed", 0, 9999),
            trial.suggest_categorical("loss_fn", LOSS_FNS),
        )
    )


class StockSampler:
    """Asks for a trial, is told its outcome, asks for the next.

    Args:
        study_seed: seeds the sampler.
    """

    def __init__(self, study_seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=study_seed))
        self._trial: optuna.Trial

    def ask(self) -> list[Params]:
        self._trial = self.study.ask()
        return [suggest(self._trial)]

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            if outcome.scores is None:
                self.study.tell(self._trial, state=optuna.trial.TrialState.FAIL)
            else:
                self.study.tell(self._trial, outcome.scores["mse"])
