"""Settings and commands in messages, spelled for the caller: Python or the shell.

Messages are for Python unless the command line enters `for_the_shell`. That is the only state
that the package keeps outside its objects, and it affects nothing but messages.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from xortune.escaping import shell_word

_speaking = {"shell": False}
# What Optuna, Ray Tune, Weights & Biases and scikit-learn call a choice, without `_` and `-`.
_CHOICES = {
    **dict.fromkeys(
        ("asha", "sha", "ashascheduler", "successivehalving", "successivehalvingpruner"), "halving"
    ),
    **dict.fromkeys(("hyperbandpruner", "hyperbandscheduler"), "hyperband"),
    **dict.fromkeys(("medianpruner", "medianstopping", "medianstoppingrule"), "median"),
    **dict.fromkeys(("nop", "noppruner"), "none"),
    **dict.fromkeys(("bayes", "bayesian", "tpesampler"), "tpe"),
    "randomsampler": "random",
}


@contextmanager
def for_the_shell() -> Iterator[None]:
    """Makes messages name options of the command line."""
    before = _speaking["shell"]
    _speaking["shell"] = True
    try:
        yield
    finally:
        _speaking["shell"] = before


def option(name: str, value: str | bool | None = None) -> str:
    """A setting, with a value if one is proposed.

    Example:
        f"{option('log_every')} {value}: must be ..."   # --log-every 0, or log_every 0
        f"Use {option('device', 'cpu')}."               # --device cpu, or device='cpu'
        f"or resume it with {option('force', True)}"    # --force, or force=True
    """
    if _speaking["shell"]:
        flag = f"--{name.replace('_', '-')}"
        return flag if value is None or value is True else f"{flag} {value}"
    return name if value is None else f"{name}={value!r}"


def command(name: str, study: str, **options: str | bool | int) -> str:
    """A command on a study, to be pasted into a shell or into Python.

    Example:
        command("resume", "results/one", trials=100)
        # python -m xortune resume results/one --trials 100
        # xortune.resume('results/one', trials=100)
    """
    if _speaking["shell"]:
        flags = "".join(f" {option(key, str(value))}" for key, value in options.items())
        return f"python -m xortune {name} {shell_word(study)}{flags}"
    keywords = "".join(f", {key}={value!r}" for key, value in options.items())
    return f"xortune.{name}({study!r}{keywords})"


def named_command(name: str) -> str:
    """A command without a study: `the command resume`, or `xortune.resume`."""
    return f"the command {name}" if _speaking["shell"] else f"xortune.{name}"


def likely_choice(value: object, choices: Iterable[str]) -> str:
    """A question after the choice that other tools call so, with a space before it; or empty.

    An object counts as its class, such as Optuna's `MedianPruner()`.
    """
    word = value if isinstance(value, str) else type(value).__name__
    meant = _CHOICES.get(word.replace("_", "").replace("-", "").lower(), "")
    return f" Did you mean {meant}?" if meant and meant in choices else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question after the known word that is most like another, with a space before it; or empty.

    Upper and lower case count as alike.
    """
    names = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower()[:100], list(names), n=1, cutoff=0.6)
    return f" Did you mean {names[close[0]]}?" if close else ""
