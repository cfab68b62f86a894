"""The columns of a table: those that can be inputs, and those that are left out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from xortune.problems.table.asked import DROPPED, Asked
from xortune.problems.table.cells import Numbers, Place, Unusable, Words, read_cells, text_cells

_IDENTIFIER = re.compile(r"(^|[^a-z])(id|uuid|guid|index|idx|row ?(id|no|nr|number))$")
_CAMEL_IDENTIFIER = re.compile(r"[a-z](Id|ID)$|^RowNumber$")
# More different texts than this, and more than in half of the rows, are names or free text.
_MOST_TEXTS = 10
COPY = "a copy "  # begins the reason of a column that equals another


@dataclass
class Columns:
    """What was found in the columns of a table, without its target.

    Attributes:
        cells: of the columns that can be inputs, in the table's order.
        left_out: the others, with the reason.
        faults: what must be corrected in the table.
    """

    cells: dict[str, Numbers | Words] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def leave_out(self, name: str, reason: str) -> None:
        self.left_out[name] = reason
        self.cells.pop(name, None)


def read_columns(
    frame: pd.DataFrame, target: str, named: bool, asked: Asked, place: Place
) -> Columns:
    """The columns of a table.

    Args:
        frame: the table; its columns have different names.
        target: the name of the target.
        named: whether people chose the names, so that identifiers can be told by them.
        asked: the columns that are left out, and those of text.
        place: of a row, for messages.
    """
    found = Columns(left_out=dict.fromkeys(asked.drop, DROPPED))
    names = [name for name in frame.columns if name != target and name not in asked.drop]
    for name in names:
        series = frame[name]
        try:
            cells = text_cells(series) if name in asked.text else read_cells(series, place)
        except ValueError as error:
            found.faults.append(f"column {name!r}: {error}")
            continue
        if isinstance(cells, Unusable):
            found.left_out[name] = cells.reason
        elif _empty(cells):
            found.left_out[name] = "empty"
        elif isinstance(cells, Words) and name not in asked.text and _mostly_different(cells):
            found.left_out[name] = "texts that hardly repeat"
        else:
            found.cells[name] = cells
    if named:
        _leave_out_identifiers(found, names[0] if names else "")
    return found


def leave_out_copies(found: Columns, of_target: Numbers | Words) -> dict[str, bytes]:
    """Leaves out columns that equal an earlier one or the target; returns the others' digests."""
    first = {content_digest(of_target): f"{COPY}of the target"}
    digests = {}
    for name, cells in list(found.cells.items()):
        content = content_digest(cells)
        if content in first:
            found.leave_out(name, first[content])
        else:
            first[content] = f"{COPY}of {name}"
            digests[name] = content
    return digests


def table_digest(target: str, of_target: bytes, columns: Mapping[str, bytes]) -> str:
    """The digest of what is used of a table: the names, kinds and cells, in the table's order.

    Args:
        target: the name of the target.
        of_target: the digest of its content.
        columns: the digests of the inputs' content, by name.
    """
    digest = hashlib.sha256(b"xortune table 1")
    for name, content in ((target, of_target), *columns.items()):
        text = name.encode("utf-8", "surrogatepass")
        digest.update(len(text).to_bytes(8, "little") + text + content)
    return digest.hexdigest()[:32]


def content_digest(cells: Numbers | Words) -> bytes:
    """The digest of a column: its kind and its cells, little-endian.

    Every NaN is the same, as are 0.0 and -0.0.
    """
    if isinstance(cells, Numbers):
        values = np.where(np.isnan(cells.values), np.nan, cells.values) + 0.0
        return hashlib.sha256(b"numbers" + values.astype("<f8").tobytes()).digest()
    digest = hashlib.sha256(b"words" + len(cells.words).to_bytes(8, "little"))
    texts = [word.encode() for word in cells.words]
    digest.update(np.array([len(text) for text in texts], dtype="<i8").tobytes())
    digest.update(b"".join(texts))
    digest.update(cells.codes.astype("<i4").tobytes())
    return digest.digest()


def _empty(cells: Numbers | Words) -> bool:
    if isinstance(cells, Numbers):
        return bool(np.isnan(cells.values).all())
    return not cells.words


def _mostly_different(cells: Words) -> bool:
    count, present = len(cells.words), int((cells.codes >= 0).sum())
    return count > _MOST_TEXTS and count > present / 2


def _leave_out_identifiers(found: Columns, first: str) -> None:
    """Leaves out columns that number the rows, unless nothing else remains."""
    identifiers = [
        name
        for name, cells in found.cells.items()
        if isinstance(cells, Numbers)
        and _all_different(cells)
        and (_called_identifier(name) or (name == first and _counts_rows(cells)))
    ]
    if len(identifiers) < len(found.cells):
        for name in identifiers:
            found.leave_out(name, "an identifier")


def _called_identifier(name: str) -> bool:
    spaced = name.replace("_", " ").strip()
    return bool(_IDENTIFIER.search(spaced.casefold()) or _CAMEL_IDENTIFIER.search(name))


def _all_different(cells: Numbers) -> bool:
    values = cells.values
    whole = bool((values == np.floor(values)).all())  # False where one is missing
    return whole and len(np.unique(values)) == len(values)


def _counts_rows(cells: Numbers) -> bool:
    start = cells.values[0]
    return bool(start in (0, 1) and (np.diff(cells.values) == 1).all())
