"""The text of a user's functions together with what they use of their own module."""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from types import CodeType
from typing import Any

from xortune.problems.sources import source_of

_PLAIN = (bool, int, float, str, type(None))
_LONGEST = 200


def text_with_helpers(functions: Sequence[Callable[..., Any]]) -> str:
    """The texts of functions and classes, and of those that they name.

    Only what belongs to the module of the first one is looked into. Numbers and texts that are
    read from it, or from around a function, are added as they are now, and so are those of an
    object. Of a class of a library, such as `nn.MSELoss`, there is its name. Empty if the text of
    one of the functions is not known.
    """
    collected = _Collected(getattr(_behind(functions[0]), "__module__", None))
    return collected.text if all(map(collected.add, functions)) else ""


class _Collected:
    """Texts and values, each once; `own` is the module whose functions are looked into."""

    def __init__(self, own: str | None) -> None:
        self._own = own
        self._texts: dict[int, str] = {}
        self._values: dict[str, str] = {}

    @property
    def text(self) -> str:
        return "\n".join([*self._texts.values(), *sorted(self._values.values())])

    def add(self, function: Any) -> bool:
        """Adds what a function, a class or an object is made of; False without its text."""
        while isinstance(function, functools.partial):
            self._add_values("partial", {**function.keywords, **dict(enumerate(function.args))})
            function = function.func
        found = _behind(function)
        if found is not function:
            self._add_values(found.__name__, getattr(function, "__dict__", {}))
        if id(found) in self._texts:
            return True
        if getattr(found, "__module__", None) != self._own and not inspect.isfunction(found):
            # A class or an object of a library, which has a version of its own.
            self._texts[id(found)] = f"{found.__module__}.{found.__qualname__}"
            return True
        text = source_of(found)
        self._texts[id(found)] = text or ""
        self._add_used(found)
        return text is not None

    def _add_used(self, found: Any) -> None:
        if getattr(found, "__module__", None) != self._own:
            return
        for name, used in _used(found):
            is_text = inspect.isfunction(used) or inspect.isclass(used)
            if isinstance(used, _PLAIN):
                self._add_values("", {name: used})
            elif is_text and getattr(used, "__module__", None) == self._own:
                self.add(used)

    def _add_values(self, owner: str, values: dict[Any, Any]) -> None:
        for name, value in values.items():
            if isinstance(value, _PLAIN):
                key = f"{owner}.{name}" if owner else str(name)
                self._values[key] = f"{key} = {_short(value)}"


def _behind(function: Any) -> Any:
    """A function, behind its decorators; a class; or the class of any other object."""
    while isinstance(function, functools.partial):
        function = function.func
    found = inspect.unwrap(function)
    found = getattr(found, "__func__", found)
    is_text = inspect.isfunction(found) or inspect.isclass(found) or inspect.isbuiltin(found)
    return found if is_text else type(found)


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
    code = getattr(found, "__code__", None)
    if not isinstance(code, CodeType):
        return
    names = {**found.__globals__}
    yield from ((name, names[name]) for name in sorted(_names(code)) if name in names)
    for name, cell in zip(code.co_freevars, found.__closure__ or ()):
        try:
            yield name, cell.cell_contents
        except ValueError:  # It is not set yet.
            continue


def _names(code: CodeType) -> set[str]:
    """The names in a body, and in those of functions within it."""
    inner = (_names(one) for one in code.co_consts if isinstance(one, CodeType))
    return set(code.co_names).union(*inner)
