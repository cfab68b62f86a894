"""The text and the compiled body of what a user has written: functions, and classes of modules."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import CodeType
from typing import Any


def source_of(function: Callable[..., Any]) -> str | None:
    """The text of a function or a class; None if it is not known."""
    found = written(function)
    try:
        return inspect.getsource(found)
    except (OSError, TypeError):
        return _methods_of(found) if inspect.isclass(found) else None


def _methods_of(found: type) -> str | None:
    """The texts of a class's methods: a cell of a notebook does not tell where a class begins."""
    methods = [member for member in vars(found).values() if inspect.isfunction(member)]
    try:
        return "\n".join(map(inspect.getsource, methods)) or None
    except (OSError, TypeError):
        return None


def code_object(function: Callable[..., Any]) -> CodeType | None:
    """The compiled body of a function of Python, of a class that of a method; else None."""
    found = written(function)
    if inspect.isclass(found):
        methods = (vars(found).get(name) for name in ("__init__", "forward"))
        found = next((m for m in methods if inspect.isfunction(m)), None)
    code = getattr(found, "__code__", None)
    return code if isinstance(code, CodeType) else None


def called_name(function: Callable[..., Any]) -> str:
    """What a function is called; of an object its class, and of a lambda `<lambda>`."""
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__))


def written(function: Callable[..., Any]) -> Any:
    """What is behind decorators, partial applications and callable objects."""
    found: Any = inspect.unwrap(function)
    while isinstance(found, functools.partial):
        found = inspect.unwrap(found.func)
    if inspect.isfunction(found) or inspect.ismethod(found) or inspect.isclass(found):
        return found
    return inspect.unwrap(type(found).__call__)
