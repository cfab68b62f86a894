"""What was done with a table, in lines of at most 80 characters."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np

from xortune.escaping import visible
from xortune.problems.table.cells import Numbers, Words
from xortune.problems.table.columns import COPY
from xortune.problems.table.decimals import Marks
from xortune.problems.table.preparation import NumberColumn, PreparedColumn, WordsColumn
from xortune.problems.table.recipe import Recipe
from xortune.problems.table.targets import Targets

_WIDTH = 80
_MOST_LINES = 3  # for one list of columns
_LONGEST_NAME = 40
_WORDS_SHOWN = 3


def wrapped(text: str) -> list[str]:
    """A note as lines, of which all but the first are indented."""
    return textwrap.wrap(visible(text), _WIDTH, subsequent_indent="  ")


def summary(
    recipe: Recipe,
    cells: Mapping[str, Numbers | Words],
    title: str,
    targets: Targets,
    marks: Marks,
) -> tuple[str, ...]:
    """The lines on a table: its rows, its target, and what every column became.

    Args:
        recipe: of the table.
        cells: of the inputs, by name.
        title: the name of the data.
        targets: of all rows.
        marks: the columns whose numbers have commas or signs.
    """
    numbers = [_short(c.name) for c in recipe.columns if isinstance(c, NumberColumn)]
    texts = [_text(c) for c in recipe.columns if isinstance(c, WordsColumn)]
    missing = [
        [text for c in recipe.columns if isinstance(c, kind) for text in _missing(c, cells[c.name])]
        for kind in (NumberColumn, WordsColumn)
    ]
    small = [f"{_short(name)} ({count})" for name, count in targets.small_classes]
    return (
        *wrapped(
            f"{title}: {sum(recipe.rows):,} rows, {_counted(recipe.inputs, 'input')} from "
            f"{_counted(len(recipe.columns), 'column')}"
        ),
        *wrapped(targets.note),
        *_listed("classes with too few rows for every part", small),
        *_rows(recipe),
        *(line for mark, names in marks.items() for line in _listed(f"read with {mark}", names)),
        *_listed("numbers, standardised", numbers),
        *_listed("text, an input for each value", texts),
        *_listed("missing numbers, the median and an indicator", missing[0]),
        *_listed("missing text, an indicator", missing[1]),
        *_left_out(recipe.left_out),
    )


def _rows(recipe: Recipe) -> list[str]:
    """The lines on how the rows are divided."""
    training, validation, test = recipe.rows
    both, folds = training + validation, recipe.folds
    split = "/".join(f"{share:g}" for share in recipe.split)
    how = f"{test:,} for test ({split}, seed {recipe.split_seed})"
    if folds is None:
        return wrapped(f"rows: {training:,} for training, {validation:,} for validation, {how}")
    least, most = both // folds, -(-both // folds)
    sizes = f"{least:,}" if least == most else f"{least:,} or {most:,}"
    noun = "row" if most == 1 else "rows"
    return [
        *wrapped(f"rows: {both:,} for training and validation, {how}"),
        *wrapped(f"folds: {folds:,} of {sizes} {noun} each, in turn for validation"),
    ]


def _left_out(columns: Sequence[tuple[str, str]]) -> list[str]:
    """The columns that are left out, by reason."""
    reasons: dict[str, list[str]] = {}
    for name, reason in columns:
        if reason.startswith(COPY):
            reasons.setdefault("copies", []).append(f"{_short(name)} ({reason[len(COPY) :]})")
        else:
            reasons.setdefault(reason, []).append(_short(name))
    return [line for r, names in reasons.items() for line in _listed(f"left out, {r}", names)]


def _text(column: WordsColumn) -> str:
    return f"{_short(column.name)} ({len(column.words)}{' and other' if column.other else ''})"


def _missing(column: PreparedColumn, cells: Numbers | Words) -> list[str]:
    """How often cells are missing, and the words that stand for it; empty if none is."""
    missing = cells.codes < 0 if isinstance(cells, Words) else np.isnan(cells.values)
    count, words = int(missing.sum()), list(cells.as_missing)
    if not count:
        return []
    shown = [f'"{_short(word)}"' for word in words[:_WORDS_SHOWN]]
    written = f", {' '.join(shown)}{' ...' if len(words) > len(shown) else ''}" if words else ""
    trained = "" if column.indicator else ", none in training"
    return [f"{_short(column.name)} ({count:,}{written}{trained})"]


def _listed(head: str, items: Sequence[str]) -> list[str]:
    """Items after a heading, as many as fit into a few lines; none without items."""
    if not items:
        return []
    lines = wrapped(f"{head}: {', '.join(items)}")
    shown = len(items)
    while len(lines) > _MOST_LINES and shown > 1:
        shown = shown * _MOST_LINES // len(lines) if len(lines) > _MOST_LINES + 1 else shown - 1
        shown = max(1, shown)
        more = f" and {len(items) - shown:,} more"
        lines = wrapped(f"{head}: {', '.join(items[:shown])}{more}")
    return lines


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
