"""The trials of a study as a ranked DataFrame."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from xortune.atomic_files import write_whole
from xortune.ledger import Ledger, TrialRow
from xortune.paths import StudyPaths
from xortune.ranking import standing
from xortune.report.formats import as_csv
from xortune.trial import Curve, Metric, State
from xortune.version import __version__

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
    ranked = sorted(rows, key=lambda row: standing(row.trial, row.outcome, metric))
    records = [_record(row, metric) for row in ranked]
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
    settings = ledger.settings()
    frame = trials_frame(ledger.trials(), settings.metric)
    origin = {"study": paths.name, **settings.to_dict(), "xortune": __version__}
    write_tables(frame, paths.trials_csv, paths.trials_parquet, origin)


def write_tables(
    frame: pd.DataFrame, csv: Path, parquet: Path, origin: Mapping[str, Any] | None = None
) -> None:
    """Writes both files atomically: an interruption leaves the old ones.

    Args:
        frame: the table.
        csv: the path of one file.
        parquet: the path of the other.
        origin: plain values that say where the table comes from: JSON under the key `xortune`
            of the parquet file's metadata, and `attrs` of the frame that pandas reads from it.

    Raises:
        XortuneError: for example, the disk is full.
    """
    write_whole(csv.parent, csv.name, as_csv(frame).encode())
    write_whole(parquet.parent, parquet.name, _parquet(frame, origin or {}))


def _parquet(frame: pd.DataFrame, origin: Mapping[str, Any]) -> bytes:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    text = json.dumps(origin, sort_keys=True)
    attributes = {"xortune": text, "PANDAS_ATTRS": text}  # the latter is where pandas looks
    content = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, **attributes}), content)
    return content.getvalue()


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
