"""The column of curves in a printed ranking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from xortune.cli.columns import MISSING, Column
from xortune.report.sparkline import scale_of, shown_series, sparkline

if TYPE_CHECKING:
    from xortune.studies.study import Study

CURVE = "curve"  # the name of the column


class Lines(NamedTuple):
    """The curves of some trials on one scale."""

    cells: list[str]  # empty for a trial without a curve
    words: str  # what they show; empty if there are none

    @property
    def column(self) -> Column:
        return Column(CURVE, [cell or MISSING for cell in self.cells], "left")


def lines_of(study: Study, numbers: Sequence[int], *, plain: bool) -> Lines:
    """The curves of trials.

    Args:
        study: theirs.
        numbers: of the trials.
        plain: in ASCII.
    """
    from xortune.studies.curves import curves_of

    name = shown_series(study.settings.spec)
    curves = {} if name is None else curves_of(study, numbers)
    scale = None if name is None else scale_of(curves.values(), name)
    if name is None or scale is None:
        return Lines([""] * len(numbers), "")
    cells = [sparkline(curves[number], name, scale, plain=plain) for number in numbers]
    kind = ", logarithmic" if scale.log else ""
    return Lines(cells, f"curve: {name}, from {scale.low:.2g} to {scale.high:.2g}{kind}")
