"""The limits of a trial: the objectives that it has to reach at certain epochs to go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xortune.spec import Objective


class Limits:
    """Compares a trial's objective with its limits, each once, as the trial reports it.

    A limit counts at the first report from its epoch on that has the objective, at once: what
    else is reported of that epoch would come too late. An epoch without the objective is passed
    over, since a function may validate only now and then.

    Args:
        objective: its direction says which values are worse.
        limits: ascending epochs, each with the worst objective that goes on; infinity lets any
            number go on.

    Attributes:
        compared: the latest epoch at which the objective was compared.
    """

    def __init__(self, objective: Objective, limits: Sequence[tuple[int, float]] = ()) -> None:
        self._name, direction = objective
        self._sign = -1.0 if direction == "maximize" else 1.0
        self._ahead = list(limits)
        self.compared: int | None = None

    def missed(self, epoch: int, metrics: Mapping[str, float]) -> str | None:
        """Why the trial ends with this report; None if it goes on."""
        if not self._ahead or epoch < self._ahead[0][0] or self._name not in metrics:
            return None
        self.compared = epoch
        value = metrics[self._name]
        while self._ahead and self._ahead[0][0] <= epoch:
            _, limit = self._ahead.pop(0)
            # NaN reaches no limit.
            if not self._sign * value <= self._sign * limit:
                return (
                    f"{self._name} is {value:g} at epoch {epoch}, where the search lets trials go "
                    f"on from {limit:g}"
                )
        return None
