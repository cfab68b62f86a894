"""The recipe of a table: plain values that say how its rows are prepared and split."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from xortune.problems.table.asked import DROPPED
from xortune.problems.table.preparation import (
    MOST_WORDS,
    NumberColumn,
    PreparedColumn,
    WordsColumn,
)
from xortune.problems.table.rows import TASKS, Target
from xortune.problems.table.splitting import MAX_SEED, Split

if TYPE_CHECKING:
    import pandas as pd

_KINDS: Mapping[str, type[NumberColumn] | type[WordsColumn]] = {
    "number": NumberColumn,
    "words": WordsColumn,
}
_FOLDS = "folds"


@dataclass(frozen=True)
class Recipe:
    """How a table becomes rows of inputs and targets; recorded with every study of it.

    Attributes:
        target_name: the column that is learnt.
        target: its task, and how to read a model's outputs.
        columns: the prepared columns, in the table's order.
        left_out: the other columns, with the reasons.
        split: the percentages of training, validation and test rows.
        split_seed: of the split.
        rows: the numbers of training, validation and test rows.
        folds: how often the training and validation rows are divided anew, so that each validates
            once; None for a single division. The rest of the recipe is that of the first fold.
    """

    target_name: str
    target: Target
    columns: tuple[PreparedColumn, ...]
    left_out: tuple[tuple[str, str], ...]
    split: Split
    split_seed: int
    rows: tuple[int, int, int]
    folds: int | None = None

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the prepared inputs, as in `alcohol`, `colour=red`, `age (missing)`."""
        return tuple(name for column in self.columns for name in column.input_names)

    @property
    def inputs(self) -> int:
        """The number of prepared inputs, d."""
        return len(self.input_names)

    @property
    def text_columns(self) -> frozenset[str]:
        """The columns of text, for `reading.read_frame`: "01" stays what it is in them.

        So do the cells of those that were left out as asked, whatever they hold.
        """
        dropped = (name for name, reason in self.left_out if reason == DROPPED)
        return frozenset((*(c.name for c in self.columns if isinstance(c, WordsColumn)), *dropped))

    def prepare(self, frame: pd.DataFrame) -> tuple[NDArray[np.float32], list[str]]:
        """The inputs for new rows, just as the training rows were prepared.

        Columns that the recipe does not know are ignored.

        Args:
            frame: the rows, as from `reading.read_frame`.

        Returns:
            The inputs, float32 of shape `(n, inputs)`, and a line for every column that is
            missing, or holds something unknown.

        Raises:
            UsageError: the frame has none of the columns, or two of a name.
        """
        from xortune.problems.table.new_rows import prepare_frame

        return prepare_frame(self, frame)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for `from_dict`."""
        names = {kind: name for name, kind in _KINDS.items()}
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.folds is None:
            del values[_FOLDS]  # Recipes of earlier versions have no such key.
        return {
            **values,
            "target": _plain(self.target),
            "columns": [{"kind": names[type(c)], **_plain(c)} for c in self.columns],
            "left_out": [list(pair) for pair in self.left_out],
            "split": list(self.split),
            "rows": list(self.rows),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """The recorded recipe; raises ValueError if the values are not those of a recipe."""
        folded = isinstance(values, Mapping) and _FOLDS in values
        _keys(values, [f.name for f in fields(cls) if folded or f.name != _FOLDS], "the recipe")
        columns = _each("columns", values["columns"], _column)
        recipe = cls(
            target_name=_text("target_name", values["target_name"]),
            target=_target(values["target"]),
            columns=columns,
            left_out=_each("left_out", values["left_out"], _reason),
            split=_three("split", _each("split", values["split"], _positive)),
            split_seed=_whole("split_seed", values["split_seed"], 0, MAX_SEED),
            rows=_three("rows", _each("rows", values["rows"], _count)),
            folds=_whole(_FOLDS, values[_FOLDS], 2, 2**53) if folded else None,
        )
        _expect(bool(columns), "columns", "there is none")
        names = [recipe.target_name, *(c.name for c in columns), *(n for n, _ in recipe.left_out)]
        _expect(len({*names}) == len(names), "columns", "one name stands twice")
        total = math.fsum(recipe.split)
        _expect(math.isclose(total, 100, rel_tol=1e-9), "split", f"it sums to {total}")
        most = sum(recipe.rows[:2])
        _expect((recipe.folds or 0) <= most, _FOLDS, f"there are more than the {most} rows")
        return recipe


def _plain(part: Target | PreparedColumn) -> dict[str, Any]:
    values = asdict(part)
    return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}


def _column(name: str, values: Any) -> PreparedColumn:
    kind = values.get("kind") if isinstance(values, Mapping) else None
    _expect(isinstance(kind, str) and kind in _KINDS, name, "its kind is unknown")
    made = _KINDS[str(kind)]
    _keys(values, ["kind", *(field.name for field in fields(made))], name)
    title, indicator = _text(name, values["name"]), _truth(name, values["indicator"])
    if made is NumberColumn:
        median, mean = _finite(name, values["median"]), _finite(name, values["mean"])
        return NumberColumn(title, median, mean, _positive(name, values["scale"]), indicator)
    words = _distinct(name, values["words"])
    _expect(len(words) <= MOST_WORDS, name, "it has too many words")
    other = _truth(name, values["other"])
    _expect(len(words) + other + indicator > 0, name, "it has no input")
    return WordsColumn(title, words, other, indicator)


def _target(values: Any) -> Target:
    _keys(values, [field.name for field in fields(Target)], "target")
    task, classes = values["task"], _distinct("target", values["classes"])
    _expect(isinstance(task, str) and task in TASKS, "target", "its task is unknown")
    mean, scale = _finite("target", values["mean"]), _positive("target", values["scale"])
    fits = {"regression": not classes, "binary": len(classes) == 2, "classes": len(classes) > 1}
    _expect(fits[task], "target", f"{len(classes)} classes do not fit its task")
    plain = task == "regression" or (mean, scale) == (0, 1)
    _expect(plain, "target", "classes have a mean or a scale")
    return Target(task, classes, mean, scale)


def _reason(name: str, values: Any) -> tuple[str, str]:
    pair = _each(name, values, _text)
    _expect(len(pair) == 2, name, "it is not a column and a reason")
    return pair[0], pair[1]


def _expect(holds: bool, name: str, fault: str) -> None:
    if not holds:
        raise ValueError(f"{name}: {fault}")


def _keys(values: Any, names: Sequence[str], name: str) -> None:
    fits = isinstance(values, Mapping) and {*values} == {*names}
    _expect(fits, name, f"it does not have exactly {', '.join(names)}")


def _each(name: str, values: Any, check: Callable[[str, Any], Any]) -> tuple[Any, ...]:
    _expect(isinstance(values, (list, tuple)), name, "it is not a list")
    return tuple(check(name, value) for value in values)


def _three(name: str, values: tuple[Any, ...]) -> tuple[Any, Any, Any]:
    _expect(len(values) == 3, name, "it does not have three numbers")
    return values[0], values[1], values[2]


def _distinct(name: str, values: Any) -> tuple[str, ...]:
    texts = _each(name, values, _text)
    _expect(len({*texts}) == len(texts), name, "one word stands twice")
    return texts


def _text(name: str, value: Any) -> str:
    _expect(type(value) is str, name, "a text is missing")
    return str(value)


def _truth(name: str, value: Any) -> bool:
    _expect(type(value) is bool, name, "True or False is missing")
    return bool(value)


def _whole(name: str, value: Any, low: int, high: int) -> int:
    _expect(type(value) is int and low <= value <= high, name, "a number is out of range")
    return int(value)


def _count(name: str, value: Any) -> int:
    return _whole(name, value, 1, 2**53)


def _finite(name: str, value: Any) -> float:
    fits = type(value) is float or (type(value) is int and abs(value) <= 2**53)
    _expect(fits and math.isfinite(value), name, "a number is missing or not finite")
    return float(value)


def _positive(name: str, value: Any) -> float:
    number = _finite(name, value)
    _expect(number > 0, name, "a number is not above 0")
    return number
