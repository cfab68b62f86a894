"""How often and how long trials are trained: replicates, confirmation, rungs and stops.

Reads these keywords of a search, and checks that they fit each other, the problem and its space.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xortune.errors import UsageError
from xortune.plain_numbers import brief, whole_number
from xortune.settings import RUNGS, StudySettings
from xortune.space import Choice, SearchSpace, grid_bounds
from xortune.spec import ProblemSpec
from xortune.studies.notations import (
    is_none,
    read_counts,
    read_duration,
    read_epochs,
    read_limit,
    written_counts,
)
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.studies.problems.subject import Kind

# Keywords that a resume may change, and those among them that end a search.
LIMITS = ("stop_at", "plateau", "epoch_budget")
CHANGEABLE = ("confirm", *LIMITS, "mixed")
_SETTINGS = ("replicates", "folds", "aggregate", "pruner", "confirm", *LIMITS)
TRAINING_KEYWORDS = (*_SETTINGS, "rungs", "rung_epochs")
_READ: Mapping[str, Callable[[str, Any], Any]] = {
    "confirm": read_counts,
    "rung_epochs": read_epochs,
    "timeout": lambda name, value: None if is_none(value) else read_duration(name, value),
    **dict.fromkeys(LIMITS, lambda _, value: read_limit(value)),
}
_FACTOR = 3  # between the epochs of neighbouring rungs
_MOST_RUNGS = 20  # Beyond, even 2**31 epochs divided by three again and again are below 1.


def read(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Keywords with those that have a notation of their own as plain values; and faults."""
    values, faults = {}, []
    for name, value in given.items():
        try:
            has_notation = name in _READ and value is not None
            values[name] = _READ[name](name, value) if has_notation else value
        except UsageError as error:
            faults.append(str(error))
    return values, faults


@dataclass(frozen=True)
class Trainings:
    """What a search asks for, and what that has to fit.

    Attributes:
        given: the keywords, with values as `read` returns them.
        kind: of the subject.
        loaded: the search space as its file has it.
        space: the part of it that is searched.
    """

    given: Mapping[str, Any]
    kind: Kind
    loaded: SearchSpace
    space: SearchSpace

    @property
    def replicates(self) -> int:
        """The trainings of a trial: by default one on each fold."""
        return whole_number(self.given.get("replicates", self.given.get("folds"))) or 1

    @property
    def is_pruned(self) -> bool:
        return bool(self.given.get("pruner", "none") != "none")

    @property
    def spec(self) -> ProblemSpec:
        """The study's spec."""
        return self.space.spec.extended(replicated=self.replicates > 1, pruned=self.is_pruned)

    def settings(self) -> dict[str, Any]:
        """The values of `StudySettings`, which has checks of its own."""
        values = {name: self.given[name] for name in _SETTINGS if name in self.given}
        if "folds" in values:
            values.setdefault("replicates", values["folds"])
        return {"confirm": None, **values, "rungs": self._rungs()[0]}

    def faults(self) -> list[str]:
        """The faults that `StudySettings` does not find."""
        return [
            *self._folds_at_fault(),
            *self._seed_at_fault(),
            *self._pruner_at_fault(),
            *self._budget_at_fault(),
            *self._rungs()[1],
        ]

    def notes(self) -> list[str]:
        """Words for the user."""
        name = self.loaded.spec.seed
        if self.replicates == 1 or name is None or name not in self.loaded.parameters:
            return []
        domain = self.loaded.domains[name]
        if not isinstance(domain, Choice):
            return []
        values = ", ".join(map(str, domain.values[:3]))
        more = ", ..." if len(domain.values) > 3 else ""
        return [
            f"{name} {values}{more} of the space is not used: with {option('replicates')} "
            f"{self.replicates} each training of a trial has a {name} of its own."
        ]

    def _folds_at_fault(self) -> list[str]:
        folds = whole_number(self.given.get("folds"))
        if folds is None or folds < 2:
            return []
        return [
            *multiple_of_folds("replicates", self.replicates, self.replicates, folds),
            *confirm_at_fault(self.given.get("confirm"), folds),
        ]

    def _seed_at_fault(self) -> list[str]:
        name = self.loaded.spec.seed
        if self.replicates == 1 or name is None:
            return []
        if {*self.loaded.parameters} == {name}:
            return [
                f"the search space has no parameter but {name}, and with {option('replicates')} "
                f"{self.replicates} each training of a trial has a {name} of its own: there is "
                "nothing to search. Drop the replicates, or name another space."
            ]
        if self.space.domains[name] == self.loaded.domains[name]:
            return []
        return [
            f"{name} is set, but with {option('replicates')} {self.replicates} each training of a "
            f"trial has a {name} of its own. Drop one of the two."
        ]

    def _pruner_at_fault(self) -> list[str]:
        pruner = self.given.get("pruner")
        if not self.is_pruned or not self.kind.is_function:
            return []
        faults = []
        if pruner == "hyperband":
            faults.append(
                f"{option('pruner')} {pruner}: a function reports as it trains, so there are no "
                f"brackets. Use {option('pruner', 'halving')} or {option('pruner', 'median')}."
            )
        if self.replicates > 1:
            name = "replicates" if "replicates" in self.given else "folds"
            faults.append(
                f"{option('pruner')} {pruner}: a function cannot wait for its other replicates at "
                f"a rung. Drop it, or {option(name)} {self.given[name]}."
            )
        return faults

    def _budget_at_fault(self) -> list[str]:
        budget = self.given.get("epoch_budget")
        if budget is None or self.loaded.spec.cost is not None:
            return []
        return [
            f"{option('epoch_budget')} {brief(budget)}: the problem does not say which parameter "
            "is its epochs. Name it: Problem(..., cost='epochs')."
        ]

    def _rungs(self) -> tuple[tuple[int, ...], list[str]]:
        """The epochs of the rungs, and faults."""
        count, epochs = self.given.get("rungs"), self.given.get("rung_epochs")
        if not self.is_pruned:
            named = {"rungs": count, "rung_epochs": epochs}
            return (), [
                f"{option(name)} {_written(value)}: is for a pruner. Add "
                f"{option('pruner', 'halving')}, or leave it out."
                for name, value in named.items()
                if value is not None
            ]
        if count is not None and epochs is not None:
            return (), [
                f"{option('rungs')} {brief(count)} and {option('rung_epochs')} {_written(epochs)}: "
                "give one of the two."
            ]
        if epochs is not None:
            return epochs, self._epochs_at_fault(epochs)
        number = RUNGS if count is None else whole_number(count)
        if number is None or not 1 <= number <= _MOST_RUNGS:
            text = f"must be a whole number from 1 to {_MOST_RUNGS}."
            return (), [f"{option('rungs')} {brief(count)}: {text}"]
        return self._geometric(number)

    def _geometric(self, count: int) -> tuple[tuple[int, ...], list[str]]:
        """The largest epochs of the space divided by 3, by 9, and so on; and faults."""
        largest, pruner = self._largest, self.given.get("pruner")
        if largest is None:
            return (), [
                f"{option('pruner')} {pruner}: the problem does not say which parameter is its "
                f"epochs. Give the epochs of the rungs: {option('rung_epochs', '10,30')}."
            ]
        powers = range(count, 0, -1)
        epochs = sorted({max(1, round(largest / _FACTOR**power)) for power in powers})
        if epochs[0] < largest:
            return tuple(epoch for epoch in epochs if epoch < largest), []
        return (), [
            f"{option('pruner')} {pruner}: {self.space.spec.cost} is at most {largest}, which "
            "leaves no epoch for a rung. Drop it, or train longer."
        ]

    def _epochs_at_fault(self, epochs: tuple[int, ...]) -> list[str]:
        largest = self._largest
        if largest is None or epochs[-1] < largest:
            return []
        return [
            f"{option('rung_epochs')} {_written(epochs)}: {self.space.spec.cost} is at most "
            f"{largest}, and the last rung has to come before that."
        ]

    @property
    def _largest(self) -> float | int | None:
        """The largest value of the cost in the space; None for a problem without a cost."""
        cost = self.space.spec.cost
        if cost is None:
            return None
        domain = self.space.domains[cost]
        if isinstance(domain, Choice):
            return max(value for value in domain.values if not isinstance(value, str))
        return grid_bounds(domain)[1]


