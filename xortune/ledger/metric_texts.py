"""The metrics of trials and of their replicates, as JSON texts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from math import isfinite, nan
from typing import Any, TypeVar

from xortune.ledger.json_objects import float_json, objects, score_json, template
from xortune.ledger.rows import Damage, real
from xortune.spec import PRUNED_EPOCH, PRUNED_LOSS, ProblemSpec
from xortune.trial import Scores, State

K = TypeVar("K")


class MetricTexts:
    """Writes and reads the metrics of these names.

    Of a complete trial, the final loss and the objectives are finite, and null stands for any
    other metric that was not measured. A pruned trial has its epoch and its objective there, and
    null for all others.
    """

    def __init__(self, spec: ProblemSpec, names: tuple[str, ...]) -> None:
        self._names = names
        self._template = template(names)
        needed = {spec.loss, *(objective.metric for objective in spec.objectives)}
        self._needed = [place for place, name in enumerate(names) if name in needed]
        self._encoders = [float_json if name in needed else score_json for name in names]
        self._pruned = [names.index(n) for n in (PRUNED_EPOCH, PRUNED_LOSS) if n in names]

    def text(self, state: State, scores: Scores) -> str:
        """The text of a trial's metrics; raises ValueError if its state cannot have these."""
        values = scores.row
        if not self._pruned and isfinite(sum(values)):
            # Nothing is missing: no value needs a check, which would take twice as long.
            return self._template % tuple([repr(real(value)) for value in values])
        if self._pruned or state == "PRUNED":
            there = tuple(None if value != value else value for value in values)
            if not self._fits(there, state == "PRUNED"):
                raise ValueError(f"{scores} are not the metrics of a trial that is {state}")
        encoders = [score_json] * len(values) if state == "PRUNED" else self._encoders
        return self._template % tuple([encode(value) for encode, value in zip(encoders, values)])

    def read(
        self, texts: Mapping[K, str], pruned: Collection[K], owner: Callable[[K], str]
    ) -> dict[K, tuple[float, ...]]:
        """The values of texts, with NaN for null.

        Args:
            texts: by what they belong to.
            pruned: those of their keys that belong to pruned trials.
            owner: puts a key into words.

        Raises:
            Damage: a text is malformed, or a value is impossible.
        """
        found = objects(texts, self._names, "metrics", owner)
        for key, values in found.items():
            if not self._fits(values, key in pruned):
                raise Damage(
                    f"the metrics of {owner(key)} are not those of a pruned trial"
                    if key in pruned
                    else f"a metric of {owner(key)} is not a finite number"
                )
        return {key: _without_null(values) for key, values in found.items()}

    def _fits(self, values: Sequence[Any], pruned: bool) -> bool:
        """Whether values, with None for null, can be those of a complete or a pruned trial."""
        if pruned:
            return len(self._pruned) == 2 and self._fits_pruned(values)
        there = values
        if None in values and None not in [values[place] for place in self._needed]:
            there = [value for value in values if value is not None]
        if {*map(type, there)} != {float} or not all(map(isfinite, there)):
            return False
        return not self._pruned or all(values[place] is None for place in self._pruned)

    def _fits_pruned(self, values: Sequence[Any]) -> bool:
        epoch, loss = (values[place] for place in self._pruned)
        if type(epoch) is not float or type(loss) is not float or not isfinite(loss):
            return False
        others = [v for place, v in enumerate(values) if place not in self._pruned]
        return epoch.is_integer() and epoch >= 0 and all(value is None for value in others)


def _without_null(values: tuple[Any, ...]) -> tuple[float, ...]:
    return tuple(nan if v is None else v for v in values) if None in values else values
