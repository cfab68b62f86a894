"""Modules without anything that changes what they compute from outside of their `forward`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from torch import nn
from torch.nn.modules import module as of_torch

# Layers of which a perceptron may consist, and what holds them; only these very classes.
LAYERS: tuple[type[nn.Module], ...] = (
    nn.Linear, nn.ReLU, nn.Tanh, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Dropout, nn.Identity, nn.Flatten,
)  # fmt: skip
_HOLDERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
_TORCHS = frozenset((*LAYERS, *_HOLDERS))
_HOOKS = tuple(name for name in vars(nn.Module()) if name.endswith("_hooks"))
_GLOBAL_HOOKS = tuple(
    name for name in vars(of_torch) if name.startswith("_global_") and "hooks" in name
)
# What a class of the user's may not have of its own: it would change how `forward` is called, or
# which numbers are trained.
_METHODS = (
    "__call__", "_call_impl", "__getattr__", "__getattribute__", "train", "eval", "state_dict",
    "parameters", "named_parameters", "modules", "named_modules", "children", "named_children",
)  # fmt: skip
_NOT_OF_AN_OBJECT = frozenset(("forward", *_METHODS))


def is_plain(module: nn.Module) -> bool:
    """Whether a module is made of PyTorch's plain layers, and of classes that call such layers.

    There are then no hooks, buffers or parametrizations, and no changed methods. What the `forward`
    of a class of the user's does is another question.
    """
    if any(getattr(of_torch, name, None) for name in _GLOBAL_HOOKS):
        return False
    return all(map(_is_plain, module.modules()))


def _is_plain(part: nn.Module) -> bool:
    own: dict[str, Any] = vars(part)
    kind = type(part)
    return (
        (kind in _TORCHS or _is_of_the_user(kind))  # type: ignore[arg-type]
        and not own["_buffers"]
        and not any(own.get(name) for name in _HOOKS)
        and own.get("_compiled_call_impl") is None
        and _NOT_OF_AN_OBJECT.isdisjoint(own)
    )


@lru_cache(maxsize=256)
def _is_of_the_user(kind: type[nn.Module]) -> bool:
    """Whether a class is the user's own, and changes no more than `forward`."""
    ours = kind.__module__.partition(".")[0] != "torch"
    as_usual = all(getattr(kind, name, None) is getattr(nn.Module, name, None) for name in _METHODS)
    return ours and as_usual
