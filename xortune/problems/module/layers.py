"""The layers that a module applies one after the other, as far as it consists of those alone."""

from __future__ import annotations

import operator
import random
from collections.abc import Mapping
from types import BuiltinFunctionType, FunctionType
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from xortune.problems.module.plain_modules import LAYERS


class Layer(NamedTuple):
    """A layer of a module.

    `name` is that of a linear layer in its module, or of an activation in `ACTIVATIONS`.
    """

    kind: Literal["linear", "activation", "dropout", "flatten", "squeeze"]
    name: str = ""
    rate: float = 0.0


class _OtherError(Exception):
    """Something that is no such layer."""


Layers = tuple[Layer, ...]
_FLATTEN, _SQUEEZE = Layer("flatten"), Layer("squeeze")
_ACTIVATIONS: Mapping[type[nn.Module], str] = {
    nn.ReLU: "relu", nn.Tanh: "tanh", nn.SiLU: "silu", nn.Sigmoid: "sigmoid",
}  # fmt: skip
_FUNCTIONS: Mapping[Any, str] = {
    torch.relu: "relu", torch.tanh: "tanh", torch.sigmoid: "sigmoid", F.relu: "relu",
    F.tanh: "tanh", F.silu: "silu", F.sigmoid: "sigmoid", F.gelu: "gelu",
    "relu": "relu", "tanh": "tanh", "sigmoid": "sigmoid",
}  # fmt: skip
# What else functions may be given, without a change of what they compute.
_HARMLESS: tuple[dict[str, Any], ...] = ({}, {"inplace": False}, {"approximate": "none"})
# A function or a class is the same only where it is that very object.
_PLAIN = (type(None), bool, int, float, str, FunctionType, BuiltinFunctionType, type)
_OF_ALL = frozenset(vars(nn.Module()))


def is_made_of_layers(module: nn.Module) -> bool:
    """Whether it is a layer, or layers in sequences, so that no `forward` has to be followed."""
    return all(type(part) in (*LAYERS, nn.Sequential) for part in module.modules())


def layers_in(module: nn.Module) -> Layers | None:
    """The layers of a module that is made of them; None if there is any other."""
    try:
        return tuple(_of_sequence("", module))
    except _OtherError:
        return None


def _of_sequence(name: str, part: nn.Module) -> list[Layer]:
    """The layers of PyTorch's own classes."""
    if type(part) is not nn.Sequential:
        return _of_layer(name, part)
    prefix = f"{name}." if name else ""
    # A layer that is there twice has two names here.
    return [
        one for key, child in part._modules.items() for one in _of_sequence(prefix + key, child)
    ]


def _of_layer(name: str, part: Any) -> list[Layer]:
    kind = type(part)
    if kind is nn.Linear and part.bias is not None:
        return [Layer("linear", name)]
    if kind in _ACTIVATIONS:
        return [Layer("activation", _ACTIVATIONS[kind])]
    if kind is nn.GELU and part.approximate == "none":
        return [Layer("activation", "gelu")]
    if kind is nn.Dropout and not part.inplace:
        return [_dropout(part.p)]
    if kind is nn.Flatten and (part.start_dim, part.end_dim) == (1, -1):
        return [_FLATTEN]
    if kind is nn.Identity:
        return []
    raise _OtherError


def _dropout(rate: Any) -> Layer:
    if not isinstance(rate, (int, float)):
        raise _OtherError
    return Layer("dropout", rate=float(rate))


def what_is(module: nn.Module) -> Any:
    """All that the `forward` of a plain module may look at, but its numbers; None if unknown."""
    found: list[Any] = []
    for name, part in module.named_modules(remove_duplicate=False):
        own = {key: value for key, value in vars(part).items() if key not in _OF_ALL}
        try:
            typed = tuple((key, _value(value)) for key, value in own.items())
        except _OtherError:
            return None
        children = tuple((key, id(type(child))) for key, child in part._modules.items())
        biased = part._parameters.get("bias") is not None
        found.append((name, type(part), typed, children, tuple(part._parameters), biased))
    shared = len({*map(id, module.modules())})
    return tuple(found), shared


