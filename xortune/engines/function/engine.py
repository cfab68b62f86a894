"""The engine of users' functions: made by the driver, opened where they are called."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

from xortune.engines.engine import Pace, Trainer
from xortune.engines.function.names import FUNCTION
from xortune.problems.code.code import Code
from xortune.spec import ProblemSpec
from xortune.trial import Params

# The most trials of a pack, which is lost together with its worker.
_LARGEST = 1000


class FunctionEngine:
    """See `xortune.engines.engine.Engine`.

    Args:
        code: the function's; it travels as text, or as cloudpickle wrote it.
        spec: the problem's.
        study_seed: from which, with its number, each trial is seeded.
        trial_timeout: the most seconds of a trial; None for any number.
        verbose: whether to show what the function prints.
        folds: the parts of the rows that validate in turn; None for no folds.
    """

    name = FUNCTION
    bits: Literal["lane", "pack"] = "lane"
    generation = 10
    reference: tuple[Params, ...] = ()
    first_failures = 5
    pauses = False

    def __init__(
        self,
        code: Code,
        spec: ProblemSpec,
        study_seed: int,
        trial_timeout: float | None = None,
        verbose: bool = False,
        folds: int | None = None,
    ) -> None:
        self.probe = spec.defaults
        self._code = code
        self.spec = self._spec = spec
        self._study_seed = study_seed
        self._trial_timeout = trial_timeout
        self._verbose = verbose
        self._folds = folds
        # A file that the function reads by a relative path is found on every worker that has it.
        self._folder = _current_folder()

    def pace(self, device: str) -> Pace:
        """Unknown: only measured trials tell."""
        slowest_s = math.inf if self._trial_timeout is None else self._trial_timeout
        return Pace(1.0, 1, slowest_s, _LARGEST, measured=True)

    def libraries(self, device: str) -> tuple[str, ...]:
        """None that is known: the function imports what it likes."""
        return ()

    def open(self, device: str) -> Trainer:
        """Opens it; the function finds the device by itself, as it would without a search."""
        from xortune.engines.function.trainer import Calls, FunctionTrainer

        calls = Calls(
            self._code,
            self._spec,
            self._study_seed,
            self._trial_timeout,
            self._verbose,
            self._folder,
            self._folds,
        )
        return FunctionTrainer(calls)


def _current_folder() -> str | None:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return None
