"""Names of columns and classes in messages, and the refusal of names that stand twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from xortune.errors import UsageError
from xortune.escaping import visible
from xortune.plain_numbers import brief

_LONGEST = 30


def quoted(names: Collection[str], most: int = 10) -> str:
    """Names as in `'a', 'b' and 7 more`."""
    return _some([brief(name) for name in list(names)[:most]], len(names))


def listed(names: Collection[str], most: int = 10) -> str:
    """Names as in `a, b and 7 more`, each in one line and shortened."""
    shown = [n if len(n) <= _LONGEST else f"{n[:_LONGEST]}..." for n in list(names)[:most]]
    return _some([visible(name) for name in shown], len(names))


def refuse_repeated(source: str, names: Iterable[str]) -> None:
    """Raises UsageError if columns have the same name.

    Args:
        source: the name of the data.
        names: of its columns.
    """
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UsageError(
            f"{source}: more than one column is called {quoted(twice)}. Give every column a name "
            "of its own."
        )


def _some(shown: list[str], count: int) -> str:
    more = f" and {count - len(shown):,} more" if count > len(shown) else ""
    return ", ".join(shown) + more
