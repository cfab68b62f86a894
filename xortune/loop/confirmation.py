"""Confirmation: the best trials are trained again, on seeds that the search has not used.

The lowest loss of many trials is partly luck of the seed. The mean over fresh seeds is not, and it
says which assignment to use. The candidates are the best trials that lie apart: a sampler crowds
into the corner where luck was, and twenty neighbours are one candidate. They race as in successive
halving (Jamieson and Talwalkar 2016): all train on the first seeds, and the better half goes on.
The winner and the first in rank are then judged on seeds that the race has not used; the better of
these two is recommended.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from xortune.engines.engine import Pace
from xortune.ledger import Ledger
from xortune.loop.lanes import Plan, aggregated, deviation, mean_of, solved, value_of
from xortune.ranking import standing
from xortune.settings import StudySettings
from xortune.space import Choice, Range, SearchSpace, load_space
from xortune.trial import Outcome, Params, Replicate
from xortune.trial_table import TrialTable

MOST_TRIALS, MOST_SEEDS = 32, 256
# A confirmation may take this share of the search's training, or so many seconds of one core.
_SHARE, _FREE_S = 1 / 5, 0.35
# The first heat has this part of the seeds, but on fewer than so many it would be decided by luck.
_FIRST, _LEAST = 8, 16
_FEWEST = 3  # seeds that a confirmation is worth
# Trials are apart if some range has more than this part of itself between them.
_APART = 0.1


class Heat(NamedTuple):
    """One round of the race: so many candidates, with as many seeds as there are by its end."""

    trials: int
    seeds: int


class Need(NamedTuple):
    """Trainings that are to be made: of these trials, at these places."""

    trials: list[int]
    places: range


def heats(trials: int, seeds: int, folds: int | None) -> list[Heat]:
    """The rounds of a race of so many trials, of which the last ones get all the seeds."""
    unit = folds or 1
    rounds, count = [], math.ceil(max(seeds / _FIRST, _LEAST) / unit) * unit
    while count < seeds and trials > 1:
        rounds.append(Heat(trials, count))
        trials, count = math.ceil(trials / 2), 2 * count
    return [*rounds, Heat(trials, seeds)]


def trainings(trials: int, seeds: int) -> int:
    """How many trainings a race takes, with those that judge its winner."""
    total, done = judges(trials) * seeds, 0
    for heat in heats(trials, seeds, None):
        total += heat.trials * (heat.seeds - done)
        done = heat.seeds
    return total


def judges(trials: int) -> int:
    """How many trials are judged, on seeds that the race has not used.

    The winner of a race, and the first in rank, which stays the one to use unless it is worse.
    """
    return 2 if trials > 1 else 0


def counts_for(settings: StudySettings, space: SearchSpace, pace: Pace) -> tuple[int, ...]:
    """The default numbers of candidates and seeds, from the estimated work of the search.

    At most 32 and 256, as far as a fifth of the search's training, or 0.35 s of one core, allows.
    None, an empty tuple, where the engine does not know its speed, or nothing is worth it.
    """
    if pace.measured:
        return ()
    name = space.spec.cost
    values: Sequence[Any] = [1.0]
    if name is not None:
        domain = space.domains[name]
        values = domain.values if isinstance(domain, Choice) else (domain.low, domain.high)
    longest_s = float(max(values)) / pace.cost_per_s
    search_s = settings.trials * settings.replicates * longest_s
    room = int(max(search_s * _SHARE, _FREE_S) / longest_s)
    unit = settings.folds or 1
    trials, seeds = min(MOST_TRIALS, settings.trials), MOST_SEEDS // unit * unit
    while trainings(trials, seeds) > room and seeds >= 2 * _LEAST:
        seeds = max(seeds // 2 // unit, 1) * unit
    if trainings(trials, seeds) > room:
        trials = max(1, min(trials, math.isqrt(room)))
        while trials > 1 and _seeds_in(room, trials, unit) < max(_FEWEST, unit):
            trials -= 1
        seeds = min(seeds, _seeds_in(room, trials, unit))
    return (trials, seeds) if seeds >= max(_FEWEST, unit) else ()


def _seeds_in(room: int, trials: int, unit: int) -> int:
    """The seeds for so many trials that so many trainings allow, a multiple of `unit`."""
    return room // (trials + judges(trials)) // unit * unit


class Confirmation:
    """The confirmation of one study; a function of its trials, whatever was recorded before."""

    def __init__(
        self, settings: StudySettings, table: TrialTable, ledger: Ledger, plan: Plan
    ) -> None:
        self._settings = settings
        self._wanted = settings.confirm
        self._table = table
        self._plan = plan
        self._folds = settings.folds
        self._first = settings.replicates
        self._ledger = ledger
        self._rows: dict[int, dict[int, Replicate]] | None = None
        self._ranked: list[int] | None = None
        # The next trainings, until there are more of them; False if not worked out yet.
        self._next: Need | Literal[False] | None = False
        self._run: list[tuple[Heat, list[int]]] | None = None

    @property
    def over(self) -> bool:
        """Whether nothing is left to train."""
        return self.need() is None

    def need(self) -> Need | None:
        """The next trainings, once the search's trials are finished; None after the last."""
        if not self._wanted:
            return None
        if self._next is False:
            self._next = self._lacking()
        return self._next

    def _lacking(self) -> Need | None:
        done = 0
        for heat, candidates in self._race():
            places = range(self._first + done, self._first + heat.seeds)
            if (need := self._missing(candidates, places)) is not None:
                return need
            done = heat.seeds
        return self._missing(self._judged(), self._judging)

    def _missing(self, numbers: Sequence[int], places: range) -> Need | None:
        """The first trainings that trials lack, with all trials that lack the same ones.

        A confirmation of other counts may have made some of them.
        """
        runs = {n: run for n in numbers if (run := self._first_run(n, places))}
        if not runs:
            return None
        first = next(iter(runs.values()))
        return Need([n for n, run in runs.items() if run == first], first)

    def _first_run(self, number: int, places: range) -> range:
        """The first places in a row that a trial lacks."""
        rows = self._known().get(number, {})
        lacking = [place for place in places if place not in rows]
        if not lacking:
            return range(0)
        end = next(p for p in range(lacking[0], places.stop + 1) if p in rows or p == places.stop)
        return range(lacking[0], end)

    def _judged(self) -> list[int]:
        """The winner, and the first in rank."""
        assert self._wanted
        winner, first = self._winner(), self._candidates(self._wanted[0])[:1]
        if winner is None:
            return []
        return [winner] if [winner] == first else [winner, *first]

    @property
    def _judging(self) -> range:
        """The places of the trainings that judge the winner: as many as it had in the race."""
        assert self._wanted
        first = self._first + self._wanted[1]
        return range(first, first + self._wanted[1])

    def _winner(self) -> int | None:
        """The winner of a race that is over; None if it fails, or had no competitor."""
        race = self._race()
        if not race or len(race[0][1]) == 1:
            return None
        heat, candidates = race[-1]
        best = min(candidates, key=lambda n: self._mean(n, heat.seeds))
        return best if math.isfinite(self._mean(best, heat.seeds)[0]) else None

    def note(self, trials: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        """Records trainings that were made."""
        rows = [(n, one) for n, outcome in zip(trials, outcomes) for one in outcome.replicates]
        self._ledger.add_replicates(rows)
        for number, one in rows:
            self._known().setdefault(number, {})[one.place] = one
        self._next, self._run = False, None

    def finding(self) -> dict[str, Any] | None:
        """What the confirmation says, as it is recorded; None without one."""
        if not self._wanted:
            return None
        entries: dict[int, dict[str, Any]] = {}
        standing_of: dict[int, tuple[Any, ...]] = {}
        for place, (heat, candidates) in enumerate(self._race()):
            for number in candidates:
                rows = self._trainings(number, heat.seeds)
                entries[number] = entry_of(self._plan, number, rows)
                standing_of[number] = (-place, *self._mean(number, heat.seeds))
        if not entries:
            return None
        ranked = sorted(entries, key=standing_of.__getitem__)
        winner, judged = self._winner(), {}
        for number in self._judged() if winner is not None else ():
            rows = [self._known()[number][place] for place in self._judging]
            entries[number] = entry_of(self._plan, number, rows)
            judged[number] = self._values_of(rows)
        if judged:
            best = min(judged, key=lambda n: aggregated(judged[n], self._plan.aggregate))
            ranked.remove(best)
            ranked.insert(0, best)
            winner = best if entries[best]["value"] is not None else None
        if winner is None and len(ranked) == 1 and entries[ranked[0]]["value"] is not None:
            winner = ranked[0]
        return {
            "wanted": [*self._wanted],
            "of": len(entries),
            "seeds": self._wanted[1],
            "aggregate": self._plan.aggregate,
            "trials": [entries[number] for number in ranked],
            "recommended": winner,
        }

    def _race(self) -> list[tuple[Heat, list[int]]]:
        """The heats that can be decided so far, each with its candidates, the best first."""
        if self._run is None:
            self._run = self._raced()
        return self._run

    def _raced(self) -> list[tuple[Heat, list[int]]]:
        assert self._wanted
        race: list[tuple[Heat, list[int]]] = []
        candidates = self._candidates(self._wanted[0])
        done = 0
        for heat in heats(len(candidates), self._wanted[1], self._folds) if candidates else ():
            if race:
                candidates = sorted(candidates, key=lambda n: self._mean(n, done))[: heat.trials]
            race.append((heat, candidates))
            places = range(self._first, self._first + heat.seeds)
            if not all(self._has(n, places) for n in candidates):
                break
            done = heat.seeds
        return race

    def _candidates(self, count: int) -> list[int]:
        """The best trials that are apart from all better ones of them; then the others, if few."""
        if self._ranked is None:
            table = self._table
            standings = (
                standing(table.spec, table.trial(n), table.scores(n)) for n in range(len(table))
            )
            space = load_space(self._settings.space, self._settings.spec)
            apart: list[tuple[int, Params]] = []
            others: list[int] = []
            for *_, number in sorted(found for found in standings if not found[0]):
                params = table.params(number)
                if all(are_apart(space, params, other) for _, other in apart):
                    apart.append((number, params))
                elif len(others) < count:
                    others.append(number)
                if len(apart) == count:
                    break
            numbers = [number for number, _ in apart]
            self._ranked = [*numbers, *others[: count - len(numbers)]]
        return self._ranked

    def _mean(self, number: int, seeds: int) -> tuple[float, float, int]:
        """The key by which candidates are compared: the aggregate, then the mean, and number."""
        values = self._values(number, seeds)
        return aggregated(values, self._plan.aggregate), aggregated(values, "mean"), number

    def _values(self, number: int, seeds: int) -> list[float]:
        return self._values_of(self._trainings(number, seeds))

    def _values_of(self, rows: Sequence[Replicate]) -> list[float]:
        return [value_of(self._plan.spec, one.scores) for one in rows]

    def _trainings(self, number: int, seeds: int) -> list[Replicate]:
        rows = self._known()[number]
        return [rows[place] for place in range(self._first, self._first + seeds)]

    def _has(self, number: int, places: range) -> bool:
        rows = self._known().get(number, {})
        return all(place in rows for place in places)

    def _known(self) -> dict[int, dict[int, Replicate]]:
        if self._rows is None:
            every = self._ledger.all_replicates(self._first)
            self._rows = {n: {one.place: one for one in found} for n, found in every.items()}
        return self._rows


def entry_of(plan: Plan, number: int, trainings: Sequence[Replicate]) -> dict[str, Any]:
    """What trainings of a trial come to, as a confirmation records it; None for infinite values."""
    spec = plan.spec
    there = [s for one in trainings if (s := one.scores) is not None]
    values = [value_of(spec, one.scores) for one in trainings]
    sign = -1 if spec.objectives[0].direction == "maximize" else 1
    finite = sorted(sign * v for v in values if math.isfinite(v))
    return {
        "number": number,
        "seeds": len(trainings),
        "value": _finite(sign * aggregated(values, plan.aggregate)),
        "std": _finite(deviation(values)),
        "median": _finite(sign * aggregated(values, "median")),
        "low": finite[0] if finite else None,
        "high": finite[-1] if finite else None,
        "failed": len(values) - len(there),
        "solved": None if spec.solved is None else solved(spec, there),
        "metrics": {m.name: _finite(mean_of(there, m.name)) for m in spec.measured},
    }


def are_apart(space: SearchSpace, one: Params, other: Params) -> bool:
    """Whether two assignments differ in a choice, or in a range by more than a part of it."""
    for parameter in space.spec.parameters:
        name = parameter.name
        domain, pair = space.domains[name], (one[name], other[name])
        if isinstance(domain, Choice):
            if pair[0] != pair[1] and parameter.modelled:
                return True
        elif parameter.modelled and None not in pair:
            low, high, *values = map(_scale(domain), (domain.low, domain.high, *pair))
            if abs(values[0] - values[1]) > _APART * (high - low):
                return True
    return False


def _scale(domain: Range) -> Callable[[Any], float]:
    """The scale on which a range is drawn evenly."""
    return math.log if domain.log else float


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
