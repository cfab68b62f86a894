"""The parameters of training that tables and modules have alike, and what a training measures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from xortune.spec import Metric, Parameter, Series

OPTIMIZERS = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw")
SCHEDULES = ("constant", "cosine", "step")
LOSS_FN = "loss_fn"
COST, COMPARED = "epochs", "optimizer"  # as in `ProblemSpec`
CURVE = (Series("training", "loss/training"), Series("validation", "loss/validation"))
# Beside those of the validation rows.
TRAIN_LOSS, BEST_EPOCH = Metric("train_loss"), Metric("best_epoch", "count")

_LARGEST = 3.4e38  # of float32, in which it is trained
_MOST = 2**31 - 1
# Other names of the parameters and their choices.
_ALIASES = {
    "learning_rate": "lr", "learningrate": "lr", "learning_rate_init": "lr",
    "batch": "batch_size", "batchsize": "batch_size", "minibatch_size": "batch_size",
    "epoch": "epochs", "num_epochs": "epochs", "n_epochs": "epochs", "max_epochs": "epochs",
    "max_iter": "epochs", "random_state": "seed", "random_seed": "seed", "manual_seed": "seed",
    "opt": "optimizer", "optimiser": "optimizer", "solver": "optimizer", "wd": "weight_decay",
    "l2": "weight_decay", "decay": "weight_decay", "scheduler": "schedule",
    "lr_schedule": "schedule", "lr_scheduler": "schedule", "criterion": "loss_fn",
    "loss": "loss_fn", "loss_function": "loss_fn", "patience": "early_stopping",
    "n_iter_no_change": "early_stopping",
    "mse_loss": "mse", "mseloss": "mse", "mean_squared_error": "mse", "squared_error": "mse",
    "l1": "mae", "l1_loss": "mae", "l1loss": "mae", "mean_absolute_error": "mae",
    "huber_loss": "huber", "huberloss": "huber", "smooth_l1": "huber", "bce": "bce_with_logits",
    "bceloss": "bce_with_logits", "bcewithlogitsloss": "bce_with_logits",
    "crossentropyloss": "cross_entropy", "ce": "cross_entropy", "cosine_annealing": "cosine",
    # Similar to names of ours, with another meaning: never suggested.
    "steps": "", "iterations": "", "sgdw": "", "nadam": "", "radam": "", "adamax": "",
    "adagrad": "", "rmse": "", "step_size": "",
}  # fmt: skip


def trainer_parameters(loss_fns: tuple[str, ...]) -> tuple[Parameter, ...]:
    """The parameters of training, in the order of tables.

    Args:
        loss_fns: the choices of the loss to train with, the default first; empty where there is
            nothing to choose, and so no such parameter.
    """
    return (
        Parameter("lr", "float", 1e-3, low=0.0, high=_LARGEST, above_low=True),
        Parameter("batch_size", "int", 32, low=1, high=_MOST),
        Parameter("epochs", "int", 100, low=1, high=_MOST),
        # PyTorch's CPU generator uses the low 32 bits of a seed.
        Parameter("seed", "int", 0, low=0, high=2**32 - 1, ordered=False),
        Parameter("optimizer", "choice", "adam", choices=OPTIMIZERS, ordered=False),
        Parameter("weight_decay", "float", 0.0, low=0.0, high=_LARGEST),
        Parameter("schedule", "choice", "constant", choices=SCHEDULES, ordered=False),
        *(
            [Parameter(LOSS_FN, "choice", loss_fns[0], choices=loss_fns, ordered=False)]
            if loss_fns
            else []
        ),
        # Epochs without a better one after which a trial ends; 0 for never.
        Parameter("early_stopping", "int", 0, low=0, high=_MOST),
    )


def known_aliases(parameters: Iterable[Parameter], more: Mapping[str, str]) -> Mapping[str, str]:
    """The aliases of what some parameters have; `more` are those of a problem's own."""
    parameters = tuple(parameters)
    names = {""} | {p.name for p in parameters}
    names |= {str(choice) for p in parameters for choice in p.choices}
    return {alias: name for alias, name in {**more, **_ALIASES}.items() if name in names}
