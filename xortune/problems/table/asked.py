"""The columns that a user names: the target, those that are left out, and those of text."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from xortune.errors import UsageError
from xortune.escaping import visible
from xortune.plain_numbers import brief
from xortune.problems.table.names import listed
from xortune.wording import option

_NAMES_SHOWN = 12
DROPPED = "as asked"  # the reason of a column that the user has left out


@dataclass(frozen=True)
class Asked:
    """What is asked of columns besides the target.

    Attributes:
        drop: those that are left out.
        text: those whose values are categories though they look like numbers.
    """

    drop: tuple[str, ...] = ()
    text: tuple[str, ...] = ()

    def check(self, columns: Iterable[str], target: str, source: str) -> None:
        """Raises UsageError for names that are no columns, the target, or in both lists."""
        names, faults = list(columns), []
        for kind, asked in (("drop", self.drop), ("text", self.text)):
            for name in asked:
                place = f"{option(kind)} {brief(name)}: "
                if name not in names:
                    faults.append(f"{place}{_no_column(names, name, source)}")
                elif name == target and kind == "drop":
                    faults.append(f"{place}is the target. Leave it out of {option(kind)}.")
                elif name == target:
                    remedy = f"Use {option('task', 'classes')} instead."
                    faults.append(f"{place}is the target, which {option('task')} is for. {remedy}")
                elif kind == "text" and name in self.drop:
                    faults.append(f"{place}{option('drop')} leaves it out. Use one of the two.")
        if faults:
            raise UsageError("\n".join(faults))


def asked_of_columns(drop: Any, text: Any) -> Asked:
    """What is asked, from lists of names or one name each.

    Raises:
        UsageError: they are something else.
    """
    return Asked(_names("drop", drop), _names("text", text))


def find_target(columns: Iterable[str], target: str | None, source: str) -> str:
    """The name of the target column; raises UsageError if there is none of that name."""
    names = list(columns)
    if target is None:
        raise UsageError(
            f"{option('target')} is missing: which column of {source} is to be learnt? Its columns "
            f"are {listed(names, _NAMES_SHOWN)}."
        )
    if target in names:
        return target
    raise UsageError(f"{option('target')} {brief(target)}: {_no_column(names, target, source)}")


def target_of_arrays(columns: Iterable[str], own: str, target: str | None, source: str) -> str:
    """The name of the target that arrays bring.

    Args:
        columns: the names of all columns.
        own: of the array y.
        target: what the user names; None for nothing.
        source: the name of the data.

    Raises:
        UsageError: there is no y, or the user names another column.
    """
    if own not in columns:
        raise UsageError(f"{source} has X, but no y to learn: a pair (X, y) is needed.")
    if target not in (None, own):
        raise UsageError(
            f"{option('target')} {brief(target)}: arrays bring their own target, {visible(own)}. "
            f"Leave {option('target')} out."
        )
    return own


def similar(name: str, names: Iterable[str]) -> str | None:
    """The name that may have been meant, whatever its capitals; None if none is similar."""
    lower = {other.casefold(): other for other in names}
    close = difflib.get_close_matches(name.casefold(), lower, n=1)
    return lower[close[0]] if close else None


def _no_column(names: Sequence[str], name: Any, source: str) -> str:
    meant = similar(str(name), names)
    hint = "" if meant is None else f" Did you mean {brief(meant)}?"
    return f"{source} has no such column.{hint} Its columns are {listed(names, _NAMES_SHOWN)}."


def _names(key: str, given: Any) -> tuple[str, ...]:
    names = (given,) if isinstance(given, str) else given
    if not isinstance(names, (list, tuple, set, frozenset)) or not all(
        isinstance(name, (str, int)) for name in names
    ):
        raise UsageError(f"{option(key)} {brief(given)}: must be a list of names of columns.")
    return tuple(sorted({str(name) for name in names}))
