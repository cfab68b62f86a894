"""A paused trial as plain arrays, and training that continues from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xortune.engines.plain.optimizers import SCALARS, STATE
from xortune.engines.plain.training import Training
from xortune.engines.progress import Progress, paused_array, paused_progress, raw_array
from xortune.trial import Curve, Paused

# Before the names of what else a step changes: as it is, and as it was after the best epoch.
_BUFFERS = ("buffers", "best_buffers")


def paused_state(training: Training, params: Mapping[str, Any], curve: Curve) -> Paused:
    """The state of a trial; its curve must end before the epoch, unless that is a point of it."""
    vectors = {"weights": training.weights.detach().numpy(), "best": training.best.numpy()}
    state = training.optimizer.state[training.weights]
    for name in remembered(params, training.progress.epoch):
        vectors[name] = state[name].numpy()
    buffers = training.learner.buffers, training.best_buffers
    return packed(training.progress, vectors, buffers, curve)


def resume(training: Training, params: Mapping[str, Any], state: Paused) -> None:
    """Continues a paused trial.

    Raises:
        XortuneError: the state is not that of such a trial.
    """
    count = training.weights.numel()
    found = Unpacked(state, params, count, training.learner.buffers)
    training.weights.detach().numpy()[...] = found.vectors["weights"]
    training.best.numpy()[...] = found.vectors["best"]
    training.optimizer.state[training.weights] = {
        name: torch.tensor(found.vectors[name].copy(), dtype=torch.float32, device="cpu")
        for name in remembered(params, state.epoch)
    }
    training.learner.use_buffers(found.buffers)
    training.best_buffers = found.best_buffers
    training.resume(found.progress)


def remembered(params: Mapping[str, Any], epoch: int) -> tuple[str, ...]:
    """The names of the optimizer's state at an epoch."""
    return STATE[params["optimizer"]] if epoch else ()


def packed(
    progress: Progress,
    vectors: Mapping[str, NDArray[np.float32]],
    buffers: tuple[Mapping[str, Tensor], Mapping[str, Tensor]],
    curve: Curve,
) -> Paused:
    """The state of a trial from its parts.

    Args:
        progress: how far it has come.
        vectors: `weights`, `best`, and what its optimizer remembers.
        buffers: what else a step changes, and the same after the best epoch.
        curve: so far.
    """
    arrays = {name: raw_array(vector, "<f4") for name, vector in vectors.items()}
    for prefix, some in zip(_BUFFERS, buffers):
        for name, buffer in some.items():
            array = buffer.detach().numpy()
            arrays[f"{prefix}/{name}"] = raw_array(array, _little(array))
    return Paused(progress.epoch, {**arrays, **progress.arrays()}, curve)


class Unpacked:
    """A paused trial's parts, as `packed` took them.

    Args:
        state: of the trial.
        params: of the trial.
        count: its weights.
        like: its buffers, for their shapes and types.

    Raises:
        XortuneError: the state is not that of such a trial.
    """

    def __init__(
        self, state: Paused, params: Mapping[str, Any], count: int, like: Mapping[str, Tensor]
    ) -> None:
        self.vectors = {
            name: paused_array(state, name, (count,), "<f4") for name in ("weights", "best")
        }
        for name in remembered(params, state.epoch):
            shape = () if name in SCALARS else (count,)
            self.vectors[name] = paused_array(state, name, shape, "<f4")
        self.buffers, self.best_buffers = (_buffers(state, prefix, like) for prefix in _BUFFERS)
        self.progress = paused_progress(state, params["epochs"])


def _buffers(state: Paused, prefix: str, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        name: torch.from_numpy(
            paused_array(state, f"{prefix}/{name}", tuple(one.shape), _little(one.numpy())).copy()
        )
        for name, one in like.items()
    }


def _little(array: NDArray[Any]) -> str:
    """The type of an array, little-endian."""
    return array.dtype.newbyteorder("<").str
