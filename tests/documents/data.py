"""The files that the documents presuppose: a table of wines, and some new ones without quality."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_NAMES = ("alcohol", "acidity", "colour", "grape", "bottled", "quality")
_COLOURS = ("red", "white")
_GRAPES = ("gamay", "merlot", "riesling")


def write_wines(folder: Path) -> None:
    """Writes `wine.csv`, and its first three rows without the quality as `new.csv`."""
    lines = [",".join(cells) for cells in (_NAMES, *_rows())]
    (folder / "wine.csv").write_text("\n".join(lines) + "\n")
    new = [line.rpartition(",")[0] for line in lines[:4]]
    (folder / "new.csv").write_text("\n".join(new) + "\n")


def _rows() -> Iterator[tuple[str, ...]]:
    """150 rows, the same ones always; the quality follows from the others, nearly."""
    for i in range(150):
        alcohol = 9 + i * 37 % 53 / 10
        acidity = 2.5 + i * 17 % 23 / 10
        grape = i * 7 % 11 % 3
        quality = 4 + alcohol / 5 - abs(acidity - 3.5) + grape / 2 + i * 29 % 13 / 20
        yield (
            f"{alcohol:.1f}",
            "n/a" if i % 41 == 7 else f"{acidity:.1f}",
            _COLOURS[i * 5 % 7 % 2],
            _GRAPES[grape],
            f"2024-05-{1 + i % 28:02d}",
            f"{quality:.1f}",
        )
