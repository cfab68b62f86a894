"""The rows of trials at a rung: the outcomes of their lanes, an array a row."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from xortune.ledger.lane_arrays import check_array, packed, unpacked
from xortune.ledger.queries import check_count, count_more
from xortune.ledger.rows import LONGEST_TEXT, Damage, canonical, digest
from xortune.settings import StudySettings
from xortune.trial import Outcome, RawArray

_COLUMNS = "trial, replicate, epoch, name, dtype, shape, content, digest"
# The index is that of the table's own statement.
_TABLE = "paused INDEXED BY sqlite_autoindex_paused_1"
_TYPES = (int, int, int, str, str, str, bytes, int)
_LAST_EPOCH = 2**53
_LONGEST_SHAPE = 1000

Row = tuple[Any, ...]


class PausedRows:
    """The format of the rows of one study's trials at a rung.

    Attributes:
        expected: whether the study has rungs.
    """

    def __init__(self, settings: StudySettings) -> None:
        self._metrics = tuple(metric.name for metric in settings.spec.measured)
        self._most = settings.replicates
        self.expected = bool(settings.rungs)

    def of_pack(self, paused: Mapping[int, Sequence[Outcome]]) -> list[Row]:
        """`_COLUMNS` of the lanes of trials; raises ValueError if they could not be read again."""
        return [row for number, lanes in paused.items() for row in self._rows(number, lanes)]

    def _rows(self, number: int, lanes: Sequence[Outcome]) -> list[Row]:
        if len(lanes) > self._most:
            raise ValueError(f"trial {number} has {len(lanes)} lanes, and may have {self._most}")
        return [
            _row(number, place, lane, name, array)
            for place, lane in enumerate(lanes)
            for name, array in packed(lane, len(lanes), self._metrics).items()
        ]

    def lanes(self, number: int, rows: Iterable[Row]) -> tuple[Outcome, ...]:
        """The outcomes of a trial's lanes, from all of its rows; raises Damage."""
        found: dict[int, tuple[int, dict[str, RawArray]]] = {}
        for row in rows:
            _, place, epoch, name, dtype, sizes, content, _ = _check(row, number)
            shape, who = _shape(sizes), f"the array {name:.40} of trial {number}"
            if shape is None:
                raise Damage(f"the shape of {who} is not a list of sizes")
            array = RawArray(dtype, shape, content)
            check_array(array, who)
            known, arrays = found.setdefault(place, (epoch, {}))
            if known != epoch or not 0 <= epoch <= _LAST_EPOCH:
                raise Damage(f"trial {number} is paused at an impossible epoch")
            arrays[name] = array
        count = len(found)
        if count > self._most or found.keys() != {*range(count)}:
            raise Damage(f"trial {number} is paused with other replicates than its study has")
        return tuple(
            unpacked(*found[place], count, self._metrics, f"replicate {place} of trial {number}")
            for place in range(count)
        )


def replace_paused(
    connection: sqlite3.Connection, numbers: Iterable[int], new: Sequence[Row]
) -> None:
    """Replaces all rows of these trials."""
    outdated = [(number,) for number in numbers]
    removed = connection.executemany(f"DELETE FROM {_TABLE} WHERE trial = ?", outdated).rowcount
    connection.executemany(f"INSERT INTO paused ({_COLUMNS}) VALUES ({', '.join('?' * 8)})", new)
    count_more(connection, "paused", len(new) - max(removed, 0))


def read_paused(
    connection: sqlite3.Connection, numbers: Iterable[int] | None
) -> dict[int, list[Row]]:
    """The rows of these trials, or of all; trials without any are left out.

    Every trial's rows are counted, and `PausedRows.lanes` checks those that are returned.
    """
    (count,) = connection.execute(f"SELECT count(*) FROM {_TABLE}").fetchone()
    check_count(connection, "paused", count)
    if numbers is None:
        return _all(connection)
    query = f"SELECT {_COLUMNS} FROM {_TABLE} WHERE trial = ? ORDER BY replicate, name"
    found = {number: connection.execute(query, (number,)).fetchall() for number in numbers}
    return {number: rows for number, rows in found.items() if rows}


def _all(connection: sqlite3.Connection) -> dict[int, list[Row]]:
    query = f"SELECT {_COLUMNS} FROM {_TABLE} ORDER BY trial, replicate, name"
    found: dict[int, list[Row]] = {}
    for number, rows in groupby(connection.execute(query), itemgetter(0)):
        if type(number) is not int or number in found:
            raise Damage(f"it holds the state of trial {number!r:.20}, which is missing")
        found[number] = list(rows)
    return found


def _row(number: int, place: int, lane: Outcome, name: str, array: RawArray) -> Row:
    check_array(array, f"the array {name:.40} of trial {number}")
    epoch = 0 if lane.paused is None else lane.paused.epoch
    if not 0 <= epoch <= _LAST_EPOCH or len(name) > LONGEST_TEXT:
        raise ValueError(f"trial {number} cannot be paused at epoch {epoch}")
    head = (number, place, epoch, name, array.dtype, _shape_text(array.shape))
    return *head, array.content, _digest(head, array.content)


def _digest(head: Row, content: bytes) -> int:
    return digest(ascii(head).encode() + content)


def _check(row: Row, number: int) -> Row:
    """The row of a trial, if it is as it was written; raises Damage."""
    if tuple(map(type, row)) != _TYPES:
        raise Damage(f"a row of paused trial {number} holds values of another type")
    if row[0] != number or _digest(row[:6], row[6]) != row[7]:
        raise Damage(f"a row of paused trial {number} is not as it was written")
    if row[1] < 0 or len(row[3]) > LONGEST_TEXT:
        raise Damage(f"a row of paused trial {number} has an impossible name or replicate")
    return row


@lru_cache(maxsize=1024)
def _shape_text(shape: tuple[int, ...]) -> str:
    return canonical(list(shape))


@lru_cache(maxsize=1024)
def _shape(text: str) -> tuple[int, ...] | None:
    """The sizes in a text; None if it does not list any."""
    try:
        shape = json.loads(text) if len(text) <= _LONGEST_SHAPE else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        return None
    return tuple(shape)
