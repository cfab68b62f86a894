"""The plots of a study, as plotly figures for notebooks and scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from xortune.errors import UsageError, XortuneError
from xortune.plain_numbers import brief, whole_number

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from xortune.report.plots import Picture
    from xortune.report.results import Results
    from xortune.studies.study import Study


class Plots:
    """Methods of `Study` that return a `plotly.graph_objects.Figure`.

    Each raises XortuneError if the study has nothing that it could show, and says why.

    Example:
        study.plot_curves().show()
        study.plot_importance().write_image("importance.svg")  # with the package kaleido
    """

    def plot_best_so_far(self) -> go.Figure:
        """Each trial's objective, and the best one so far."""
        return _figure(self, "best-so-far")

    def plot_curves(self, numbers: Iterable[int] | None = None) -> go.Figure:
        """The curves of some trials, by default of the best, over the spread of the others.

        Raises:
            UsageError: there is no such trial.
        """
        from xortune.report.plots.training_curves import curves

        if numbers is None:
            return _figure(self, "curves")
        wanted = [*numbers]
        return _drawn(self, lambda results: curves(results, _known(results, wanted)))

    def plot_importance(self) -> go.Figure:
        """How much each parameter has to do with what sets the best trials apart."""
        return _figure(self, "importance")


def _figure(study: Any, name: str) -> go.Figure:
    from xortune.report.plots.gallery import PLOTS

    return _drawn(study, PLOTS[name])


def _drawn(study: Study | Any, draw: Callable[[Results], Picture]) -> go.Figure:
    from xortune.report.plots import Absent
    from xortune.report.plots.theme import alone
    from xortune.studies.results import results_of

    try:
        picture = draw(results_of(study))
    except Absent as reason:
        raise XortuneError(f"study {study.name} has no such plot: {reason}.") from None
    picture.figure.update_layout(title={"text": picture.title, "y": 0.97}, margin={"t": 90})
    return alone(picture.figure)


def _known(results: Results, numbers: list[Any]) -> list[int]:
    there = {*results.trials["number"].tolist()}
    found = [whole_number(number) for number in numbers]
    unknown = [number for number, whole in zip(numbers, found) if whole not in there]
    if unknown:
        known = f"0 to {max(there)}" if there else "none yet"
        raise UsageError(
            f"study {results.name} has no trial {brief(unknown[0])}; its trials: {known}."
        )
    return [number for number in found if number is not None]
