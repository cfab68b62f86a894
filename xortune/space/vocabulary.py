"""The words of search-space files: known, ignored, not offered, and likely mistakes.

W&B's words are from https://docs.wandb.ai/guides/sweeps/sweep-config-keys and the schema of its
sweeps package.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from xortune.trial import Value
from xortune.wording import option


@dataclass(frozen=True)
class Shape:
    """How a distribution spreads its values."""

    log: bool = False  # evenly over the logarithm
    grid: bool = False  # over multiples of q only
    exponents: bool = False  # min and max are natural logarithms of the bounds


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
# W&B's other distributions, and the nearest replacements.
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
_OF_ANOTHER = "goes with {} distributions, which are not offered here; give min and max"
_FOREIGN_KEYS = {
    **dict.fromkeys(("mu", "sigma"), _OF_ANOTHER.format("normal")),
    **dict.fromkeys(("a", "b"), _OF_ANOTHER.format("beta")),
    "probabilities": "is not offered here: every value is as likely as the others; drop it",
    "parameters": "is not offered here: parameters are not nested",
}
# Keys of W&B's sweeps and Launch that are ignored.
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
    """A hint at the known word that was meant; empty if none is likely.

    Args:
        word: an unknown word.
        known: the known words.
        aliases: other names for them, in lower case. An alias of an unknown word suppresses
            the hint.
    """
    lower = word.lower()
    by_lower = {name.lower(): name for name in known}
    meant = aliases.get(lower)
    if meant is None:
        close = difflib.get_close_matches(lower, by_lower, n=1)
        meant = by_lower[close[0]] if close else ""
    return f" (did you mean {meant!r}?)" if meant in by_lower.values() else ""


def likely_distribution(word: str) -> str:
    """As `likely`, but never hints at a distribution with another meaning.

    The `loguniform` of other libraries takes the bounds in some, and their logarithms in others.
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


def in_place_of(ignored: Iterable[str]) -> str:
    """The settings that do what ignored keys do at W&B, with a space before; or empty."""
    settings = {
        "method": option("sampler"),
        "metric": option("objective", "NAME:max"),
        "early_terminate": option("pruner", "hyperband"),
        "run_cap": f"{option('trials')} N",
    }
    found = [f"{settings[key]} for {key}" for key in ignored if key in settings]
    *most, last = found or [""]
    return f" Use {', '.join(most)}{' and ' * bool(most)}{last}." if found else ""


def unknown_key(key: Any) -> str:
    """The fault of a key that is not one of `KEYS`."""
    if isinstance(key, str) and key in _FOREIGN_KEYS:
        return f"{key} {_FOREIGN_KEYS[key]}"
    return f"unknown key {key!r}{likely(str(key), KEYS)}; there are {', '.join(KEYS)}"


def unknown_distribution(name: Any) -> str:
    """The fault of a distribution that is not one of `DISTRIBUTIONS`."""
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
    """A value as search-space files and `--set` spell it: `relu`, `0.1`, `8`, `true`."""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def listed(values: Iterable[Value]) -> str:
    """Values in a message, separated by commas."""
    return ", ".join(map(spelled, values))
