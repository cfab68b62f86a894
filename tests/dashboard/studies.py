"""Studies in every state, made without training."""

from __future__ import annotations

from pathlib import Path

from tests.ledger.rungs import complete, new_study, pruned, rung_settings
from tests.make import make_curve, make_outcome, make_scores
from xortune.ledger import Ledger
from xortune.paths import StudyPaths
from xortune.trial import FinishedTrial

SPACE = {
    "lr": {"min": 0.1, "max": 1.0},
    "epochs": {"value": 20},
    "seed": {"min": 0, "max": 99},
    "loss_fn": {"values": ["mse", "bce"]},
}
SETTINGS = rung_settings(space=SPACE)
SPEC = SETTINGS.spec


def finished(number: int, **metrics: float) -> FinishedTrial:
    """A complete trial with a curve."""
    found = complete(SPEC, number)
    values = {**make_scores(**metrics)}
    scores = SPEC.scores(values.get(name, float("nan")) for name in SPEC.metric_names)
    curve = make_curve((0, 5), (1.0, 0.5), (0.75, values["mse"]))
    return found._replace(outcome=make_outcome(scores=scores, curve=curve, duration_s=1.5))


def failed(number: int, error: str) -> FinishedTrial:
    return FinishedTrial(complete(SPEC, number).trial, make_outcome("FAIL", error=error))


def mixed_study(folder: Path, error: str = "loss is not finite at epoch 3") -> StudyPaths:
    """Of eight trials 0, 1 and 4 are complete, 2 is pruned, 3 failed, and the others wait."""
    paths = new_study(folder, SETTINGS)
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([finished(0, mse=0.5), finished(1, mse=0.125), pruned(SPEC, 2)])
        ledger.finish_trials([failed(3, error), finished(4, mse=0.25)])
    return paths
