"""The lab's XOR as plain data."""

from __future__ import annotations

from typing import Literal, get_args

from xortune.spec import Goal, Metric, Objective, Parameter, ProblemSpec, Series
from xortune.trial import Layout

LossFn = Literal["mse", "bce", "bce_with_logits"]
LOSS_FNS: tuple[LossFn, ...] = get_args(LossFn)
DATA_NAMES = ("xor", "lab")
# The entries of `XOR(2, 1).state_dict()`.
LAYOUT: Layout = (
    ("fc1.weight", (2, 2)),
    ("fc1.bias", (2,)),
    ("fc2.weight", (1, 2)),
    ("fc2.bias", (1,)),
)

# Other names of the parameters and the loss functions.
_ALIASES = {
    "learning_rate": "lr", "learningrate": "lr", "criterion": "loss_fn", "loss": "loss_fn",
    "loss_function": "loss_fn", "random_state": "seed", "random_seed": "seed",
    "manual_seed": "seed", "epoch": "epochs", "num_epochs": "epochs", "n_epochs": "epochs",
    "max_epochs": "epochs", "mseloss": "mse", "mse_loss": "mse", "mean_squared_error": "mse",
    "bceloss": "bce", "bce_loss": "bce", "binary_cross_entropy": "bce",
    "bcewithlogitsloss": "bce_with_logits", "bce_with_logits_loss": "bce_with_logits",
    # Similar to names of ours, with another meaning: never suggested.
    "mae": "", "rmse": "", "msle": "", "mape": "", "rmsle": "", "nll": "", "bce_dice": "",
    "eps": "", "steps": "", "iterations": "", "patience": "", "momentum": "", "weight_decay": "",
}  # fmt: skip

# The defaults are the lab's own values.
SPEC = ProblemSpec(
    problem="xor",
    parameters=(
        # It is trained in float32, whose largest number is 3.4e38.
        Parameter("lr", "float", 0.1, low=0.0, high=3.4e38, above_low=True),
        Parameter("epochs", "int", 10_000, low=1, high=2**31 - 1),
        # PyTorch's CPU generator uses the low 32 bits of a seed.
        Parameter("seed", "int", 42, low=0, high=2**32 - 1, ordered=False),
        Parameter("loss_fn", "choice", "mse", choices=LOSS_FNS, ordered=False),
    ),
    metrics=(
        Metric("train_loss"),
        Metric("mse", "loss"),
        Metric("bce", "loss"),
        Metric("accuracy", "share"),
    ),
    loss="mse",
    objectives=(Objective("mse"),),
    curve=(Series("training", "loss/training"), Series("validation", "loss/validation")),
    cost="epochs",
    solved=Goal("accuracy", 1.0),
    compared="loss_fn",
    log_every=500,
    aliases=_ALIASES,
)
