"""Trains trials of an existing study again: for their weights, or on seeds that it has not used."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xortune.errors import NoEngineError, UsageError, XortuneError
from xortune.plain_numbers import brief, whole_number
from xortune.prints import hidden_prints
from xortune.settings import Provenance, RunOptions, StudySettings
from xortune.studies.problems import kind_of, resumed
from xortune.studies.trainings import multiple_of_folds
from xortune.trial import FinishedTrial, Pack, Replicate, Scores, Trial, Weights
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.engines.engine import Engine

# The seeds by which luck is judged where there was no confirmation: many where they take no time.
_MANY, _FEW = 256, 8
_MOST_SEEDS = 10_000


def weights_again(
    name: str, settings: StudySettings, provenance: Provenance, found: FinishedTrial
) -> Weights:
    """The weights of a trial that the ledger has not kept, to the same bits.

    Raises:
        UsageError: a function has none.
        XortuneError: a table is needed for it, or this machine computes otherwise.
    """
    number = found.trial.number
    kind = kind_of(settings.problem)
    if kind.is_function:
        raise UsageError(
            f"trial {number} of study {name} has no model: a function trained it, and "
            "xortune keeps only what it returned."
        )
    if kind.named_by is not None:
        raise XortuneError(
            f"trial {number}: the ledger keeps the weights of the best trials, and this is not "
            "one of them."
        )
    from xortune.loop.seeds import plan_of

    engine, device = _engine(name, settings, provenance, {}, number)
    pack = Pack(0, (found.trial,), device, replicates=range(settings.replicates))
    (outcome,) = plan_of(settings, engine.spec).train(engine.open(device), pack)
    if engine.name != provenance.engine or not _same(outcome.scores, found.outcome.scores):
        raise XortuneError(
            f"trial {number} has to be trained again, and this machine does not give its recorded "
            f"numbers: it was trained by the engine {provenance.engine}."
        )
    assert outcome.weights is not None
    return outcome.weights


def luck_of(
    name: str,
    settings: StudySettings,
    provenance: Provenance,
    trial: Trial,
    seeds: Any,
    named: Mapping[str, Any],
) -> dict[str, Any]:
    """What trainings of a trial come to on seeds of which the study has used none.

    Args:
        name: the study's.
        settings: its settings.
        provenance: its provenance.
        trial: the trial.
        seeds: how many; None for those of the confirmation, and at least 8.
        named: the data or function, named again, as for a resume.

    Returns:
        The numbers that a confirmation records of a trial.

    Raises:
        UsageError: they are too few or too many, or the data or function is not the study's.
        XortuneError: this machine cannot train them.
    """
    if seeds is None:
        fast = kind_of(settings.problem).named_by is None
        confirmed = _MANY if fast else 0
        seeds = max(settings.confirm[1] if settings.confirm else confirmed, _FEW)
        seeds = math.ceil(seeds / (settings.folds or 1)) * (settings.folds or 1)
    count = whole_number(seeds)
    if count is None or not 2 <= count <= _MOST_SEEDS:
        raise UsageError(
            f"{option('seeds')} {brief(seeds)}: must be a whole number from 2 to {_MOST_SEEDS}."
        )
    if faults := multiple_of_folds("seeds", count, count, settings.folds):
        raise UsageError(faults[0])
    from xortune.loop.confirmation import entry_of
    from xortune.loop.seeds import places_used, plan_of

    engine, device = _engine(name, settings, provenance, named, trial.number)
    first = places_used(settings)
    plan = plan_of(settings, engine.spec, more=count)
    trainer, most = engine.open(device), engine.pace(device).largest
    trainings: list[Replicate] = []
    for start in range(first, first + count, most):
        places = range(start, min(start + most, first + count))
        (outcome,) = plan.train(trainer, Pack(0, (trial,), device, replicates=places))
        trainings += outcome.replicates
    return entry_of(plan, trial.number, trainings)


def _engine(
    name: str,
    settings: StudySettings,
    provenance: Provenance,
    named: Mapping[str, Any],
    number: int,
) -> tuple[Engine, str]:
    """The study's engine, and the device on which a trial was trained."""
    device = settings.device_of(number)
    family = kind_of(settings.problem).family(provenance.engine)
    with hidden_prints(shown=True):  # A report may be on standard output.
        subject = resumed(settings, name, named, force=False, purpose="luck")
    choice = subject.choice(family, settings, RunOptions())
    choice.keep(name, provenance, force=False)
    try:
        return choice.decide(device), device
    except NoEngineError as error:
        raise XortuneError(f"trial {number} has to be trained again: {error}.") from None


def _same(one: Scores | None, other: Scores | None) -> bool:
    """Whether two trials have the same metrics; a missing one is like another."""
    if one is None or other is None:
        return one is other
    pairs = [*zip(one.row, other.row)]
    return len(one) == len(other) and all(a == b or (a != a and b != b) for a, b in pairs)
