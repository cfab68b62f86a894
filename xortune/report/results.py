"""All that a report shows of a study, read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xortune.run_time import RunTime
from xortune.space import SearchSpace
from xortune.spec import ProblemSpec
from xortune.trial import Curve

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Results:
    """A study as it was at one moment, for plots and pages."""

    name: str
    space: SearchSpace
    trials: pd.DataFrame  # ranked, with the columns of `xortune.report.columns`
    summary: Mapping[str, Any]  # as `Study.summary` gives it
    described: Mapping[str, Any]  # as `Study.described` gives it
    curves: Mapping[int, Curve]  # of every finished trial, by number
    runs: Sequence[RunTime]
    # By number, the frames of `Study.replicates` for the trials that have several trainings and
    # are shown one by one: the best ones, and those that were confirmed.
    replicates: Mapping[int, pd.DataFrame] = field(default_factory=dict)

    @property
    def spec(self) -> ProblemSpec:
        return self.space.spec
