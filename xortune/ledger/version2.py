"""Ledgers of version 2, for XOR alone: read for ever, and upgraded by the first write.

A connection gets temporary tables of this version with the same content, which SQLite finds
before the file's own.
"""

from __future__ import annotations

import json
import math
import sqlite3
import struct
from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from typing import Any

from xortune.errors import UsageError
from xortune.ledger import schema
from xortune.ledger.faults import explained
from xortune.ledger.rows import (
    LONGEST_TEXT,
    Damage,
    digest,
    is_sealed,
    sealed,
    setting_rows,
    setting_values,
)
from xortune.ledger.trial_rows import TrialRows
from xortune.ledger.weight_rows import pack_layout, weight_row
from xortune.paths import StudyPaths
from xortune.problems.xor.spec import DATA_NAMES, SPEC
from xortune.settings import Provenance, StudySettings
from xortune.trial import Outcome, Trial

VERSION = 2
_SCHEMA = (
    """CREATE TABLE seal (
    only INTEGER PRIMARY KEY CHECK (only = 0),
    settings INTEGER NOT NULL,  -- their digest
    trials INTEGER NOT NULL,  -- how many rows there are
    runs INTEGER NOT NULL
)""",
    schema.TABLES["setting"],
    """CREATE TABLE trial (
    number INTEGER PRIMARY KEY,  -- from 0, without a gap
    generation INTEGER NOT NULL,
    lr REAL NOT NULL,
    epochs INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    loss_fn TEXT NOT NULL,
    state TEXT NOT NULL,
    train_loss REAL, mse REAL, bce REAL, accuracy REAL,
    weights TEXT,  -- a JSON list of nine numbers, in the order of state_dict()
    duration_s REAL, worker TEXT, error TEXT,
    curve INTEGER,  -- the digest of its points
    digest INTEGER NOT NULL  -- of the other columns, in this order
)""",
    """CREATE TABLE curve (
    number INTEGER PRIMARY KEY REFERENCES trial (number),
    points BLOB NOT NULL  -- epochs as int64, training and validation as float64
)""",
    schema.TABLES["run"],
)
TABLES = {sql.split()[2]: sql for sql in _SCHEMA}

_TRIAL = (
    "number, generation, lr, epochs, seed, loss_fn, state, train_loss, mse, bce, accuracy,"
    " weights, duration_s, worker, error, curve, digest"
)
_LAYOUT = (("fc1.weight", (2, 2)), ("fc1.bias", (2,)), ("fc2.weight", (1, 2)), ("fc2.bias", (1,)))
# Settings that the first studies did not record, or left out where these held.
_DEFAULTS = {"data": "xor", "metric": "mse", "versions": {}, "sampler_version": 1, "forced": False}
_MOST_SETTINGS = 100
_NULL = type(None)
_NOTHING = (None,) * 9
_FINISHED = ("COMPLETE", "PRUNED", "FAIL")


def convert(paths: StudyPaths, connection: sqlite3.Connection) -> None:
    """Creates temporary tables of this version from the file's own, whose schema is checked."""
    with explained(paths):
        for table in schema.SCHEMA:
            connection.execute(table.replace("CREATE", "CREATE TEMP", 1))
        _convert_settings(connection)
        _convert_trials(connection)
        for name in ("curve", "run"):  # Unchanged, and checked when they are read.
            connection.execute(f"INSERT INTO temp.{name} SELECT * FROM main.{name} NOT INDEXED")


def upgrade(paths: StudyPaths, connection: sqlite3.Connection) -> None:
    """Replaces the file's tables by the temporary ones of `convert`, in a transaction."""
    for name in TABLES:
        connection.execute(f"DROP TABLE main.{name}")
    for name, table in schema.TABLES.items():
        named = "SELECT 1 FROM main.sqlite_master WHERE name = ?"
        if connection.execute(named, (name,)).fetchone():
            raise UsageError(
                f"{paths.ledger} holds another program's {name}, which is also the name of a "
                "table of this xortune. Rename or remove it."
            )
        connection.execute(table)
        connection.execute(f"INSERT INTO main.{name} SELECT * FROM temp.{name}")
        connection.execute(f"DROP TABLE temp.{name}")
    connection.execute(f"PRAGMA user_version = {schema.VERSION}")


def _convert_settings(connection: sqlite3.Connection) -> None:
    seals = connection.execute(
        "SELECT settings, trials, runs FROM main.seal NOT INDEXED WHERE only = 0"
    ).fetchall()
    if len(seals) != 1 or {*map(type, seals[0])} != {int}:
        raise Damage("its seal is missing")
    settings, trials, runs = seals[0]
    # A table WITHOUT ROWID is itself an index, so NOT INDEXED would not exclude other indexes.
    rows = connection.execute(
        "SELECT key, value FROM main.setting INDEXED BY sqlite_autoindex_setting_1"
        " ORDER BY key LIMIT ?",
        (_MOST_SETTINGS,),
    ).fetchall()
    rows = setting_rows(*_settings(setting_values(rows, settings)))
    connection.executemany("INSERT INTO temp.setting VALUES (?, ?)", rows)
    connection.execute(
        "INSERT INTO temp.seal VALUES (0, ?, ?, 0, 0, 0, ?)", (digest(rows), trials, runs)
    )


