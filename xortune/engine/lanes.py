"""A block of lanes as tensors: hyperparameters per lane and the nine weights, stacked.

Every tensor has the lanes in its last dimension, `L` of them, padded to a multiple of
`ALIGN`. PyTorch's vectorised CPU kernels treat the elements left over at the end of a row
with scalar code that rounds differently; aligned rows have none left over, so a lane gets
the same bits whatever its place and its neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from xortune.native import Step
from xortune.trial import LOSS_FNS, Params

ALIGN = 64

# The place in the flat state_dict() of `XOR(2, 1)` of each row of `Lanes.weights`: the hidden
# weights of input 0, then those of input 1, all three biases, the output weights. In this
# order the parameters that share an expression of the gradient lie side by side.
STATE_DICT_ROWS = (0, 2, 1, 3, 4, 5, 8, 6, 7)

# nn.Linear draws weights and biases from U(-b, b), b = 1/sqrt(fan_in); both layers have
# two inputs.
_BOUND = 1 / math.sqrt(2)


@dataclass(frozen=True)
class Lanes:
    """The lanes of one block.

    Attributes:
        lr: `(L,)`, float32.
        loss: `(L,)`, int64, the index of each lane's loss function in `LOSS_FNS`.
        weights: `(9, L)`, float32; the rows are the entries of `STATE_DICT_ROWS`.
    """

    lr: Tensor
    loss: Tensor
    weights: Tensor


def padded(lanes: int) -> int:
    """The next multiple of `ALIGN`."""
    return -(-lanes // ALIGN) * ALIGN


def make_lanes(params: Sequence[Params], device: str, step: Step | None = None) -> Lanes:
    """Fresh lanes, one for each of `params`, with lanes of lr 0 behind them as padding.

    Args:
        params: the trials.
        device: where to.
        step: the compiled step, which draws faster; None for PyTorch's generator.
    """
    width = padded(len(params))
    lr = torch.zeros(width)
    lr[: len(params)] = torch.tensor([p.lr for p in params])
    loss = torch.zeros(width, dtype=torch.int64)
    loss[: len(params)] = torch.tensor([LOSS_FNS.index(p.loss_fn) for p in params])
    seeds = [p.seed for p in params] + [0] * (width - len(params))
    flat = initial_weights(seeds) if step is None else drawn_weights(seeds, step)
    weights = flat[list(STATE_DICT_ROWS)]
    return Lanes(lr.to(device), loss.to(device), weights.to(device))


def initial_weights(seeds: Sequence[int]) -> Tensor:
    """The weights of `torch.manual_seed(seed); XOR(2, 1)` for each seed: `(9, len(seeds))`.

    One draw of nine numbers consumes the generator just as the four draws of the model's
    layers do, and all four have the same bounds. Rows in the order of the flat state_dict().
    """
    generator = torch.Generator()
    rows = torch.empty(len(seeds), 9)
    for row, seed in zip(rows, seeds):
        generator.manual_seed(seed)
        row.uniform_(-_BOUND, _BOUND, generator=generator)
    return rows.T.contiguous()


def drawn_weights(seeds: Sequence[int], step: Step) -> Tensor:
    """The same as `initial_weights`, by the compiled step; a multiple of `ALIGN` of them.

    The same bits on every processor, unlike PyTorch's, which differ by one unit in the last
    place where there is no fused multiply-add.
    """
    numbers = torch.tensor(seeds, dtype=torch.int64).to(torch.uint32)
    weights = torch.empty(9, len(seeds))
    step.draw(numbers.data_ptr(), -_BOUND, _BOUND, weights.data_ptr(), len(seeds))
    return weights


def in_state_dict_order(weights: Tensor) -> Tensor:
    """Rows of `Lanes.weights`, `(9, L)`, in the order of the flat state_dict()."""
    ordered = torch.empty_like(weights)
    ordered[list(STATE_DICT_ROWS)] = weights
    return ordered
