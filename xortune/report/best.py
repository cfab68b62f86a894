"""The best trial, shown with the digits of its numbers."""

from __future__ import annotations

from typing import Any

import pandas as pd


class BestTrial(pd.Series):
    """A row of the trials table, which prints a loss of 4.7e-09 as such and not as 0.0."""

    @property
    def _constructor(self) -> Any:
        return BestTrial  # of a part of the row, too

    def __repr__(self) -> str:
        shown = [repr(float(v)) if isinstance(v, float) else v for v in self]
        return repr(pd.Series(shown, index=self.index, name=self.name, dtype=object))
