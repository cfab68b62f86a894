"""What two modules must have alike to train in one stack: all but numbers drawn from the seed."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

# Modules whose rate may differ between the lanes of a stack.
DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
# What every module has, and what is looked at in another way.
_OF_ALL = frozenset(vars(nn.Module()))
_HOOKS = tuple(name for name in _OF_ALL if name.endswith("_hooks"))
_PLAIN = (type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.device)
_MOST_BYTES = 2**20


class _UnknownError(Exception):
    """A part that cannot be compared."""


def structure_of(module: nn.Module) -> Hashable | None:
    """What a module is, apart from its numbers and from rates of dropout; None if unknown.

    Modules of equal structure compute the same function of their parameters, buffers and rates.
    Unknown is what refers to objects that cannot be compared, such as functions made on the way.
    """
    try:
        return tuple((name, _of_one(part)) for name, part in module.named_modules())
    except _UnknownError:
        return None


def shapes_of(module: nn.Module) -> Hashable:
    """The shapes and types of a module's parameters and buffers, and which of them are trained."""
    parameters = module.named_parameters(remove_duplicate=False)
    buffers = module.named_buffers(remove_duplicate=False)
    return (
        tuple((name, tuple(p.shape), p.dtype, p.requires_grad) for name, p in parameters),
        tuple((name, tuple(b.shape), b.dtype) for name, b in buffers),
    )


def _of_one(module: nn.Module) -> Hashable:
    """As `structure_of`, of a module without its children."""
    kind = type(module)
    if any(getattr(module, name, None) for name in _HOOKS):
        raise _UnknownError
    own = {id(tensor): name for name, tensor in module.named_parameters(recurse=False)}
    own |= {id(tensor): name for name, tensor in module.named_buffers(recurse=False)}
    found = []
    for name, value in sorted(vars(module).items()):
        if name in _OF_ALL or (kind in DROPOUTS and name == "p"):
            continue
        if name.startswith("_") and kind.__module__.startswith("torch.nn."):
            continue  # PyTorch's own notes on its parameters.
        found.append((name, _value(value, own)))
    return _named(kind), tuple(found)


def _value(value: Any, own: Mapping[int, str]) -> Hashable:
    """A value that can be compared; raises _UnknownError for another."""
    if isinstance(value, _PLAIN):
        return type(value).__name__, value
    if isinstance(value, Tensor):
        return own.get(id(value)) or _numbers(value.detach().cpu().numpy())
    if isinstance(value, np.ndarray):
        return _numbers(value)
    if isinstance(value, (list, tuple)):
        return type(value).__name__, tuple(_value(part, own) for part in value)
    if isinstance(value, Mapping):
        return tuple((_value(key, own), _value(part, own)) for key, part in value.items())
    if isinstance(value, functools.partial):
        parts = (value.func, value.args, value.keywords)
        return "partial", tuple(_value(part, own) for part in parts)
    if inspect.isroutine(value) or isinstance(value, type):
        return _named(value)
    raise _UnknownError


def _named(thing: Callable[..., Any] | type) -> Hashable:
    """A class or function by its name; raises _UnknownError if it is not found there."""
    where, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", "")
    found: Any = sys.modules.get(where or "builtins")
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is thing:
        return where, name
    # PyTorch's own functions in C, which nobody makes on the way.
    if inspect.isbuiltin(thing) and getattr(thing, "__self__", None) is None:
        return "builtin", id(thing)
    if inspect.isbuiltin(thing) and isinstance(thing.__self__, type):
        return thing.__self__.__qualname__, name
    raise _UnknownError


def _numbers(array: np.ndarray[Any, Any]) -> Hashable:
    if array.nbytes > _MOST_BYTES or array.dtype.hasobject:
        raise _UnknownError
    return array.dtype.str, array.shape, array.tobytes()