def changes_at_fault(settings: StudySettings, changed: Mapping[str, Any]) -> list[str]:
    """The faults of settings that a resume changes: limits only become wider."""
    maximizes = settings.spec.objectives[0].direction == "maximize"
    faults = confirm_at_fault(changed.get("confirm"), settings.folds)
    for name in LIMITS:
        before, after = getattr(settings, name), changed.get(name)
        if after is None or before is None:
            continue
        wider = after <= before if name == "stop_at" and not maximizes else after >= before
        if not wider:
            faults.append(
                f"{option(name)} {after:g}: the study has {before:g}, and a resume takes a wider "
                f"limit, or {option(name, 'none')}."
            )
    if changed.get("epoch_budget") is not None and settings.spec.cost is None:
        faults.append(
            f"{option('epoch_budget')}: the problem does not say which parameter is its epochs."
        )
    return faults


def multiple_of_folds(name: str, given: Any, trainings: int, folds: int | None) -> list[str]:
    """The fault of a setting by which some folds would validate more often than others."""
    if not folds or trainings % folds == 0:
        return []
    return [
        f"{option(name)} {given}: {'' if given == trainings else f'{trainings} seeds '}must be a "
        f"multiple of {option('folds')} {folds}, so that each fold validates equally often."
    ]


def confirm_at_fault(confirm: tuple[int, ...] | None, folds: int | None) -> list[str]:
    """The fault of a confirmation whose seeds are no multiple of the folds."""
    if not confirm:
        return []
    return multiple_of_folds("confirm", written_counts(confirm), confirm[1], folds)


def notes_on_confirmation(settings: StudySettings) -> list[str]:
    """Words for the user where fewer trials are searched than are to be confirmed."""
    if not settings.confirm or settings.confirm[0] <= settings.trials:
        return []
    return [
        f"{option('confirm')} {written_counts(settings.confirm)}: the search has "
        f"{settings.trials} trials, and all of them are confirmed."
    ]


def _written(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else brief(value)
