"""A study in a notebook: its card below a cell, all curves as one frame, and TensorBoard."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from xortune.errors import XortuneError
from xortune.escaping import shell_word
from xortune.ledger import Ledger
from xortune.paths import StudyPaths

if TYPE_CHECKING:
    import pandas as pd


class Notebook:
    """The methods of `xortune.Study` that are for notebooks."""

    paths: StudyPaths
    _own: StudyPaths

    def all_curves(self) -> pd.DataFrame:
        """The curves of all trials that have ended, one below the other.

        Columns: `number`, `epoch`, and one for each series of the problem.

        Example:
            curves = study.all_curves().set_index(["number", "epoch"])
        """
        from xortune.report import curves_frame

        with Ledger.read(self._own) as ledger:
            return curves_frame(ledger.curves(), ledger.settings().spec)

    def tensorboard(self) -> str | None:
        """Shows the study's runs below a notebook's cell; elsewhere returns how to see them.

        Raises:
            UsageError: the study has no runs.
        """
        from xortune.studies.boards import check_runs

        check_runs(self._own)
        if not in_notebook():
            return f"python -m xortune tensorboard {shell_word(str(self.paths.folder))}"
        from xortune.tensorboard.notebook import show

        show(self._own.tensorboard)
        return None

    def _repr_html_(self) -> str | None:
        """The study as a notebook shows it; None where it cannot be read."""
        from xortune.report.card import card

        study: Any = self
        try:
            trials = study.trials
            return card(study.name, trials, study.summary_of(trials), study.settings)
        except XortuneError:
            return None


def in_notebook() -> bool:
    """Whether a Jupyter kernel runs this process."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if hasattr(ipython, "get_ipython") else None
    return hasattr(shell, "kernel")
