"""A paused trial as plain arrays, and training that continues from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from xortune.engines.plain.optimizers import SCALARS, STATE
from xortune.engines.plain.training import Training
from xortune.engines.progress import paused_array, paused_progress, raw_array
from xortune.trial import Curve, Paused


def paused_state(training: Training, params: Mapping[str, Any], curve: Curve) -> Paused:
    """The state of a trial; its curve must end before the epoch, unless that is a point of it."""
    progress = training.progress
    vectors = {"weights": training.weights.detach().numpy(), "best": training.best.numpy()}
    state = training.optimizer.state[training.weights]
    for name in _remembered(params, progress.epoch):
        vectors[name] = state[name].numpy()
    arrays = {name: raw_array(vector, "<f4") for name, vector in vectors.items()}
    return Paused(progress.epoch, {**arrays, **progress.arrays()}, curve)


def resume(training: Training, params: Mapping[str, Any], state: Paused) -> None:
    """Continues a paused trial.

    Raises:
        XortuneError: the state is not that of such a trial.
    """
    count = training.weights.numel()
    names = _remembered(params, state.epoch)
    shapes: dict[str, tuple[int, ...]] = {"weights": (count,), "best": (count,)}
    shapes |= {name: () if name in SCALARS else (count,) for name in names}
    arrays = {name: paused_array(state, name, shape, "<f4") for name, shape in shapes.items()}
    progress = paused_progress(state, params["epochs"])
    training.weights.detach().numpy()[...] = arrays["weights"]
    training.best.numpy()[...] = arrays["best"]
    training.optimizer.state[training.weights] = {
        name: torch.tensor(arrays[name].copy(), dtype=torch.float32, device="cpu") for name in names
    }
    training.resume(progress)


def _remembered(params: Mapping[str, Any], epoch: int) -> tuple[str, ...]:
    """The names of the optimizer's state at an epoch."""
    return STATE[params["optimizer"]] if epoch else ()
