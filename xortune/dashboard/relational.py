"""Writes a study as an SQLite database of Optuna's RDBStorage.

Optuna itself takes 40 ms for a trial with twenty intermediate values; its tables are filled
directly, which takes a hundredth of that.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial

from xortune.dashboard.written import Written
from xortune.sampling import quiet

_BATCH = 1000  # trials whose rows are in memory together
_COLUMNS = {
    "trials": "trial_id, number, study_id, state, datetime_start, datetime_complete",
    "trial_values": "trial_id, objective, value, value_type",
    "trial_params": "trial_id, param_name, param_value, distribution_json",
    "trial_user_attributes": "trial_id, key, value_json",
    "trial_intermediate_values": "trial_id, step, intermediate_value, intermediate_value_type",
}
_Row = tuple[Any, ...]


def write_relational(written: Written, file: Path) -> None:
    """Writes a new file; raises OSError."""
    # Elsewhere first: in an address, characters of a folder's name may mean something else.
    with TemporaryDirectory(prefix="xortune-") as folder:
        made = Path(folder) / "study.db"
        _write(written, f"sqlite:///{made}")
        shutil.copyfile(made, file)


def _write(written: Written, url: str) -> None:
    with quiet():
        storage = RDBStorage(url)
        try:
            study_id = written.create_in(storage)
            with storage.engine.begin() as connection:
                for start in range(0, len(written.trials), _BATCH):
                    rows = _rows(written.trials[start : start + _BATCH], study_id)
                    for table, found in rows.items():
                        columns = _COLUMNS[table]
                        places = ", ".join("?" for _ in columns.split(", "))
                        statement = f"INSERT INTO {table} ({columns}) VALUES ({places})"
                        if found:
                            connection.exec_driver_sql(statement, found)
        finally:
            storage.remove_session()
            storage.engine.dispose()


def _rows(trials: Sequence[FrozenTrial], study_id: int) -> dict[str, list[_Row]]:
    """The rows of trials, by table."""
    rows: dict[str, list[_Row]] = {table: [] for table in _COLUMNS}
    for trial in trials:
        key = trial.number + 1  # SQLite numbers rows from 1.
        times = _time(trial.datetime_start), _time(trial.datetime_complete)
        rows["trials"].append((key, trial.number, study_id, trial.state.name, *times))
        for place, value in enumerate(trial.values or ()):
            rows["trial_values"].append((key, place, *_number(value)))
        rows["trial_params"] += ((key, *param) for param in _params(trial))
        rows["trial_user_attributes"] += (
            (key, name, json.dumps(value)) for name, value in trial.user_attrs.items()
        )
        rows["trial_intermediate_values"] += (
            (key, step, *_number(value)) for step, value in trial.intermediate_values.items()
        )
    return rows


def _params(trial: FrozenTrial) -> Iterator[_Row]:
    for name, value in trial.params.items():
        distribution = trial.distributions[name]
        yield name, distribution.to_internal_repr(value), _json(distribution)


@lru_cache(maxsize=1000)
def _json(distribution: BaseDistribution) -> str:
    return distribution_to_json(distribution)


def _number(value: float) -> tuple[float | None, str]:
    """A number, which is not NaN, and its type."""
    if isfinite(value):
        return value, "FINITE"
    return None, "INF_POS" if value > 0 else "INF_NEG"


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S.%f")
