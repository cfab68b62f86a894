"""The training problem: model, data, loss functions and the plain reference loop."""

from xortune.lab.data import Dataset, Rows, load_data
from xortune.lab.loop import Trained, train
from xortune.lab.losses import loss_of
from xortune.lab.model import XOR, predict, seeded_model, trained_model, weights_of

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
