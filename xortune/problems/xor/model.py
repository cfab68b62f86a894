"""The lab's network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

HIDDEN = 2


class XOR(nn.Module):
    """Two fully connected layers with a sigmoid after each: `XOR(2, 1)` in the lab."""

    def __init__(self, input_dim: int, output_dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(input_dim, HIDDEN)
        self.fc2 = nn.Linear(HIDDEN, output_dim)

    def logits(self, x: Tensor) -> Tensor:
        """The output before its sigmoid: `(..., input_dim)` to `(..., output_dim)`."""
        logits: Tensor = self.fc2(torch.sigmoid(self.fc1(x)))
        return logits

    def forward(self, x: Tensor) -> Tensor:
        """Probabilities: `(..., input_dim)` to `(..., output_dim)`."""
        return torch.sigmoid(self.logits(x))


def seeded_model(seed: int) -> XOR:
    """A fresh `XOR(2, 1)` whose nine weights are fixed by the seed; leaves global state alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return XOR(2, 1)


def trained_model(weights: Sequence[float]) -> XOR:
    """The `XOR(2, 1)` with the given nine numbers, in the order of its `state_dict()`."""
    model = seeded_model(0)
    flat = torch.tensor(weights, dtype=torch.float32)
    nn.utils.vector_to_parameters(flat, model.parameters())
    return model.eval()


def weights_of(model: XOR) -> tuple[float, ...]:
    """The nine numbers of an `XOR(2, 1)`, in the order of its `state_dict()`."""
    flat = nn.utils.parameters_to_vector(model.parameters()).detach()
    return tuple(float(value) for value in flat)


def predict(model: XOR, inputs: Sequence[float]) -> float:
    """The model's output, in (0, 1), for one row of two inputs."""
    with torch.inference_mode():
        return float(model(torch.tensor(inputs, dtype=torch.float32)))
