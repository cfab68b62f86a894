"""The training problem: model, data, loss functions and the plain reference loop."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xortune.problems.xor.data import Dataset, Rows, load_data
    from xortune.problems.xor.loop import Trained, train
    from xortune.problems.xor.losses import loss_of
    from xortune.problems.xor.model import XOR, predict, seeded_model, trained_model, weights_of

__all__ = [
    "XOR",
    "Dataset",
    "Rows",
    "Trained",
    "load_data",
    "loss_of",
    "predict",
    "seeded_model",
    "train",
    "trained_model",
    "weights_of",
]
_HOMES = {
    "data": ("Dataset", "Rows", "load_data"),
    "loop": ("Trained", "train"),
    "losses": ("loss_of",),
    "model": ("XOR", "predict", "seeded_model", "trained_model", "weights_of"),
}


def __getattr__(name: str) -> Any:
    """Imports PyTorch only with what needs it; `tables` and `answer` do not."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
