"""The model of a table as other programs take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from xortune.problems.portable import PortableNetwork, PortableOutput, Reading
from xortune.problems.table.rows import Target

if TYPE_CHECKING:
    from torch import Tensor

    from xortune.problems.table.recipe import Recipe


def portable_of(recipe: Recipe, state: Mapping[str, Tensor], activation: str) -> PortableNetwork:
    """The model, with the preparation of its inputs as plain values.

    Args:
        recipe: of the table.
        state: the model's `state_dict()`.
        activation: after each hidden layer.
    """
    values = recipe.to_dict()
    facts = {name: values[name] for name in ("target_name", "target", "columns")}
    outputs = _outputs(recipe.target)
    return PortableNetwork(state, facts, activation, recipe.input_names, outputs)


def _outputs(target: Target) -> tuple[PortableOutput, ...]:
    if target.task == "regression":
        return (PortableOutput("prediction", "units", target.scale, target.mean),)
    reading: Reading = "pair" if target.task == "binary" else "softmax"
    return PortableOutput("logits"), PortableOutput("probabilities", reading)
