"""The words of search-space files: ours, those of W&B that mean nothing here, and likely slips.

W&B's are those of its sweep configuration
(https://docs.wandb.ai/guides/sweeps/sweep-config-keys and the schema of its sweeps package).
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xortune.space.domains import PARAMETERS
from xortune.trial import LOSS_FNS


@dataclass(frozen=True)
class Shape:
    """How a distribution spreads its values.

    Attributes:
        log: evenly over the logarithm.
        grid: over multiples of q only.
        exponents: `min` and `max` are natural logarithms of the bounds.
    """

    log: bool = False
    grid: bool = False
    exponents: bool = False


RANGES = {
    "uniform": Shape(),
    "log_uniform": Shape(log=True, exponents=True),
    "log_uniform_values": Shape(log=True),
    "int_uniform": Shape(),
    "q_uniform": Shape(grid=True),
    "q_log_uniform": Shape(log=True, grid=True, exponents=True),
    "q_log_uniform_values": Shape(log=True, grid=True),
}
DISTRIBUTIONS = ("constant", "categorical", *RANGES)
# Those of W&B that are not offered, and what gives the same or comes near.
_NEAR = "min and max at mu - 2 sigma and mu + 2 sigma, or as far as it matters"
NOT_OFFERED = {
    "categorical_w_probabilities": "categorical, where every value is as likely as the others",
    "inv_log_uniform": "log_uniform with min: -max and max: -min, which is the same",
    "inv_log_uniform_values": "log_uniform_values with the same bounds, which is the same",
    "normal": f"uniform with {_NEAR}",
    "q_normal": f"q_uniform with {_NEAR}",
    "log_normal": f"log_uniform with {_NEAR}",
    "q_log_normal": f"q_log_uniform with {_NEAR}",
    "beta": "uniform with min and max",
    "q_beta": "q_uniform with min and max",
}
KEYS = ("value", "values", "min", "max", "q", "distribution")
# Keys that go with what is not offered.
_FOREIGN_KEYS = {
    "mu": "goes with normal distributions, which are not offered here; give min and max",
    "sigma": "goes with normal distributions, which are not offered here; give min and max",
    "a": "goes with beta distributions, which are not offered here; give min and max",
    "b": "goes with beta distributions, which are not offered here; give min and max",
    "probabilities": "is not offered here: every value is as likely as the others; drop it",
    "parameters": f"is not offered here; the parameters are {', '.join(PARAMETERS)}, not nested",
}
# What means nothing here, but is no slip: W&B's keys, and those of its Launch.
SWEEP_KEYS = (
    "apiVersion", "kind", "program", "program_args", "job", "image_uri", "method", "metric",
    "metrics", "name", "description", "project", "entity", "command", "early_terminate", "run_cap",
    "controller", "scheduler", "launch",
)  # fmt: skip
# A top-level key that begins with this holds a template for YAML's aliases.
TEMPLATES = "x-"

_OFTEN_CALLED = {
    "learning_rate": "lr", "learningrate": "lr", "criterion": "loss_fn", "loss": "loss_fn",
    "loss_function": "loss_fn", "random_state": "seed", "random_seed": "seed",
    "manual_seed": "seed", "num_epochs": "epochs", "n_epochs": "epochs", "max_epochs": "epochs",
    "mseloss": "mse", "mse_loss": "mse", "mean_squared_error": "mse", "bceloss": "bce",
    "bce_loss": "bce", "binary_cross_entropy": "bce", "bcewithlogitsloss": "bce_with_logits",
    "bce_with_logits_loss": "bce_with_logits", "low": "min", "lower": "min", "high": "max",
    "upper": "max", "step": "q", "choices": "values", "options": "values", "type": "distribution",
}  # fmt: skip
# They look like words of ours, and mean something else.
_OTHERS = (
    "mae", "rmse", "msle", "mape", "rmsle", "nll", "bce_dice", "eps", "steps", "iterations",
    "patience", "momentum", "weight_decay",
)  # fmt: skip
_VALUES_OR_LOGARITHMS = (
    "log_uniform_values, whose min and max are the bounds, or log_uniform, whose min and max are "
    "their natural logarithms"
)


def likely(word: str, known: Sequence[str]) -> str:
    """A hint at the known word that was meant; empty where that would be a guess."""
    lower = word.lower()
    if lower in _OTHERS:
        return ""
    meant = _OFTEN_CALLED.get(lower)
    if meant is None:
        meant = next(iter(difflib.get_close_matches(lower, known, n=1)), None)
    return f" (did you mean {meant!r}?)" if meant in known else ""


def likely_distribution(word: str) -> str:
    """As `likely`, but never a distribution of another meaning.

    Other libraries write `loguniform`, some with the bounds and some with their logarithms.
    """
    logarithmic, quantised = "log" in word.lower(), word.lower().startswith("q")
    known = [
        name
        for name in DISTRIBUTIONS
        if name.startswith("q_") == quantised and ("log" in name) == logarithmic
    ]
    if not difflib.get_close_matches(word.lower(), known, n=1):
        return ""
    if not logarithmic:
        return likely(word, known)
    prefix = "q_" if quantised else ""
    return f" (did you mean {_VALUES_OR_LOGARITHMS.replace('log_uni', prefix + 'log_uni')}?)"


def unknown_key(key: Any) -> str:
    """What is wrong with a key of a parameter that is not one of `KEYS`."""
    if isinstance(key, str) and key in _FOREIGN_KEYS:
        return f"{key} {_FOREIGN_KEYS[key]}"
    return f"unknown key {key!r}{likely(str(key), KEYS)}; there are {', '.join(KEYS)}"


def unknown_distribution(name: Any) -> str:
    """What is wrong with a distribution that is not one of `DISTRIBUTIONS`."""
    if isinstance(name, str) and name in NOT_OFFERED:
        return f"W&B's {name} is not offered here; use {NOT_OFFERED[name]}"
    hint = likely_distribution(name) if isinstance(name, str) else ""
    return f"unknown distribution {shown(name)}{hint}; there are {', '.join(DISTRIBUTIONS)}"


def unknown_loss_fn(name: Any) -> str:
    """What is wrong with a loss function that is not one of `LOSS_FNS`."""
    hint = likely(str(name), LOSS_FNS)
    return f"unknown loss function {shown(name)}{hint}; there are {', '.join(LOSS_FNS)}"


def shown(value: Any) -> str:
    """A value in a message, in at most 60 characters."""
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
