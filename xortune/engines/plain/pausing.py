"""A paused trial as plain arrays, and training that continues from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from xortune.engines.plain.optimizers import SCALARS, STATE
from xortune.engines.plain.training import Progress, Training
from xortune.errors import XortuneError
from xortune.trial import Curve, Paused, RawArray

# The losses of the latest epoch and the best one: training, validation, best.
_LOSSES = "losses"
_BEST_EPOCH = "best_epoch"


def paused_state(training: Training, params: Mapping[str, Any], curve: Curve) -> Paused:
    """The state of a trial; its curve must end before the epoch, unless that is a point of it."""
    progress = training.progress
    vectors = {"weights": training.weights.detach().numpy(), "best": training.best.numpy()}
    state = training.optimizer.state[training.weights]
    for name in _remembered(params, progress.epoch):
        vectors[name] = state[name].numpy()
    arrays = {name: _raw(vector, "<f4") for name, vector in vectors.items()}
    losses = np.array([progress.training, progress.validation, progress.best])
    arrays[_LOSSES] = _raw(losses, "<f8")
    arrays[_BEST_EPOCH] = _raw(np.array([progress.best_epoch]), "<i8")
    return Paused(progress.epoch, arrays, curve)


def resume(training: Training, params: Mapping[str, Any], state: Paused) -> None:
    """Continues a paused trial.

    Raises:
        XortuneError: the state is not that of such a trial.
    """
    count = training.weights.numel()
    names = _remembered(params, state.epoch)
    shapes: dict[str, tuple[int, ...]] = {
        "weights": (count,),
        "best": (count,),
        _LOSSES: (3,),
        _BEST_EPOCH: (1,),
    }
    shapes |= {name: () if name in SCALARS else (count,) for name in names}
    kinds = {_LOSSES: "<f8", _BEST_EPOCH: "<i8"}
    arrays = {
        name: _array(state, name, shape, kinds.get(name, "<f4")) for name, shape in shapes.items()
    }
    best_epoch = int(arrays[_BEST_EPOCH][0])
    if not 0 <= best_epoch <= state.epoch <= params["epochs"]:
        raise _misfit(f"epoch {state.epoch} with the best epoch {best_epoch}")
    training.weights.detach().numpy()[...] = arrays["weights"]
    training.best.numpy()[...] = arrays["best"]
    training.optimizer.state[training.weights] = {
        name: torch.tensor(arrays[name].copy(), dtype=torch.float32, device="cpu") for name in names
    }
    latest, validation, best = arrays[_LOSSES].tolist()
    training.resume(Progress(state.epoch, latest, validation, best_epoch, best))


def _remembered(params: Mapping[str, Any], epoch: int) -> tuple[str, ...]:
    """The names of the optimizer's state at an epoch."""
    return STATE[params["optimizer"]] if epoch else ()


def _raw(array: NDArray[Any], dtype: str) -> RawArray:
    return RawArray(dtype, array.shape, np.ascontiguousarray(array, dtype).tobytes())


def _array(state: Paused, name: str, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """An array of the state, if it has this shape."""
    raw = state.arrays.get(name)
    if raw is None:
        raise _misfit(f"no array {name}")
    size = np.dtype(dtype).itemsize * int(np.prod(shape, dtype=np.int64))
    if raw.dtype != dtype or tuple(raw.shape) != shape or len(raw.content) != size:
        raise _misfit(
            f"{name} has the type {raw.dtype}, the shape {tuple(raw.shape)} and "
            f"{len(raw.content)} bytes instead of {dtype}, {shape} and {size}"
        )
    return np.frombuffer(raw.content, dtype).reshape(shape)


def _misfit(what: str) -> XortuneError:
    return XortuneError(
        f"a trial cannot continue from its stored state: {what}. Train it from the start."
    )
