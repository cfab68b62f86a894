"""The plots of a study, as plotly figures for notebooks and scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from xortune.errors import UsageError, XortuneError
from xortune.plain_numbers import brief, whole_number

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from xortune.network import Surface
    from xortune.report.plots import Picture
    from xortune.report.results import Results


class Plots:
    """The plots of a `Study`, each a `plotly.graph_objects.Figure`.

    Each raises XortuneError if the study has nothing that it could show, and says why.

    Example:
        study.plot_curves().show()
        study.plot_slice().write_html("slice.html")
    """

    if TYPE_CHECKING:

        @property
        def name(self) -> str: ...

        @property
        def best_number(self) -> int: ...

        def surface(self, number: int | None = None, *, data: Any = None) -> Surface | None: ...

    def plot_best_so_far(self) -> go.Figure:
        """Each trial's objective, and the best one so far."""
        return self._figure("best-so-far")

    def plot_curves(self, numbers: int | Iterable[int] | None = None) -> go.Figure:
        """The curves of some trials, by default of the five best, over the spread of the others.

        Args:
            numbers: the trials'; or that of one.

        Raises:
            UsageError: there is no such trial, or none is named.
        """
        if numbers is None:
            return self._figure("curves")
        from xortune.report.plots.training_curves import curves

        wanted = _several(numbers)
        if not wanted:
            raise UsageError(
                "numbers [] names no trial: name one or more, such as [3, 7], or leave numbers out "
                "for the five best."
            )
        return self._drawn(lambda results: curves(results, _known(results, wanted)))

    def plot_importance(self) -> go.Figure:
        """How much each parameter has to do with what sets the best trials apart."""
        return self._figure("importance")

    def plot_slice(self) -> go.Figure:
        """The objective by each parameter."""
        return self._figure("slices")

    def plot_parallel(self) -> go.Figure:
        """All parameters of each trial at once."""
        return self._figure("parallel")

    def plot_contour(self) -> go.Figure:
        """The objective over the two parameters that matter most."""
        return self._figure("contour")

    def plot_replicates(self) -> go.Figure:
        """The trainings of the best and of the confirmed trials."""
        return self._figure("replicates")

    def plot_rungs(self) -> go.Figure:
        """Where pruned trials stopped, and their objectives there."""
        return self._figure("rungs")

    def plot_cost(self) -> go.Figure:
        """The objective against the cost of a trial, with its Pareto front."""
        return self._figure("cost")

    def plot_states(self) -> go.Figure:
        """The states of the trials, and why trials failed."""
        return self._figure("states")

    def plot_time(self) -> go.Figure:
        """Where the time of the study went."""
        return self._figure("time")

    def plot_surface(self, number: int | None = None, *, data: Any = None) -> go.Figure:
        """What a trial's trained model answers over the plane of its two inputs.

        Args:
            number: the trial's; None for the best one.
            data: of a study of a table: its data, named again, to have its rows in the picture.

        Raises:
            UsageError: there is no such trial, or the data is not the study's.
        """
        surface = self.surface(number, data=data)
        if surface is None:
            why = "its models do not take two numbers"
            raise XortuneError(f"study {self.name} has no such plot: {why}.")
        from xortune.report.plots.surface_map import surface_picture

        shown = self.best_number if number is None else int(number)
        return _titled(surface_picture(surface, f"Answers of trial {shown}"))

    def _figure(self, name: str) -> go.Figure:
        from xortune.report.plots.gallery import PLOTS

        return self._drawn(PLOTS[name])

    def _drawn(self, draw: Callable[[Results], Picture]) -> go.Figure:
        from xortune.report.plots import Absent
        from xortune.studies.results import results_of

        try:
            return _titled(draw(results_of(self)))
        except Absent as reason:
            raise XortuneError(f"study {self.name} has no such plot: {reason}.") from None


def _titled(picture: Picture) -> go.Figure:
    from xortune.report.plots.theme import alone

    drawn = picture.figure
    height = drawn.layout.height + 40
    drawn.update_layout(
        title={"text": picture.title, "x": 0.01, "yref": "container", "y": 1 - 18 / height},
        height=height,
        margin={"t": 84},
    )
    return alone(drawn)


def _several(numbers: Any) -> list[Any]:
    """Numbers as a list; one that stands alone, or is none at all, as a list of it."""
    if isinstance(numbers, (str, bytes)):
        return [numbers]
    try:
        return [*numbers]
    except TypeError:  # also an array without dimensions
        return [numbers]


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
