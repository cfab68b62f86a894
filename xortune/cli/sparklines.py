"""The column of curves in a printed ranking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from xortune.cli.columns import MISSING, Column
from xortune.report.sparkline import Scale, scale_of, shown_series, sparkline

if TYPE_CHECKING:
    from xortune.studies.study import Study

CURVE = "curve"  # the name of the column


class Lines(NamedTuple):
    """The curves of some trials on one scale."""

    cells: list[str]  # empty for a trial without a curve
    series: str
    scale: Scale

    @property
    def column(self) -> Column:
        return Column(CURVE, [cell or MISSING for cell in self.cells], "left")

    @property
    def words(self) -> str:
        """What the curves show."""
        low, high, log = self.scale
        kind = ", logarithmic" if log else ""
        return f"curve: {self.series}, from {low:.2g} to {high:.2g}{kind}"


def lines_of(study: Study, numbers: Sequence[int], *, plain: bool) -> Lines | None:
    """The curves of trials; None if they have none.

    Args:
        study: theirs.
        numbers: of the trials.
        plain: in ASCII.
    """
    from xortune.studies.curves import curves_of

    name = shown_series(study.settings.spec)
    if name is None:
        return None
    curves = curves_of(study, numbers)
    scale = scale_of(curves.values(), name)
    if scale is None:
        return None
    cells = [sparkline(curves[number], name, scale, plain=plain) for number in numbers]
    return Lines(cells, name, scale)
