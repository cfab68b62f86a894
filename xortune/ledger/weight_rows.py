"""The weights of trials, and their shared layouts."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from xortune.ledger.rows import Damage, canonical, digest, is_sealed, sealed
from xortune.trial import FinishedTrial, Layout, Weights

_LONGEST_LAYOUT = 1_000_000


def keep_weights(
    connection: sqlite3.Connection, finished: Sequence[FinishedTrial], forget: Collection[int]
) -> None:
    """Replaces the weights of a pack, and removes those of the trials numbered in `forget`.

    Only complete trials have a model.
    """
    forgotten = {*forget}
    outdated = forgotten | {f.trial.number for f in finished}
    removed = connection.executemany(
        "DELETE FROM weight NOT INDEXED WHERE number = ?", [(number,) for number in outdated]
    ).rowcount
    layouts: dict[Layout, int] = {}
    rows = []
    for f in finished:
        weights = f.outcome.weights
        complete = f.outcome.state == "COMPLETE"
        if complete and weights is not None and f.trial.number not in forgotten:
            if weights.layout not in layouts:
                layouts[weights.layout] = _layout_number(connection, pack_layout(weights.layout))
            rows.append(weight_row(f.trial.number, layouts[weights.layout], weights.content))
    connection.executemany("INSERT INTO weight VALUES (?, ?, ?, ?)", rows)
    more = len(rows) - max(removed, 0)
    connection.execute("UPDATE seal NOT INDEXED SET weights = weights + ?", (more,))


def pack_layout(layout: Layout) -> str:
    """A layout as JSON."""
    return canonical([(name, shape) for name, shape in layout])


def weight_row(number: int, layout: int, content: bytes) -> tuple[Any, ...]:
    """Number, layout's number, content and digest of a trial's weights."""
    return number, layout, content, digest(ascii((number, layout)).encode() + content)


def read_weights(row: Sequence[Any], layout: Sequence[Any] | None, number: int) -> Weights:
    """The weights of a trial, from its rows in the tables `weight` and `layout`."""
    content = row[2]
    if not isinstance(content, bytes) or weight_row(number, row[1], content) != tuple(row):
        raise Damage(f"the weights of trial {number} are not as they were written")
    if layout is None or not is_sealed(layout, row[1]):
        raise Damage(f"the layout of trial {number}'s weights is not as it was written")
    arrays = _layout(layout[1], layout[0])
    if 4 * sum(math.prod(shape) for _, shape in arrays) != len(content):
        raise Damage(f"the weights of trial {number} do not fill their layout")
    weights = Weights(arrays, content)
    if not all(map(math.isfinite, weights.numbers())):
        raise Damage(f"a weight of trial {number} is not finite")
    return weights


def checked_others(rows: Iterable[tuple[Any, ...]], number: int) -> int:
    """Counts weights, all of other trials: in a damaged page a query may miss a trial's own."""
    count = 0
    for row in rows:
        count += 1
        if row[0] == number or weight_row(*row[:3]) != row:
            raise Damage(f"the weights of trial {row[0]} are not as they were written")
    return count


def _layout_number(connection: sqlite3.Connection, content: str) -> int:
    """The number of a layout, which is inserted if it is new."""
    found = connection.execute(
        "SELECT number FROM layout NOT INDEXED WHERE content = ?", (content,)
    ).fetchone()
    if found is None:
        found = connection.execute("SELECT count(*) FROM layout NOT INDEXED").fetchone()
        connection.execute("INSERT INTO layout VALUES (?, ?, ?)", sealed((found[0], content)))
    number: int = found[0]
    return number


def _layout(content: object, number: int) -> Layout:
    if not isinstance(content, str) or len(content) > _LONGEST_LAYOUT:
        raise Damage(f"layout {number} is not a text of at most {_LONGEST_LAYOUT} characters")
    listed = json.loads(content)
    for entry in listed if isinstance(listed, list) else [None]:
        match entry:
            case [str(), [*shape]] if all(type(size) is int and size >= 0 for size in shape):
                continue
        raise Damage(f"layout {number} is not a list of names and shapes")
    return tuple((name, tuple(shape)) for name, shape in listed)
