"""The text and the compiled body of what a user has written: functions, and classes of modules."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import CodeType
from typing import Any


def source_of(function: Callable[..., Any]) -> str | None:
    """The text of a function or a class; None if it is not known."""
    try:
        return inspect.getsource(_written(function))
    except (OSError, TypeError):
        return None


def code_object(function: Callable[..., Any]) -> CodeType | None:
    """The compiled body of a function of Python, of a class that of a method; else None."""
    written = _written(function)
    if inspect.isclass(written):
        methods = (vars(written).get(name) for name in ("__init__", "forward"))
        written = next((m for m in methods if inspect.isfunction(m)), None)
    code = getattr(written, "__code__", None)
    return code if isinstance(code, CodeType) else None


def called_name(function: Callable[..., Any]) -> str:
    """What a function is called; of an object its class, and of a lambda `<lambda>`."""
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__))


def _written(function: Callable[..., Any]) -> Any:
    """What is behind decorators, partial applications and callable objects."""
    written: Any = inspect.unwrap(function)
    while isinstance(written, functools.partial):
        written = inspect.unwrap(written.func)
    if inspect.isfunction(written) or inspect.ismethod(written) or inspect.isclass(written):
        return written
    return inspect.unwrap(type(written).__call__)
