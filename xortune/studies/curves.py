"""The curves of some trials of a study, read together."""

from __future__ import annotations

from collections.abc import Collection

from xortune.ledger import Ledger
from xortune.studies.study import Study
from xortune.trial import Curve

_FEW = 100  # trials that are read one by one, and not among all


def curves_of(study: Study, numbers: Collection[int]) -> dict[int, Curve]:
    """The curves of trials by number; without points where a trial has not run.

    Raises:
        UsageError: the ledger is damaged.
    """
    with Ledger.read(study.paths) as ledger:
        if len(numbers) <= _FEW:
            return {number: ledger.curve(number) for number in numbers}
        found = ledger.curves({*numbers})
        nothing = Curve((), dict.fromkeys((one.name for one in study.settings.spec.curve), ()))
        return {number: found.get(number, nothing) for number in numbers}
