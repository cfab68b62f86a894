"""Which modules are multilayer perceptrons such as those of tables, beyond doubt."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from xortune.problems.module.layers import (
    Layer,
    Layers,
    is_made_of_layers,
    layers_called,
    layers_in,
    what_is,
)
from xortune.problems.module.plain_modules import is_plain

# As in tables.
_MOST_HIDDEN, _WIDEST = 16, 4096
# The largest difference of two numbers that are the same, relative to the largest of them.
_SAME = 1e-6
# The rows with which a form is compared to its module.
_ROWS = 8
_MOST_KNOWN = 1000

_ACTIVATE: Mapping[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "gelu": F.gelu,
    "silu": F.silu,
    "sigmoid": torch.sigmoid,
}


@dataclass(frozen=True)
class Perceptron:
    """What a module computes: `nn.Linear`, and behind all but the last activation and dropout.

    Attributes:
        inputs: the numbers of a row.
        outputs: those that come of it.
        width: the units of each hidden layer; 1 where there is none.
        depth: the hidden layers.
        activation: one of `ACTIVATIONS` of tables.
        dropout: the rate behind each activation.
        squeezed: whether an axis of one output is taken away.
        layers: the names of the `nn.Linear`, in the order in which they compute.
    """

    inputs: int
    outputs: int
    width: int
    depth: int
    activation: str
    dropout: float
    squeezed: bool
    layers: tuple[str, ...]

    @property
    def settings(self) -> dict[str, Any]:
        """What it is by the names of a table's parameters."""
        names = ("width", "depth", "activation", "dropout")
        return {name: getattr(self, name) for name in names}

    @property
    def count(self) -> int:
        """`P`, of all weights."""
        sizes = [self.inputs, *[self.width] * self.depth, self.outputs]
        return sum((before + 1) * after for before, after in pairwise(sizes))

    @property
    def arrays(self) -> tuple[str, ...]:
        """The names of its arrays, in the order in which they compute."""
        kinds = ("weight", "bias")
        # A module that is a layer itself has no name before that.
        return tuple(f"{layer}.{kind}".lstrip(".") for layer in self.layers for kind in kinds)

    def numbers(self, module: nn.Module) -> NDArray[np.float32]:
        """The weights of its module in that order, `(P,)`."""
        parameters = dict(module.named_parameters())
        flat = [parameters[name].detach().numpy().ravel() for name in self.arrays]
        return np.concatenate(flat)

    def put(self, module: nn.Module, numbers: NDArray[np.float32]) -> None:
        """Gives its module weights; as `numbers` returns them."""
        parameters, at = dict(module.named_parameters()), 0
        for name in self.arrays:
            array = parameters[name].detach().numpy()
            array[...] = numbers[at : at + array.size].reshape(array.shape)
            at += array.size

    def outputs_of(self, module: nn.Module, x: Tensor) -> Tensor:
        """What the module computes, by this form of it: `(B, ...)` to `(B, outputs)`."""
        drops = module.training and self.dropout > 0
        parameters = dict(module.named_parameters())
        x = x.flatten(1)
        arrays = iter(self.arrays)
        for place, (weight, bias) in enumerate(zip(arrays, arrays)):
            x = F.linear(x, parameters[weight], parameters[bias])
            if place < self.depth:
                x = _ACTIVATE[self.activation](x)
                x = F.dropout(x, self.dropout) if drops else x
        return x.squeeze(1) if self.squeezed else x


class Recogniser:
    """Finds the form of modules; layers that it has found of one are those of others like it.

    Args:
        x: some rows, with which a module is compared to its form; `(B, ...)`.
    """

    def __init__(self, x: Tensor) -> None:
        self._x = x[:_ROWS]
        self._known: dict[Any, Layers | None] = {}

    def form_of(self, module: nn.Module, *, compared: bool = False) -> Perceptron | None:
        """The form of a module that is about to be trained; None if it is no perceptron.

        The module is left in evaluation; the generators of random numbers are where they were.

        Args:
            module: as its code has made it.
            compared: whether its numbers are compared even where its classes are PyTorch's own.
        """
        if self._x.dtype != torch.float32 or not is_plain(module):
            return None
        made_of_layers = is_made_of_layers(module)
        layers = layers_in(module) if made_of_layers else self._called(module)
        form = self._form(module, layers)
        if form is not None and compared and made_of_layers and not self._computes(module, form):
            form = None
        module.eval()
        return form

    def _called(self, module: nn.Module) -> Layers | None:
        """The layers that a `forward` of the user's calls, where they are seen to be all of it."""
        what = what_is(module)
        if what is not None and what in self._known:
            return self._known[what]
        layers = layers_called(module)
        form = self._form(module, layers)
        if layers is not None and form is None:
            return None  # Which may be for its sizes, or numbers that are not trained.
        if form is not None and not self._computes(module, form):
            layers = None
        if what is not None:
            if len(self._known) >= _MOST_KNOWN:  # Of a class that is made anew every time.
                self._known.clear()
            self._known[what] = layers
        return layers

    def _form(self, module: nn.Module, layers: Layers | None) -> Perceptron | None:
        form = None if layers is None else _form_of(module, layers, self._x.shape[1:])
        return form if form is not None and _all_is_trained(module, form) else None

    def _computes(self, module: nn.Module, form: Perceptron) -> bool:
        """Whether a module has the outputs and the slopes of its form."""
        try:
            with torch.random.fork_rng(devices=[]):
                found = [*_both(module, module, self._x)]
                expected = [*_both(partial(form.outputs_of, module), module, self._x)]
            return all(map(_same, found, expected))
        except (Exception, SystemExit):  # Whatever the user's code makes of it.
            return False


