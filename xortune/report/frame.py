"""The trials of a study as a ranked DataFrame."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from xortune.atomic_files import write_whole
from xortune.paths import StudyPaths
from xortune.ranking import standing
from xortune.report.formats import as_csv
from xortune.settings import described
from xortune.spec import ProblemSpec
from xortune.trial import Curve, Trial
from xortune.trial_table import TrialTable
from xortune.version import __version__

if TYPE_CHECKING:
    from xortune.ledger import Ledger

# The columns that may differ between two runs of the same study.
UNREPEATABLE = ("duration_s", "worker")
_DTYPES = {float: "float64", int: "int64", bool: "boolean", str: "string"}
# The types of the columns that are neither parameters nor floats.
_TYPES = {"number": int, "generation": int, "solved": bool}
_TYPES |= dict.fromkeys(("state", "worker", "error"), str)
_OUTDATED = "trained by an earlier version of the code"


def columns(spec: ProblemSpec) -> tuple[str, ...]:
    """The names of the table's columns, in order."""
    solved = () if spec.solved is None else ("solved",)
    measured = ("final_loss", *spec.metric_names, *solved)
    last = ("duration_s", "generation", "worker", "error")
    return "rank", "number", "state", *spec.names, *measured, *last


def trials_frame(table: TrialTable) -> pd.DataFrame:
    """One row per trial, with the columns of `columns`.

    Complete trials come first, ranked from 1 by `ranking.standing`; the others follow by number,
    without a rank.
    """
    spec, values = table.spec, table.columns()
    states = enumerate(values["state"])
    complete = [state == "COMPLETE" and n not in table.outdated for n, state in states]
    if table.outdated:
        errors = enumerate(values["error"])
        values["error"] = [_OUTDATED if n in table.outdated else error for n, error in errors]
    values["final_loss"] = values[spec.loss] if spec.loss else [None] * len(table)
    if spec.solved is not None:
        reached = map(spec.reaches, values[spec.solved.metric])
        values["solved"] = [solved if there else None for solved, there in zip(reached, complete)]
    _, *others = columns(spec)
    types = _TYPES | {parameter.name: parameter.value_type for parameter in spec.parameters}
    for metric in spec.metrics:
        if metric.kind == "count":
            types[metric.name] = int
            values[metric.name] = [None if v != v else int(v) for v in values[metric.name]]
    frame = pd.DataFrame({name: _series(values[name], types.get(name, float)) for name in others})
    frame = frame.iloc[_order(spec, values, complete)].reset_index(drop=True)
    ranked = sum(complete)
    ranks = [*range(1, ranked + 1), *[None] * (len(table) - ranked)]
    frame.insert(0, "rank", pd.Series(ranks, dtype="Int64"))
    return frame


def _order(
    spec: ProblemSpec, values: Mapping[str, Sequence[Any]], complete: Sequence[bool]
) -> list[int]:
    """The numbers of the trials, ranked."""
    params = map(spec.params, zip(*(values[name] for name in spec.names)))
    scores = map(spec.scores, zip(*(values[name] for name in spec.metric_names)))
    trials = map(Trial, values["number"], values["generation"], params)
    standings = (
        standing(spec, trial, found if there else None)
        for trial, found, there in zip(trials, scores, complete)
    )
    return [number for *_, number in sorted(standings)]


def _series(values: Sequence[Any], kind: type) -> pd.Series:
    """A column of plain values; integers get a nullable type only if one is missing."""
    values = list(values)
    dtype = _DTYPES[kind]
    return pd.Series(values, dtype="Int64" if dtype == "int64" and None in values else dtype)


def curve_frame(curve: Curve) -> pd.DataFrame:
    """A trial's curve: a column `epoch`, and one per series."""
    epochs = pd.Series(curve.epochs, dtype="int64")
    series = {name: pd.Series(losses, dtype="float64") for name, losses in curve.series.items()}
    return pd.DataFrame({"epoch": epochs, **series})


def curves_frame(curves: Mapping[int, Curve], spec: ProblemSpec) -> pd.DataFrame:
    """The curves of trials by number: columns `number`, `epoch`, and one per series."""
    found = list(curves.items())
    numbers = [number for number, curve in found for _ in curve.epochs]
    epochs = [epoch for _, curve in found for epoch in curve.epochs]
    columns = {"number": numbers, "epoch": epochs}
    frame = pd.DataFrame({name: pd.Series(n, dtype="int64") for name, n in columns.items()})
    for name in (series.name for series in spec.curve):
        values = [v for _, curve in found if curve.epochs for v in curve.series[name]]
        frame[name] = pd.Series(values, dtype="float64")
    return frame


class BestTrial(pd.Series):
    """A row of the trials table that prints a loss of 4.7e-09 as such and not as 0.0."""

    @property
    def _constructor(self) -> Any:
        return BestTrial  # of a part of the row, too

    def __repr__(self) -> str:
        shown = [repr(float(v)) if isinstance(v, float) else v for v in self]
        return repr(pd.Series(shown, index=self.index, name=self.name, dtype=object))


def tabulate(ledger: Ledger, paths: StudyPaths) -> None:
    """Writes the tables of a study from its ledger."""
    recorded = described(ledger.settings(), ledger.provenance())
    origin = {"study": paths.name, **recorded, "xortune": __version__}
    write_tables(trials_frame(ledger.trials()), paths.trials_csv, paths.trials_parquet, origin)


def write_tables(
    frame: pd.DataFrame, csv: Path, parquet: Path, origin: Mapping[str, Any] | None = None
) -> None:
    """Writes both files atomically: an interruption leaves the old ones.

    `origin`, plain values, becomes JSON under the key `xortune` of the parquet file's metadata,
    and `attrs` of the frame that pandas reads from it.

    Raises:
        XortuneError: for example, the disk is full.
    """
    write_whole(csv.parent, csv.name, as_csv(frame).encode())
    write_whole(parquet.parent, parquet.name, _parquet(frame, origin or {}))


def _parquet(frame: pd.DataFrame, origin: Mapping[str, Any]) -> bytes:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    text = json.dumps(origin, sort_keys=True)
    attributes = {"xortune": text, "PANDAS_ATTRS": text}  # pandas reads the latter
    content = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, **attributes}), content)
    return content.getvalue()
