"""Hyperparameter search for small PyTorch models, thousands of trainings at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xortune.searches import resume, search
    from xortune.study import Study, load

__all__ = ["Study", "load", "resume", "search"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Imports the public face when it is first used."""
    if name in ("search", "resume"):
        from xortune import searches

        return getattr(searches, name)
    if name in ("Study", "load"):
        from xortune import study

        return getattr(study, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