def _form_of(module: nn.Module, layers: Sequence[Layer], row: Sequence[int]) -> Perceptron | None:
    """The form that layers have together; None if they are no perceptron."""
    flat = len(row) == 1
    kept: list[Layer] = []
    for layer in layers:
        if layer.kind == "linear" and not flat:
            return None
        flat = flat or layer.kind == "flatten"
        if layer.kind != "flatten":
            kept.append(layer)
    squeezed = bool(kept) and kept[-1].kind == "squeeze"
    kept = kept[:-1] if squeezed else kept
    dropped = [layer.rate for layer in kept if layer.kind == "dropout"]
    if not any(dropped):  # They do nothing, wherever they are.
        kept = [layer for layer in kept if layer.kind != "dropout"]
    rate = max(dropped, default=0.0)
    linears = [layer.name for layer in kept if layer.kind == "linear"]
    activations = {layer.name for layer in kept if layer.kind == "activation"}
    depth = len(linears) - 1
    hidden = ["linear", "activation", *(["dropout"] if rate else [])]
    if [layer.kind for layer in kept] != [*hidden * depth, "linear"]:
        return None
    if len(activations) > 1 or len({*dropped}) > 1 or not 0 <= rate < 1 or depth > _MOST_HIDDEN:
        return None
    parts: list[Any] = [module.get_submodule(name) for name in linears]
    sizes = [parts[0].in_features, *(part.out_features for part in parts)]
    if any(part.in_features != size for part, size in zip(parts, sizes)):
        return None
    widths = {*sizes[1:-1]} or {1}
    if sizes[0] != math.prod(row):
        return None
    if len(widths) > 1 or max(widths) > _WIDEST or (squeezed and sizes[-1] != 1):
        return None
    return Perceptron(
        inputs=sizes[0],
        outputs=sizes[-1],
        width=max(widths),
        depth=depth,
        activation=next(iter(activations), "relu"),
        dropout=float(rate),
        squeezed=squeezed,
        layers=tuple(linears),
    )


def _all_is_trained(module: nn.Module, form: Perceptron) -> bool:
    """Whether all arrays of a module are those of its form, each of them once."""
    parameters = dict(module.named_parameters(remove_duplicate=False))
    state = module.state_dict()
    names = {*form.arrays}
    return (
        len({*form.layers}) == len(form.layers)
        and {*parameters} == names == {*state}
        and len({*map(id, parameters.values())}) == len(names)
        and all(state[name].data_ptr() == p.data_ptr() for name, p in parameters.items())
        and all(map(_is_plain_number, parameters.values()))
    )


def _is_plain_number(parameter: nn.Parameter) -> bool:
    return (
        type(parameter) is nn.Parameter
        and parameter.requires_grad
        and parameter.dtype == torch.float32
        and parameter.device.type == "cpu"
        and parameter.is_contiguous()
        and not parameter._backward_hooks
        and not getattr(parameter, "_post_accumulate_grad_hooks", None)
    )


def _both(outputs: Callable[[Tensor], Any], module: nn.Module, x: Tensor) -> Iterable[Tensor]:
    """The outputs in evaluation and in training, and the slopes of the latter."""
    module.eval()
    with torch.no_grad():
        yield outputs(x)
    module.train()
    torch.default_generator.manual_seed(0)
    trained = outputs(x)
    yield trained.detach()
    weighted = trained.reshape(-1) * torch.linspace(0.5, 1.5, trained.numel())
    yield from torch.autograd.grad(weighted.sum(), [*module.parameters()])


def _same(one: Tensor, other: Tensor) -> bool:
    if one.shape != other.shape:
        return False
    if torch.equal(one, other):
        return True
    largest = max(float(other.abs().max()), float(np.finfo(np.float32).tiny))
    return float((one - other).abs().max()) <= _SAME * largest
