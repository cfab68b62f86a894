"""What the engines of modules have in common: see `xortune.engines.engine.Engine`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from xortune.engines.reference_modules import reference_modules
from xortune.spec import ProblemSpec

if TYPE_CHECKING:
    from xortune.problems.module.lesson import ModuleLesson


class ModuleEngine:
    """Trains on CPUs.

    Args:
        load: loads the lesson, in the process that trains.
        spec: the module's, with the loss and the objectives of the study.
        folds: the parts of the rows that validate in turn; None for no folds.
    """

    bits: Literal["lane", "pack"] = "lane"
    first_failures = 5
    pauses = True

    def __init__(
        self, load: Callable[[], ModuleLesson], spec: ProblemSpec, folds: int | None
    ) -> None:
        self._load = load
        self._folds = folds
        self.spec = spec
        self.probe = spec.assignment({"epochs": 1})
        self.reference = reference_modules(spec)
