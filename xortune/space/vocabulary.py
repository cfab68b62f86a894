"""The words of search-space files: ours, those of W&B that are ignored, and likely slips.

W&B's are those of its sweep configuration
(https://docs.wandb.ai/guides/sweeps/sweep-config-keys and the schema of its sweeps package).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from xortune.trial import Value


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
    "parameters": "is not offered here: parameters are not nested",
}
# Keys of W&B's sweeps and of its Launch, which are ignored.
SWEEP_KEYS = (
    "apiVersion", "kind", "program", "program_args", "job", "image_uri", "method", "metric",
    "metrics", "name", "description", "project", "entity", "command", "early_terminate", "run_cap",
    "controller", "scheduler", "launch",
)  # fmt: skip
# A top-level key that begins with this holds a template for YAML's aliases.
TEMPLATES = "x-"

_OFTEN_CALLED = {
    "low": "min", "lower": "min", "high": "max", "upper": "max", "step": "q", "choices": "values",
    "options": "values", "type": "distribution",
}  # fmt: skip
_VALUES_OR_LOGARITHMS = (
    "log_uniform_values, whose min and max are the bounds, or log_uniform, whose min and max are "
    "their natural logarithms"
)


def likely(word: str, known: Iterable[str], aliases: Mapping[str, str] = _OFTEN_CALLED) -> str:
    """A hint at the known word that was meant; empty where that would be a guess.

    Args:
        word: an unknown word.
        known: the words that there are.
        aliases: what else they are called, in lower case. The alias of a word that is not
            known means something else, however alike it looks.
    """
    lower = word.lower()
    by_lower = {name.lower(): name for name in known}
    meant = aliases.get(lower)
    if meant is None:
        close = difflib.get_close_matches(lower, by_lower, n=1)
        meant = by_lower[close[0]] if close else ""
    return f" (did you mean {meant!r}?)" if meant in by_lower.values() else ""


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


def shown(value: Any) -> str:
    """A value in a message, in at most 60 characters."""
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def spelled(value: Value) -> str:
    """A value as a search-space file and `--set` spell it: `relu`, `0.1`, `8`, `true`."""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def listed(values: Iterable[Value]) -> str:
    """Values in a message, one after the other."""
    return ", ".join(map(spelled, values))
