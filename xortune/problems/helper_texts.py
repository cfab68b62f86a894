"""The text of a user's functions together with what they use of their own module."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from types import CodeType
from typing import Any

from xortune.problems.sources import source_of, written

_LONGEST = 200
_PLAIN = (bool, int, float, str, type(None))


def text_with_helpers(functions: Iterable[Callable[..., Any]]) -> str:
    """The texts of functions and classes, and of those of the same module that they name.

    Numbers and texts that they read from their module or from around them are added as they are
    now. Empty if the text of one of the functions is not known.
    """
    texts: dict[int, str] = {}
    values: dict[str, str] = {}
    waiting: list[tuple[Any, bool]] = [(function, True) for function in functions]
    while waiting:
        function, needed = waiting.pop(0)
        found = written(function)
        if id(found) in texts:
            continue
        text = source_of(found)
        if text is None and needed:
            return ""
        texts[id(found)] = text or ""
        for name, used in _used(found):
            if isinstance(used, _PLAIN):
                values[name] = f"{name} = {_short(used)}"
            elif _is_helper(used, found):
                waiting.append((used, False))
    return "\n".join([*texts.values(), *sorted(values.values())])


def _short(value: Any) -> str:
    """A value as text; of a long one a digest, since it is compared and not read."""
    text = repr(value)
    return text if len(text) <= _LONGEST else hashlib.sha256(text.encode()).hexdigest()


def _used(found: Any) -> Iterator[tuple[str, Any]]:
    """What a function or the methods of a class name: of their module, and of what is around."""
    if inspect.isclass(found):
        yield from ((base.__name__, base) for base in found.__bases__)
        for name, member in vars(found).items():
            if inspect.isfunction(member):
                yield from _used(member)
            elif isinstance(member, _PLAIN) and not name.startswith("__"):
                yield f"{found.__name__}.{name}", member
        return
    function = getattr(found, "__func__", found)
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        return
    names = {**function.__globals__}
    yield from ((name, names[name]) for name in sorted(_names(code)) if name in names)
    for name, cell in zip(code.co_freevars, function.__closure__ or ()):
        try:
            yield name, cell.cell_contents
        except ValueError:  # It is not set yet.
            continue


def _names(code: CodeType) -> set[str]:
    """The names in a body, and in those of functions within it."""
    inner = (_names(one) for one in code.co_consts if isinstance(one, CodeType))
    return set(code.co_names).union(*inner)


def _is_helper(used: Any, by: Any) -> bool:
    """Whether something is a function or a class of the same module."""
    kinds = inspect.isfunction(used) or inspect.isclass(used)
    return kinds and getattr(used, "__module__", None) == getattr(by, "__module__", "")