def _settings(values: Mapping[str, Any]) -> tuple[StudySettings, Provenance]:
    """The settings as this version records them."""
    values = {**_DEFAULTS, **values}
    if values["metric"] not in SPEC.losses or values["data"] not in DATA_NAMES:
        raise Damage("the settings 'metric' and 'data' name no known metric or data")
    asked = {field.name for field in fields(StudySettings)} - {"spec"}
    given = {key: value for key, value in values.items() if key in asked}
    settings = StudySettings(SPEC.with_objective(values["metric"]), **given)
    made = ("engine", "versions", "sampler_version", "forced")
    return settings, Provenance(**{key: values[key] for key in made})


def _convert_trials(connection: sqlite3.Connection) -> None:
    (asked,) = connection.execute("SELECT trials FROM temp.seal").fetchone()
    rows = connection.execute(f"SELECT {_TRIAL} FROM main.trial NOT INDEXED ORDER BY number")
    layout = sealed((0, pack_layout(_LAYOUT)))
    connection.execute("INSERT INTO temp.layout VALUES (?, ?, ?)", layout)
    written, number = TrialRows(SPEC), -1
    for number, row in enumerate(rows):
        trial, outcome, weights = _trial(row, number)
        new = written.asked(trial) if outcome is None else written.finished(trial, outcome, row[15])
        connection.execute(f"INSERT INTO temp.trial VALUES ({', '.join('?' * len(new))})", new)
        if weights is not None:
            kept = weight_row(number, 0, weights)
            connection.execute("INSERT INTO temp.weight VALUES (?, ?, ?, ?)", kept)
    if number + 1 != asked:
        raise Damage(f"it holds {number + 1} trials, but {asked} were recorded")
    connection.execute("UPDATE temp.seal SET weights = (SELECT count(*) FROM temp.weight)")


def _trial(row: tuple[Any, ...], number: int) -> tuple[Trial, Outcome | None, bytes | None]:
    """A trial with its outcome and weights."""
    if not is_sealed(row, number):
        raise Damage(f"the row of trial {number} is not as it was written")
    if not _types_fit(tuple(map(type, row))):
        raise Damage(f"the row of trial {number} holds values of another type")
    generation, params, state = row[1], row[2:6], row[6]
    if generation < 0 or not all(p.takes(v) for p, v in zip(SPEC.parameters, params)):
        raise Damage(f"trial {number} has impossible parameters")
    trial = Trial(number, generation, SPEC.params(params))
    if state == "WAITING" and row[7:16] == _NOTHING:
        return trial, None, None
    return trial, *_outcome(number, state, row)


@lru_cache(maxsize=256)
def _types_fit(types: tuple[type, ...]) -> bool:
    """Whether a row has possible types; cached, since few combinations occur."""
    scores, (weights, duration, worker, error, curve) = types[7:11], types[11:16]
    return (
        types[:7] == (int, int, float, int, int, str, str)
        and scores in ((float,) * 4, (_NULL,) * 4)
        and {weights, worker, error} <= {str, _NULL}
        and duration in (float, _NULL)
        and curve in (int, _NULL)
    )


def _outcome(number: int, state: Any, row: tuple[Any, ...]) -> tuple[Outcome, bytes | None]:
    scores = None if row[7] is None else SPEC.scores(row[7:11])
    weights, duration_s, worker, error, curve = row[11:16]
    complete = state == "COMPLETE"
    if state not in _FINISHED or curve is None:
        raise Damage(f"trial {number} has an unknown state")
    if (scores is not None) != complete or (weights is not None and not complete):
        raise Damage(f"trial {number} has scores and weights that do not match its state")
    if scores is not None and not all(map(math.isfinite, scores.row)):
        raise Damage(f"a score of trial {number} is not finite")
    if duration_s is not None and not math.isfinite(duration_s):
        raise Damage(f"the duration of trial {number} is not finite")
    for text in (weights, worker, error):
        if text is not None and len(text) > LONGEST_TEXT:
            raise Damage(f"trial {number} holds a text of {len(text)} characters")
    outcome = Outcome(state, scores, duration_s=duration_s, worker=worker, error=error)
    return outcome, None if weights is None else _weights(number, weights)


def _weights(number: int, text: str) -> bytes:
    weights = tuple(map(float, json.loads(text)))
    if len(weights) != 9 or not all(map(math.isfinite, weights)):
        raise Damage(f"the weights of trial {number} are not nine numbers")
    try:
        packed = struct.pack("<9f", *weights)
    except OverflowError:
        packed = b"\0" * 36
    if struct.unpack("<9f", packed) != weights:
        raise Damage(f"the weights of trial {number} are not float32")
    return packed
