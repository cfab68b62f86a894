"""The seeds of replicates and of confirmations, and the plan that they belong to."""

from __future__ import annotations

from xortune.loop.lanes import Plan
from xortune.sampling.permutation import Permutation
from xortune.settings import StudySettings
from xortune.space import Choice, Domain, count_values, load_space
from xortune.spec import ProblemSpec

_SEEDS = 2**32  # PyTorch's CPU generator uses the low 32 bits of a seed.


def places_used(settings: StudySettings) -> int:
    """How many trainings a search and its confirmation can make of a trial."""
    return settings.replicates + (2 * settings.confirm[1] if settings.confirm else 0)


def plan_of(settings: StudySettings, single: ProblemSpec, more: int = 0) -> Plan:
    """The plan of a study; `single` is the spec of one training, the engine's.

    It has so many more seeds than a search and its confirmation use.
    """
    places = places_used(settings) + more
    seeds: tuple[int | None, ...] = ()
    if places > 1:
        seeds = replicate_seeds(settings, single, places)
    return Plan(
        settings.spec,
        single,
        seeds,
        settings.replicates,
        settings.folds,
        settings.aggregate,
        settings.log_every,
    )


def replicate_seeds(
    settings: StudySettings, single: ProblemSpec, count: int
) -> tuple[int | None, ...]:
    """The seeds of a trial's trainings by place, each once; the same for every trial of a study.

    Trials that are compared on the same seeds differ by less luck. Where each trial has a seed of
    its own, that one, None here, has place 0, and the others are none of the search space's.
    """
    order = Permutation(_SEEDS, f"{settings.study_seed}/replicates")
    if settings.replicates > 1:
        return tuple(order[place] for place in range(count))
    domain = None
    if single.seed is not None:
        domain = load_space(settings.space, settings.spec).domains[single.seed]
    seeds: list[int | None] = [None]
    place = 0
    while len(seeds) < count:
        if not _holds(domain, order[place]):
            seeds.append(order[place])
        place += 1
    return tuple(seeds)


def _holds(domain: Domain | None, seed: int) -> bool:
    """Whether a search may draw a seed; of more than half of all seeds none is avoided."""
    if domain is None or (count_values(domain) or _SEEDS) > _SEEDS // 2:
        return False
    return (
        seed in domain.values if isinstance(domain, Choice) else domain.low <= seed <= domain.high
    )
