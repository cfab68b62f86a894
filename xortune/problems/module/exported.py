"""The trained model of a module, with its code, as other programs take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from xortune.problems.module.answers import VALUES
from xortune.problems.module.perceptron import Recogniser
from xortune.problems.portable import Portable, PortableNetwork, PortableOutput
from xortune.problems.table.exported import portable_of

if TYPE_CHECKING:
    from torch import Tensor, nn

    from xortune.problems.table.recipe import Recipe


def portable_module(module: nn.Module, x: Tensor, loss: Any, recipe: Recipe | None) -> Portable:
    """The `state_dict()`; of a perceptron as a network.

    Args:
        module: the trained module.
        x: rows of its data; inputs with more axes are flat in a network.
        loss: the final one, which says what outputs mean: see `answers_of`.
        recipe: of the table that it learns from; None for data of its own.
    """
    state = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
    form = Recogniser(x).form_of(module, compared=True)
    if form is None:
        return Portable(state, {})
    layers = {name: state[name] for name in form.arrays}
    if recipe is not None and _as_a_table(form.outputs, loss, recipe):
        return portable_of(recipe, layers, form.activation)
    numbers = int(np.prod(x.shape[1:]))
    inputs = (
        tuple(f"x{place}" for place in range(numbers)) if recipe is None else recipe.input_names
    )
    return PortableNetwork(
        layers, {}, form.activation, inputs, _outputs(form.outputs, loss, recipe)
    )


def _as_a_table(outputs: int, loss: Any, recipe: Recipe) -> bool:
    """Whether the outputs mean what those of the table's own model do."""
    fitting: Mapping[str, Any] = {
        "regression": VALUES, "binary": ("bce_with_logits",), "classes": ("cross_entropy",),
    }  # fmt: skip
    target = recipe.target
    return loss in fitting[target.task] and outputs == target.outputs


def _outputs(outputs: int, loss: Any, recipe: Recipe | None) -> tuple[PortableOutput, ...]:
    if recipe is None and loss in VALUES and outputs == 1:
        return (PortableOutput("prediction"),)
    if loss == "cross_entropy" and outputs > 1:
        return PortableOutput("logits"), PortableOutput("probabilities", "softmax")
    if recipe is None and loss == "bce_with_logits" and outputs == 1:
        return PortableOutput("logits"), PortableOutput("probabilities", "pair")
    return (PortableOutput("outputs"),)
