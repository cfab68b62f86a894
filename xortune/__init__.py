"""Hyperparameter search for small PyTorch models, thousands of trainings at a time."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from xortune.version import __version__

if TYPE_CHECKING:
    from xortune import errors
    from xortune.problems.declared import Problem
    from xortune.problems.function.declared import Pruned
    from xortune.problems.module.split import Split
    from xortune.studies.searches import resume, search
    from xortune.studies.study import Study, load

__all__ = [
    "Problem",
    "Pruned",
    "Split",
    "Study",
    "__version__",
    "errors",
    "load",
    "resume",
    "search",
]
# The modules of classes that need nothing heavy.
_CLASSES = {
    "Problem": "xortune.problems.declared",
    "Pruned": "xortune.problems.function.declared",
    "Split": "xortune.problems.module.split",
}


def __dir__() -> list[str]:
    """The public names, for completion."""
    return sorted([*__all__, "__doc__"])


def __getattr__(name: str) -> Any:
    """Imports public names when they are first used."""
    if name in ("search", "resume"):
        from xortune.studies import searches

        return getattr(searches, name)
    if name == "errors":
        return import_module("xortune.errors")
    if name in _CLASSES:
        return getattr(import_module(_CLASSES[name]), name)
    if name in ("Study", "load"):
        from xortune.studies import study

        return getattr(study, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
