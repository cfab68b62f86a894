"""The lanes of a pack, and what their outcomes come to for its trials."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from xortune.engines.engine import Trainer
from xortune.ranking import objective
from xortune.settings import Aggregate
from xortune.spec import (
    PRUNED_EPOCH,
    PRUNED_LOSS,
    REPLICATES,
    SOLVED_SHARE,
    STD,
    Metric,
    ProblemSpec,
)
from xortune.trial import NO_CURVE, Lane, Outcome, Pack, Params, Replicate, Scores, Trial

_NEVER = 2**62  # epochs between two points of a curve


@dataclass(frozen=True)
class Plan:
    """How a study's trials are trained; it travels to workers.

    Attributes:
        spec: the study's.
        single: the engine's, that of one training.
        seeds: of the trainings by their places; those of a trial's own seed are None.
        replicates: the trainings of a trial.
        folds: the parts of the rows that validate in turn; None for no folds.
        aggregate: of the replicates' objectives.
        log_every: as for `Trainer.train`.
    """

    spec: ProblemSpec
    single: ProblemSpec
    seeds: tuple[int | None, ...]
    replicates: int
    folds: int | None
    aggregate: Aggregate
    log_every: int | None

    def train(
        self, trainer: Trainer, pack: Pack, heartbeat: Callable[[], None] = lambda: None
    ) -> list[Outcome]:
        """The outcomes of a pack's trials, in their order."""
        places = [(trial, place) for trial in pack.trials for place in pack.replicates]
        # Replicates that have ended while others wait at a rung are not trained again.
        known = {
            at: lane for at in places if (lane := _earlier(pack, *at)) and lane.state != "RUNNING"
        }
        left = [at for at in places if at not in known] if known else places
        lanes = [self._lane(trial, place, pack) for trial, place in left]
        # Nobody looks at the curves of a confirmation.
        log_every = self.log_every if pack.replicates.start < self.replicates else _NEVER
        trained = trainer.train(lanes, log_every, heartbeat, pack.until)
        if pack.states:
            trained = [_longer(_earlier(pack, *at), one) for at, one in zip(left, trained)]
        found = known | dict(zip(left, trained))
        size = len(pack.replicates)
        every = [found[at] for at in places] if known else trained
        return [
            self._outcome(every[first : first + size], pack.replicates)
            for first in range(0, len(every), size)
        ]

    @property
    def _extends(self) -> bool:
        """Whether trials have more metrics than a training."""
        return self.spec.metric_names != self.single.metric_names

    def joined(self, lanes: Sequence[Outcome]) -> Outcome:
        """What the trainings of a trial come to for it: of all of its replicates."""
        return (
            self._alone(lanes[0])
            if self.replicates == 1
            else self._joined(lanes, range(len(lanes)))
        )

    def _lane(self, trial: Trial, place: int, pack: Pack) -> Lane:
        seed = self.seeds[place] if self.seeds else None
        fold = None if self.folds is None else place % self.folds
        earlier = _earlier(pack, trial, place)
        paused = None if earlier is None else earlier.paused
        params = trial.params if seed is None else self._seeded(trial.params, seed)
        return Lane(params, trial.number, seed, fold, paused, pack.limits)

    def _seeded(self, params: Params, seed: int) -> Params:
        """The parameters of a training: the trial's, with the replicate's seed if they have one."""
        name, names = self.single.seed, self.single.names
        return self.single.params(seed if key == name else params[key] for key in names)

    def _outcome(self, lanes: Sequence[Outcome], places: range) -> Outcome:
        """What the trainings of a trial come to for it."""
        if places.start >= self.replicates:
            return Outcome("COMPLETE", replicates=_replicates(lanes, places))
        return self.joined(lanes)

    def _alone(self, lane: Outcome) -> Outcome:
        if not self._extends or lane.state == "FAIL":
            return lane
        if lane.state == "RUNNING":
            scores = None if lane.scores is None else self._extended(lane.scores)
            return Outcome("RUNNING", scores, lanes=(lane,))
        if lane.state == "PRUNED":
            assert lane.scores is not None
            value = lane.scores[self.spec.objectives[0].metric]
            return replace(lane, scores=pruned_scores(self.spec, lane.curve.epochs[-1], value))
        assert lane.scores is not None
        return replace(lane, scores=self._extended(lane.scores))

    def _extended(self, scores: Mapping[str, float]) -> Scores:
        """The metrics of a training as the study's, with NaN for those that it does not have."""
        return self.spec.scores(scores.get(name, math.nan) for name in self.spec.metric_names)

    def _joined(self, lanes: Sequence[Outcome], places: range) -> Outcome:
        values = [value_of(self.spec, lane.scores) for lane in lanes]
        failed = [lane for lane in lanes if lane.state == "FAIL"]
        running = any(lane.state == "RUNNING" for lane in lanes)
        if failed and math.isinf(
            aggregated(
                [math.inf if lane.state == "FAIL" else 0.0 for lane in lanes], self.aggregate
            )
        ):
            return self._failed(lanes, failed, places)
        scores = self._scores(lanes, values)
        if running:
            return Outcome("RUNNING", scores, lanes=tuple(lanes))
        assert scores is not None
        kept = self._kept(lanes, values)
        return Outcome(
            "COMPLETE",
            scores,
            NO_CURVE if kept is None else kept.curve,
            None if kept is None else kept.weights,
            _seconds(lanes),
            lanes[0].worker,
            replicates=_replicates(lanes, places),
        )

    def _failed(
        self, lanes: Sequence[Outcome], failed: Sequence[Outcome], places: range
    ) -> Outcome:
        error = f"{len(failed)} of {len(lanes)} replicates failed: {failed[0].error}"
        return Outcome(
            "FAIL",
            None,
            failed[0].curve,
            None,
            _seconds(lanes),
            lanes[0].worker,
            error,
            replicates=_replicates(lanes, places),
        )

    def _kept(self, lanes: Sequence[Outcome], values: Sequence[float]) -> Outcome | None:
        """The replicate whose curve and weights are the trial's: the best one.

        With folds, the best one of the first fold, whose preparation the study records.
        """
        places = range(0, len(lanes), self.folds or 1)
        best = min(places, key=lambda place: (values[place], place))
        return lanes[best] if lanes[best].state == "COMPLETE" else None

    def _scores(self, lanes: Sequence[Outcome], values: Sequence[float]) -> Scores | None:
        """The trial's metrics: the objective and the final loss aggregated, the others' means.

        None where the objective is not finite.
        """
        spec, there = self.spec, [lane.scores for lane in lanes if lane.scores is not None]
        value = aggregated(values, self.aggregate)
        if not math.isfinite(value):
            return None
        found = {metric.name: _mean(metric, there) for metric in self.spec.measured}
        first = spec.objectives[0]
        if spec.loss is not None:
            losses = [math.inf if s is None else s[spec.loss] for s in (x.scores for x in lanes)]
            found[spec.loss] = aggregated(losses, self.aggregate)
        found[first.metric] = -value if first.direction == "maximize" else value
        found |= {STD: deviation(values), REPLICATES: float(len(lanes))}
        if spec.solved is not None:
            found[SOLVED_SHARE] = solved(spec, there) / len(lanes)
        return self._extended(found)


