"""The search loop: asks for generations, cuts them into packs, and records the outcomes."""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from xortune.engines.engine import Engine, Pace
from xortune.errors import HopelessError, without_values
from xortune.ledger import Ledger
from xortune.loop.best_weights import BestWeights
from xortune.loop.clock import Clock
from xortune.loop.confirmation import Confirmation
from xortune.loop.generations import Generations
from xortune.loop.packing import cut
from xortune.loop.recovery import Recovery
from xortune.loop.run_queue import RunQueue
from xortune.loop.rungs import Limits, Rungs
from xortune.loop.seeds import plan_of
from xortune.loop.speed import Speed
from xortune.loop.stops import Stop, stop_before, timed_out
from xortune.ranking import NO_STANDING, Standing, standing
from xortune.settings import Provenance
from xortune.trial import FinishedTrial, Outcome, Pack, Replicate
from xortune.wording import option

_log = logging.getLogger("xortune")
_REPORTED = 5  # losses of workers


@dataclass(frozen=True)
class Progress:
    """The progress of a search.

    Attributes:
        done: trials with an outcome, including those of earlier runs of the study.
        total: trials of the study.
        failed: those of `done` that are FAIL.
        best: the number and the objective of the best trial so far.
        confirming: whether the best trials are being trained on further seeds.
    """

    done: int
    total: int
    failed: int
    best: tuple[int, float] | None
    confirming: bool = False


