"""The trials of a study as a ranked DataFrame."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from xortune.ledger import Ledger, TrialRow
from xortune.paths import StudyPaths
from xortune.report.formats import as_csv
from xortune.trial import Curve, Metric, State
from xortune.whole_files import write_whole

_DTYPES = {
    "rank": "Int64",
    "number": "int64",
    "state": "string",
    "lr": "float64",
    "epochs": "int64",
    "seed": "int64",
    "loss_fn": "string",
    "final_loss": "float64",
    "train_loss": "float64",
    "mse": "float64",
    "bce": "float64",
    "accuracy": "float64",
    "solved": "boolean",
    "duration_s": "float64",
    "generation": "int64",
    "worker": "string",
    "error": "string",
}
COLUMNS = tuple(_DTYPES)
# What may differ between two runs of the same study.
UNREPEATABLE = ("duration_s", "worker")
_WAITING: State = "WAITING"


def trials_frame(rows: Iterable[TrialRow], metric: Metric) -> pd.DataFrame:
    """One row a trial, with the columns `COLUMNS`.

    Complete trials come first, ranked from 1 by final loss, ties by fewer epochs, then by
    number; the others follow by number, without a rank.
    """
    records = sorted((_record(row, metric) for row in rows), key=_order)
    for place, record in enumerate(records, start=1):
        record["rank"] = place if record["state"] == "COMPLETE" else None
    frame = pd.DataFrame(records, columns=list(COLUMNS))
    return frame.astype(_DTYPES)


def curve_frame(curve: Curve) -> pd.DataFrame:
    """A trial's curve: columns `epoch`, `training`, `validation`."""
    return pd.DataFrame(
        {"epoch": curve.epochs, "training": curve.training, "validation": curve.validation}
    ).astype({"epoch": "int64", "training": "float64", "validation": "float64"})


def tabulate(ledger: Ledger, paths: StudyPaths) -> None:
    """Writes the tables of a study: what its ledger holds now."""
    frame = trials_frame(ledger.trials(), ledger.settings().metric)
    write_tables(frame, paths.trials_csv, paths.trials_parquet)


def write_tables(frame: pd.DataFrame, csv: Path, parquet: Path) -> None:
    """Writes both files whole: an interruption leaves the old ones.

    Raises:
        XortuneError: there is no room for one, say.
    """
    write_whole(csv.parent, csv.name, as_csv(frame).encode())
    write_whole(parquet.parent, parquet.name, frame.to_parquet(index=False))


def _record(row: TrialRow, metric: Metric) -> dict[str, Any]:
    trial, outcome = row.trial, row.outcome
    params, scores = trial.params, outcome.scores if outcome else None
    return {
        "number": trial.number,
        "state": outcome.state if outcome else _WAITING,
        "lr": params.lr,
        "epochs": params.epochs,
        "seed": params.seed,
        "loss_fn": params.loss_fn,
        "final_loss": scores.final_loss(metric) if scores else None,
        "train_loss": scores.train_loss if scores else None,
        "mse": scores.mse if scores else None,
        "bce": scores.bce if scores else None,
        "accuracy": scores.accuracy if scores else None,
        "solved": scores.accuracy == 1 if scores else None,
        "duration_s": outcome.duration_s if outcome else None,
        "generation": trial.generation,
        "worker": outcome.worker if outcome else None,
        "error": outcome.error if outcome else None,
    }


def _order(record: dict[str, Any]) -> tuple[bool, float, int, int]:
    if record["state"] != "COMPLETE":
        return True, 0, 0, record["number"]
    return False, record["final_loss"], record["epochs"], record["number"]
