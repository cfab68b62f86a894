"""What has changed in a ledger since it was last read, for those who watch a search."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from xortune.ledger.finish_rows import read_finish
from xortune.ledger.queries import TRIALS, check_count
from xortune.ledger.trial_rows import CURVE, TrialRows
from xortune.trial import RecordedTrial


class TrialChange(NamedTuple):
    """A trial that is new, or differs from when it was last read."""

    trial: RecordedTrial
    digest: int  # of its row, for the next call


def read_changes(
    connection: sqlite3.Connection, form: TrialRows, known: Sequence[int]
) -> list[TrialChange]:
    """The trials whose rows differ from known ones, by number; only these are parsed.

    Args:
        connection: in a consistent view.
        form: of the study's rows.
        known: the digests of rows that were read before, by number.
    """
    query = "SELECT number, digest FROM trial NOT INDEXED ORDER BY number"
    digests = [digest for _, digest in connection.execute(query)]
    check_count(connection, "trials", len(digests))
    there = len(known)
    changed = [n for n, digest in enumerate(digests) if n >= there or known[n] != digest]
    if not changed:
        return []
    rows = list(_rows(connection, changed))
    times = read_finish(connection, changed)
    find = "SELECT points FROM curve NOT INDEXED WHERE number = ?"
    found = []
    for row, (trial, outcome) in zip(rows, form.some(rows, changed)):
        number, curve = trial.number, form.no_curve
        if outcome is not None:
            packed = connection.execute(find, (number,)).fetchone()
            curve = form.curve(packed and packed[0], row[CURVE], number)
        recorded = RecordedTrial(trial, outcome, curve, times.get(number))
        found.append(TrialChange(recorded, row[-1]))
    return found


def _rows(connection: sqlite3.Connection, numbers: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    query = f"{TRIALS} WHERE number = ?"
    for number in numbers:
        yield from connection.execute(query, (number,))