class Search:
    """One search as a runner sees it: packs come out, outcomes go in.

    The only writer of the study's ledger. Not thread-safe: one runner drives it from one thread.

    Args:
        ledger: open for writing; its finished trials are not trained again.
        engine: the study's.
        runs: takes finished trials, first those whose runs are missing.
        clock: measures the run.
        observer: called after every pack.
        heartbeat: for runners to call at intervals; raises when the search is to stop.
        is_late: whether the time of this run is over; the packs that are out are its last then.
    """

    def __init__(
        self,
        ledger: Ledger,
        engine: Engine,
        runs: RunQueue,
        clock: Clock,
        observer: Callable[[Progress], None],
        heartbeat: Callable[[], None],
        is_late: Callable[[], bool] = lambda: False,
    ) -> None:
        self.settings = ledger.settings()
        self.engine = engine
        self.runs = runs
        self.heartbeat = heartbeat
        self.cost = self.settings.spec.cost_of
        self.plan = plan_of(self.settings, engine.spec)
        self.speed = Speed()
        self._ledger = ledger
        self._provenance = ledger.provenance()
        self._clock = clock
        self._observer = observer
        self._table = table = ledger.trials()
        runs.add_missing(ledger, table)
        self._is_late = is_late
        self._generations = Generations(ledger, table, clock)
        self._rungs = Rungs(self.settings, table, ledger, self.plan)
        self._limits: Limits | None = None
        if self.settings.rungs and not engine.pauses:
            self._limits = Limits(self.settings, table, ledger)
        self._confirmation = Confirmation(self.settings, table, ledger, self.plan)
        self.stopped: Stop | None = None
        self._begun = False
        self._weights = BestWeights(map(self._standing, ledger.weighted()))
        done = [number for number in range(len(table)) if table.is_finished(number)]
        self._failed = sum(self._has_failed(number) for number in done)
        self._best = min(map(self._standing, done), default=NO_STANDING)
        self._ready: dict[str, deque[Pack]] = {device: deque() for device in self.devices}
        self._out: set[int] = set()
        self._losses = 0
        self._ids = count()
        self._recovery = Recovery(self._ids, engine.probe, retries=0)
        self._pack_size: int | None = None
        self._workers: Mapping[str, int] = {}
        # The errors of the first trials, as far as they failed in this run.
        self._first_errors: dict[int, str | None] = {}

    def start(self, workers: Mapping[str, int], pack_size: int | None, retries: int) -> None:
        """Sets how packs are cut and retried.

        Args:
            workers: how many packs can be trained at once, by device; the mapping may change.
            pack_size: the most trials in a pack; None chooses.
            retries: how often a trial that is lost alone in its pack is trained again.
        """
        self._workers = workers
        self._pack_size = pack_size
        self._recovery = Recovery(self._ids, self.engine.probe, retries)
        self._observer(self.progress())

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices of the study, `cuda` first."""
        device = self.settings.device
        return ("cuda", "cpu") if device == "both" else (device,)

    @property
    def finished(self) -> bool:
        """Whether nothing is left to train: a confirmation follows the last trial."""
        if self._late:
            return not self._out
        return self._trials_over and self._confirmation.over

    @property
    def _trials_over(self) -> bool:
        return self._table.finished >= self.settings.trials or self.stopped is not None

    @property
    def _late(self) -> bool:
        return self.stopped is not None and self.stopped.by == "timeout"

    def admits(self, device: str, reference: str) -> bool:
        """Whether a worker computes the same bits as the study's first one on that device.

        Compares the digests of the engine's reference pack; the first is recorded. A study whose
        processors may be mixed, or that was resumed by force, admits all, and records them.
        """
        provenance = self._provenance
        first, others = provenance.reference, provenance.other_references
        if device not in first:
            self._keep(replace(provenance, reference={**first, device: reference}))
            return True
        known = others.get(device, ())
        if reference == first[device]:
            return True
        if not (self.settings.mixed or provenance.forced):
            return False
        if reference not in known:
            _log.warning(
                "a processor rounds differently from the study's first one, and trains all the "
                "same: bits differ between kinds of CPU. The study records it."
            )
            others = {**others, device: (*known, reference)}
            self._keep(replace(provenance, other_references=others))
        return True

    def _keep(self, provenance: Provenance) -> None:
        self._provenance = provenance
        with self._clock.writing():
            self._ledger.record(self.settings, provenance)

    def next_pack(self, device: str | None = None) -> Pack | None:
        """The next pack to train on a device, by default the first of `devices`.

        None while others of its generation are out.
        """
        ready = self._ready[device or self.devices[0]]
        self._look_at_the_time()
        while not ready and not self.finished and not self._late:
            if self._generations.handed_out:
                if self._out or any(self._ready.values()):
                    return None
                self._go_on()
            else:
                self._cut_portion()
        if not ready:
            return None
        pack = self._with_states(ready.popleft())
        self._begun = True
        self._out.add(pack.id)
        self._clock.pack_out(pack.id)
        return pack

    def finish(self, pack: Pack, outcomes: Sequence[Outcome]) -> None:
        """Records a pack's outcomes, in the order of its trials; durable when it returns.

        Outcomes of a pack already counted as lost are ignored: its trials have been reassigned.

        Raises:
            HopelessError: the first trials of the study all failed alike.
        """
        if pack.id not in self._out:
            return
        seconds = [_trained_s(outcome) for outcome in outcomes]
        self._take_back(pack, sum(seconds))
        finished = [FinishedTrial(t, o) for t, o in zip(pack.trials, outcomes, strict=True)]
        if self._recovery.is_probe(pack):
            finished = []
        elif self.engine.pace(pack.device).measured and not self._confirms(pack):
            size = len(pack.replicates)
            self.speed.note([size * self.cost(trial.params) for trial in pack.trials], seconds)
        given_up = [self._failed_alone(*lost) for lost in self._recovery.trained(pack)]
        if self._confirms(pack) and finished:
            self._confirmed(finished)
            finished = []
        if given_up and self._table.is_finished(given_up[0].trial.number):
            self._confirmed(given_up)
            given_up = []
        paused = {f.trial.number: f.outcome for f in finished if f.outcome.state == "RUNNING"}
        finished = [f for f in finished if f.trial.number not in paused]
        self._record([*finished, *given_up], paused)
        self._check_first(finished)

    def lost(self, pack: Pack, reason: str, place: str | None = None) -> None:
        """Takes back a pack whose worker is lost: its trials are trained again, or fail.

        Args:
            pack: the pack.
            reason: the cause, in a few words.
            place: the node, in the runner's own naming: see `Pack.avoid`.

        Raises:
            XortuneError: every worker is lost, whatever it trains.
        """
        if pack.id not in self._out:
            return
        self._take_back(pack, 0)
        self._losses += 1
        if self._losses <= _REPORTED and not self._recovery.is_probe(pack):
            count = len(pack.trials)
            trials, they = ("1 trial", "It is") if count == 1 else (f"{count} trials", "They are")
            last = " Further losses are not reported." if self._losses == _REPORTED else ""
            _log.info(f"a worker was lost with {trials}: {reason}. {they} trained again.{last}")
        ready = self._ready[pack.device]
        for instead in self._recovery.lost(pack, reason, place):
            if self._recovery.is_probe(instead):
                ready.appendleft(instead)
            else:
                ready.append(instead)

    def spare_time(self) -> None:
        """For a runner to call while workers train: asks ahead, and writes runs for a moment."""
        if not any(self._ready.values()) and not self._generations.handed_out and not self._late:
            self._cut_portion()
        self.runs.write_some()

    def progress(self) -> Progress:
        unranked, value, _, _, number = self._best
        if self.settings.spec.objectives[0].direction == "maximize":
            value = -value
        return Progress(
            done=self._table.finished,
            total=self.settings.trials,
            failed=self._failed,
            best=None if unranked else (number, value),
            confirming=self._trials_over and not self._late and not self._confirmation.over,
        )

    def conclude(self) -> None:
        """Records what the search comes to: why it ended early, and its confirmation."""
        found = dict(self._ledger.findings())
        before = dict(found)
        found.pop("stopped", None)
        if self._late:
            self.stopped = timed_out(self._table.finished)  # The last packs have come since.
        if self.stopped is not None:
            found["stopped"] = self.stopped.finding()
        if self._limits is not None and self._limits.unreached:
            name = self.settings.spec.objectives[0].metric
            _log.warning(
                f"no trial could be pruned: none reported {name} at epoch "
                f"{self.settings.rungs[0]} or later."
            )
        if not self._late and (confirmed := self._confirmation.finding()) is not None:
            found["confirmation"] = confirmed
        if found != before:
            with self._clock.writing():
                self._ledger.record(self.settings, self._provenance, found)

    def _failed_alone(self, pack: Pack, error: str) -> FinishedTrial:
        """The trial of a pack that is given up; in a confirmation only those trainings fail."""
        replicates = tuple(Replicate(place, "FAIL", error=error) for place in pack.replicates)
        several = self._confirms(pack) or self.settings.replicates > 1
        return FinishedTrial(
            pack.trials[0], Outcome("FAIL", error=error, replicates=replicates if several else ())
        )

    def _confirmed(self, trained: Sequence[FinishedTrial]) -> None:
        """Records trainings of a confirmation."""
        numbers = [f.trial.number for f in trained]
        with self._clock.writing():
            self._confirmation.note(numbers, [f.outcome for f in trained])
        self._observer(self.progress())

    def _take_back(self, pack: Pack, trained: float) -> None:
        self._clock.pack_back(pack.id, trained)
        self._out.remove(pack.id)

    def _record(
        self, finished: Sequence[FinishedTrial], paused: Mapping[int, Outcome] | None = None
    ) -> None:
        """Makes outcomes durable, then tells the observer."""
        paused = paused or {}
        if not finished and not paused:
            return
        standings = [self._standing_of(f) for f in finished]
        kept, forgotten = self._weights.choose(finished, standings)
        with self._clock.writing():
            states = {number: outcome.lanes for number, outcome in paused.items()}
            self._ledger.finish_trials(kept, forgotten, states)
        for number, outcome in paused.items():
            self._rungs.pause(number, outcome)
        for f in finished:
            self._table.finish(f.trial.number, f.outcome)
            self._failed += f.outcome.state == "FAIL"
            if self._limits is not None:
                self._limits.note(f)
        self._best = min([self._best, *standings])
        self.runs.add(finished)
        self._observer(self.progress())

    def _check_first(self, finished: Sequence[FinishedTrial]) -> None:
        """Ends a search of which nothing can be expected."""
        most, errors = self.engine.first_failures, self._first_errors
        if len(errors) == most:
            return
        errors |= {f.trial.number: f.outcome.error for f in finished if f.trial.number < most}
        if len(errors) < most or None in errors.values():
            return
        texts = [error for _, error in sorted(errors.items()) if error is not None]
        if len({*map(without_values, texts)}) == 1:
            raise HopelessError(
                f"the first {most} trials failed alike: {texts[0]}. Correct this, then search "
                f"again under another name, or resume with {option('force', True)}; these trials "
                "stay as they are."
            )

    def _look_at_the_time(self) -> None:
        # A run that comes late to its first pack trains that: else no resume would get further.
        if self._begun and not self._late and not self.finished and self._is_late():
            self.stopped = timed_out(self._table.finished)
            for ready in self._ready.values():
                ready.clear()

    def _go_on(self) -> None:
        """Cuts what comes after all packs are back: a rung, a generation, or the confirmation."""
        if pruned := self._rungs.decided():
            self._record(pruned)
        onward, until = self._rungs.onward()
        if onward:
            self._cut(onward, until=until)
        elif not self._trials_over:
            self._open()
        elif (need := self._confirmation.need()) is not None:
            self._cut(need.trials, need.places)

    def _open(self) -> None:
        """Opens the next generation, unless the search ends before it."""
        following = self._generations.following
        if len(self._table) <= following.start:
            self.stopped = stop_before(self.settings, self._table, following.start)
            if self.stopped is not None:
                return
        self._generations.open()
        if self.settings.rungs and self.engine.pauses:
            self._rungs.begin(self._generations.numbers)
        if self._limits is not None:
            self._limits.begin(following.start)

    def _cut_portion(self) -> None:
        """Cuts the next trials of the generation into packs; records those that are new."""
        pace = self._pace(self.devices[0])
        at_once = sum(self._workers.values()) if pace.measured else 1
        pace = pace.of_lanes(self._relative(self.settings.replicates))
        portion = self._generations.portion(pace.largest * max(at_once, 1))
        first = self._rungs.first if self.engine.pauses else None
        self._cut(self._rungs.unbegun(portion), until=first)

    def _cut(
        self, numbers: Iterable[int], places: range | None = None, until: int | None = None
    ) -> None:
        """Cuts trials into packs that are ready to be handed out.

        Args:
            numbers: the trials.
            places: of the trainings of each; None for those of the search.
            until: the epoch of the rung at which they pause.
        """
        places = range(self.settings.replicates) if places is None else places
        confirms = places.start >= self.settings.replicates
        limits = () if self._limits is None or confirms else self._limits.current
        table, device_of = self._table, self.settings.device_of
        waiting = [table.trial(number) for number in numbers]
        for device, ready in self._ready.items():
            there = [trial for trial in waiting if device_of(trial.number) == device]
            workers = self._workers.get(device, 1)
            pace = self._pace(device).of_lanes(self._relative(len(places)))
            for trials in cut(there, self.cost, pace, workers, self._pack_size):
                pack = Pack(next(self._ids), trials, device)
                if places != pack.replicates or until is not None or limits:
                    pack = replace(pack, replicates=places, until=until, limits=limits)
                ready.append(pack)

    def _relative(self, lanes: int) -> int:
        """So many lanes for the pace, which is of trials where it was measured."""
        if not self.engine.pace(self.devices[0]).measured:
            return lanes
        return math.ceil(lanes / self.settings.replicates)

    def _with_states(self, pack: Pack) -> Pack:
        """The pack with the states of trials that continue from a rung."""
        if not self._rungs.first or pack.states or self._confirms(pack):
            return pack
        states = self._ledger.paused([trial.number for trial in pack.trials])
        return replace(pack, states=states) if states else pack

    def _confirms(self, pack: Pack) -> bool:
        return pack.replicates.start >= self.settings.replicates

    def _pace(self, device: str) -> Pace:
        return self.speed.pace(self.engine.pace(device), self._pack_size)

    def _standing(self, number: int) -> Standing:
        table = self._table
        return standing(table.spec, table.trial(number), table.scores(number))

    def _has_failed(self, number: int) -> bool:
        if self._table.is_complete(number):
            return False
        outcome = self._table.outcome(number)
        return outcome is not None and outcome.state == "FAIL"

    def _standing_of(self, finished: FinishedTrial) -> Standing:
        scores = finished.outcome.scores if finished.outcome.state == "COMPLETE" else None
        return standing(self.settings.spec, finished.trial, scores)


def _trained_s(outcome: Outcome) -> float:
    """The seconds of an outcome's training; in a confirmation its trainings have theirs alone."""
    if outcome.duration_s is not None:
        return outcome.duration_s
    return math.fsum(replicate.duration_s or 0 for replicate in outcome.replicates)
