"""A block of lanes as tensors: hyperparameters per lane and the nine weights, stacked.

Every tensor has the lanes in its last dimension, `L` of them, padded to a multiple of
`ALIGN`. PyTorch's vectorised CPU kernels treat the elements left over at the end of a row
with scalar code that rounds differently. Aligned rows have none left over, so a lane gets
the same bits whatever its position and its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from xortune.engines.xor.gradient import INITIAL_BOUND, STATE_DICT_ROWS
from xortune.engines.xor.kernels import Stretch, columns
from xortune.problems.xor.spec import LOSS_FNS

ALIGN = 64


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


def make_lanes(stretch: Stretch, device: str) -> Lanes:
    """Fresh lanes on a device, one for each trial, followed by lanes of lr 0 as padding."""
    lanes = len(stretch.params)
    padding = padded(lanes) - lanes
    params = columns(stretch.params)
    lr = torch.tensor([*params["lr"], *[0] * padding], dtype=torch.float32)
    loss = torch.tensor([*map(LOSS_FNS.index, params["loss_fn"]), *[0] * padding])
    if stretch.weights is None:
        weights = initial_weights([*params["seed"], *[0] * padding])
    else:
        weights = torch.zeros(9, lanes + padding)
        weights[:, :lanes] = torch.tensor(stretch.weights).T
    return Lanes(lr.to(device), loss.to(device), weights[list(STATE_DICT_ROWS)].to(device))


def initial_weights(seeds: Sequence[int]) -> Tensor:
    """The weights of `torch.manual_seed(seed); XOR(2, 1)` for each seed: `(9, len(seeds))`.

    One draw of nine numbers consumes the generator just as the four draws of the model's
    layers do, and all four have the same bounds. Rows in the order of the flat state_dict().
    """
    generator = torch.Generator()
    rows = torch.empty(len(seeds), 9)
    for row, seed in zip(rows, seeds):
        generator.manual_seed(seed)
        row.uniform_(-INITIAL_BOUND, INITIAL_BOUND, generator=generator)
    return rows.T.contiguous()


def in_state_dict_order(weights: Tensor) -> Tensor:
    """Rows of `Lanes.weights`, `(9, L)`, in the order of the flat state_dict()."""
    ordered = torch.empty_like(weights)
    ordered[list(STATE_DICT_ROWS)] = weights
    return ordered