def _value(value: Any) -> Any:
    """A value that can be compared; raises _OtherError for another."""
    if isinstance(value, (list, tuple)):
        return type(value), tuple(map(_value, value))
    if not isinstance(value, _PLAIN):
        raise _OtherError
    return type(value), value


def layers_called(module: nn.Module) -> Layers | None:
    """The layers that a `forward` of the user's calls; None unless they are always the same.

    Args:
        module: a plain one: see `is_plain`.
    """
    before = what_is(module), _generators()
    found = []
    for training in (True, False):
        module.train(training)
        try:
            graph = torch.fx.Tracer().trace(module)
        except (Exception, SystemExit):  # Whatever the user's code makes of it.
            return None
        found.append(_of_graph(graph, module))
    in_training, in_evaluation = found
    # A module that changes as it computes, or draws, may call others the next time.
    if in_training is None or in_evaluation is None or (what_is(module), _generators()) != before:
        return None
    if any(layer.rate for layer in in_evaluation):
        return None
    rest = tuple(layer for layer in in_training if layer.kind != "dropout")
    same = rest == tuple(layer for layer in in_evaluation if layer.kind != "dropout")
    return in_training if same else None


def _generators() -> tuple[Any, ...]:
    _, words, *rest = np.random.get_state()
    torchs = torch.get_rng_state().numpy()
    return random.getstate(), np.asarray(words).tobytes(), tuple(rest), torchs.tobytes()


def _of_graph(graph: torch.fx.Graph, module: nn.Module) -> Layers | None:
    """The layers of a graph in which each step takes what the one before has made."""
    first, *steps, end = graph.nodes
    if first.op != "placeholder" or end.op != "output":
        return None
    layers: list[Layer] = []
    last = first
    try:
        for node in steps:
            if not node.args or node.args[0] is not last:
                return None
            layers += _of_node(node, module)
            last = node
    except _OtherError:
        return None
    return tuple(layers) if end.args == (last,) else None


def _of_node(node: torch.fx.Node, module: nn.Module) -> list[Layer]:
    """The layers of a step, of which the first argument is known."""
    target: Any = node.target
    more, named = node.args[1:], dict(node.kwargs)
    if node.op == "call_module":
        if more or named:
            raise _OtherError
        part = module.get_submodule(target)
        found = _of_layer(target, part)
        # In evaluation it does nothing.
        return [] if type(part) is nn.Dropout and not part.training else found
    if node.op not in ("call_function", "call_method"):
        raise _OtherError
    if target in _FUNCTIONS and not more and named in _HARMLESS:
        return [Layer("activation", _FUNCTIONS[target])]
    if target is F.dropout:
        return _of_dropout(*more, **named)
    if (
        target in (torch.flatten, "flatten")
        and _bound(more, named, "start_dim", "end_dim") in _FLAT
    ):
        return [_FLATTEN]
    if target in (torch.squeeze, "squeeze") and _bound(more, named, "dim") in _SQUEEZED:
        return [_SQUEEZE]
    if target is operator.getitem and more == ((slice(None), 0),):
        return [_SQUEEZE]
    raise _OtherError


_FLAT = ({"start_dim": 1}, {"start_dim": 1, "end_dim": -1})
_SQUEEZED = ({"dim": 1}, {"dim": -1})


def _bound(more: tuple[Any, ...], named: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The arguments of a step by name."""
    if len(more) > len(names):
        raise _OtherError
    return {**dict(zip(names, more)), **named}


def _of_dropout(p: Any = 0.5, training: Any = True, inplace: Any = False) -> list[Layer]:
    """The layer of `F.dropout`."""
    if not isinstance(training, bool) or inplace is not False:
        raise _OtherError
    return [_dropout(p)] if training else []