def pruned_scores(spec: ProblemSpec, epoch: int, value: float) -> Scores:
    """The metrics of a pruned trial: where it ended, and its objective there."""
    found = {PRUNED_EPOCH: float(epoch), PRUNED_LOSS: value}
    return spec.scores(found.get(name, math.nan) for name in spec.metric_names)


def value_of(spec: ProblemSpec, scores: Scores | None) -> float:
    """The objective of a training, smaller being better; infinite where it failed."""
    return math.inf if scores is None else objective(spec, scores)


def aggregated(values: Sequence[float], how: Aggregate) -> float:
    """The mean, the median or the worst of values of which smaller ones are better."""
    if how == "max":
        return max(values)
    if how == "median":
        return float(statistics.median(values))
    return math.fsum(values) / len(values) if all(map(math.isfinite, values)) else math.inf


def deviation(values: Sequence[float]) -> float:
    """The standard deviation of a sample; NaN where a value is infinite."""
    if not all(map(math.isfinite, values)) or len(values) < 2:
        return math.nan
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))


def solved(spec: ProblemSpec, trainings: Sequence[Scores]) -> int:
    """How many trainings reach the problem's goal."""
    assert spec.solved is not None
    metric = spec.solved.metric
    return sum(spec.reaches(scores[metric]) for scores in trainings)


def mean_of(trainings: Sequence[Scores], name: str) -> float:
    """The mean of the trainings that have a metric; NaN if none has."""
    values = [v for scores in trainings if not math.isnan(v := scores[name])]
    return math.fsum(values) / len(values) if values else math.nan


def _replicates(lanes: Sequence[Outcome], places: range) -> tuple[Replicate, ...]:
    """Those of the lanes that have ended."""
    return tuple(
        Replicate(place, lane.state, lane.scores, lane.duration_s, lane.error)
        for place, lane in zip(places, lanes)
        if lane.state != "RUNNING"
    )


def _earlier(pack: Pack, trial: Trial, place: int) -> Outcome | None:
    """The state of a training at its last rung."""
    states = pack.states.get(trial.number)
    return None if states is None else states[place - pack.replicates.start]


def _longer(earlier: Outcome | None, outcome: Outcome) -> Outcome:
    """The outcome of a training, with the time that it took before it paused."""
    if earlier is None or earlier.duration_s is None or outcome.duration_s is None:
        return outcome
    return replace(outcome, duration_s=earlier.duration_s + outcome.duration_s)


def _seconds(lanes: Sequence[Outcome]) -> float:
    return math.fsum(lane.duration_s or 0 for lane in lanes)


def _mean(metric: Metric, trainings: Sequence[Scores]) -> float:
    """As `mean_of`; a count stays a whole number."""
    mean = mean_of(trainings, metric.name)
    return mean if metric.kind != "count" or math.isnan(mean) else float(round(mean))
