"""The rows of replicates: several trainings of one trial, of the search and of a confirmation."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from math import isfinite
from operator import itemgetter
from typing import Any

from xortune.ledger.metric_texts import MetricTexts
from xortune.ledger.queries import check_count, count_more, sealed_count
from xortune.ledger.rows import LONGEST_TEXT, Damage, digest, real, sealed
from xortune.settings import StudySettings
from xortune.trial import FinishedTrial, Outcome, Replicate, Scores

_COLUMNS = "trial, replicate, state, metrics, duration_s, error, digest"
# A table WITHOUT ROWID is itself an index, so NOT INDEXED would not exclude other indexes.
_TABLE = "replicate INDEXED BY sqlite_autoindex_replicate_1"
_INSERT = f"INSERT INTO replicate ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
_STATES = ("COMPLETE", "FAIL", "PRUNED")
_NULL = type(None)

Row = tuple[Any, ...]
Wanted = Callable[[int, int], bool]  # of a trial's number and a replicate's place


class ReplicateRows:
    """The format of the rows of one study's replicates, whose metrics are a single training's.

    Attributes:
        expected: whether every trial of the search has replicates.
    """

    def __init__(self, settings: StudySettings) -> None:
        spec = settings.spec
        self._spec = spec
        self._replicates = settings.replicates
        self._names = tuple(metric.name for metric in spec.measured)
        self._metrics = MetricTexts(spec, self._names)
        self.expected = settings.replicates > 1

    def row(self, trial: int, replicate: Replicate) -> Row:
        """`_COLUMNS` of a replicate; raises ValueError for a state that no replicate has."""
        place, state, scores, duration_s, error = replicate
        if state not in _STATES or (scores is None) != (state == "FAIL"):
            raise ValueError(f"replicate {place} of trial {trial} cannot be {state}")
        return sealed(
            (
                trial,
                place,
                state,
                None if scores is None else self._metrics.text("COMPLETE", scores),
                None if duration_s is None else real(duration_s),
                None if error is None else error[:LONGEST_TEXT],
            )
        )

    def of_pack(self, finished: Sequence[FinishedTrial]) -> list[Row]:
        """The rows of a pack's replicates."""
        return [self.row(f.trial.number, one) for f in finished for one in f.outcome.replicates]

    def read(self, rows: Sequence[Row]) -> dict[int, list[Replicate]]:
        """The replicates in checked rows, by trial; raises Damage for an impossible value."""
        texts = {row[:2]: row[3] for row in rows if row[3] is not None}
        measured = self._metrics.read(texts, (), _owner)
        return {
            trial: [self._replicate(row, measured.get(row[:2])) for row in found]
            for trial, found in groupby(rows, itemgetter(0))
        }

    def _replicate(self, row: Row, values: tuple[float, ...] | None) -> Replicate:
        _, place, state, _, duration_s, error, _ = row
        if state not in _STATES or (values is None) != (state == "FAIL"):
            raise Damage(f"{_owner(row[:2])} has metrics that do not match its state")
        if duration_s is not None and not isfinite(duration_s):
            raise Damage(f"the duration of {_owner(row[:2])} is not finite")
        scores = None if values is None else Scores(self._names, values)
        return Replicate(place, state, scores, duration_s, error)

    def check(self, number: int, outcome: Outcome | None, found: Sequence[Replicate]) -> None:
        """Raises Damage if a trial with this outcome cannot have these replicates."""
        places = [replicate.place for replicate in found]
        if found and outcome is None:
            raise Damage(f"trial {number} has replicates but is not finished")
        if found and not self.expected and places[0] == 0:
            raise Damage(f"trial {number} has replicates, and its study none")
        complete = outcome is not None and outcome.state == "COMPLETE"
        every = [*range(self._replicates)]
        if self.expected and complete and places[: self._replicates] != every:
            raise Damage(f"trial {number} lacks some of its {self._replicates} replicates")


def replace_replicates(
    connection: sqlite3.Connection, numbers: Iterable[int], new: Sequence[Row]
) -> None:
    """Replaces all replicates of these trials."""
    outdated = [(number,) for number in numbers]
    removed = connection.executemany(f"DELETE FROM {_TABLE} WHERE trial = ?", outdated).rowcount
    connection.executemany(_INSERT, new)
    count_more(connection, "replicates", len(new) - max(removed, 0))


def insert_replicates(connection: sqlite3.Connection, new: Sequence[Row]) -> None:
    """Adds rows of replicates, none of which may be there yet."""
    connection.executemany(_INSERT, new)
    count_more(connection, "replicates", len(new))


def read_replicates(connection: sqlite3.Connection, wanted: Wanted) -> list[Row]:
    """The wanted rows by trial and place, once all of them are checked and counted.

    In a damaged page a query may miss the rows of a trial, so all are looked at.
    """
    trials = sealed_count(connection, "trials")
    rows = connection.execute(f"SELECT {_COLUMNS} FROM {_TABLE} ORDER BY trial, replicate")
    count, found = 0, []
    for row in _checked(rows, trials):
        count += 1
        if wanted(row[0], row[1]):
            found.append(row)
    check_count(connection, "replicates", count)
    return found


def _checked(rows: Iterable[Row], trials: int) -> Iterator[Row]:
    """Checks that rows ascend, are as they were written, and have possible types and lengths."""
    before = (-1, -1)
    for row in rows:
        if digest(row[:-1]) != row[-1]:
            raise Damage(f"the row of {_owner(row[:2])} is not as it was written")
        if not _types_fit(tuple(map(type, row))):
            raise Damage(f"the row of {_owner(row[:2])} holds values of another type")
        if not 0 <= row[0] < trials:
            raise Damage(f"it holds replicates of trial {row[0]}, which is missing")
        if row[1] < 0 or not before < row[:2]:
            raise Damage(f"the replicates of trial {row[0]} do not ascend")
        before = row[:2]
        for text in (row[3], row[5]):
            if text is not None and len(text) > LONGEST_TEXT:
                raise Damage(f"{_owner(row[:2])} holds a text of {len(text)} characters")
        yield row


@lru_cache(maxsize=64)
def _types_fit(types: tuple[type, ...]) -> bool:
    """Whether a row has possible types; cached, since few combinations occur."""
    metrics, duration, error = types[3:6]
    return (
        types[:3] == (int, int, str)
        and {metrics, error} <= {str, _NULL}
        and duration in (float, _NULL)
    )


def _owner(key: tuple[Any, ...]) -> str:
    trial, place = key
    return f"replicate {place!r:.20} of trial {trial!r:.20}"
