"""The search loop: generations are asked, cut into packs, and told what came of them."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice
from typing import Protocol

from xortune.errors import XortuneError
from xortune.ledger import Ledger, TrialRow
from xortune.loop.clock import Clock
from xortune.loop.packing import LARGEST, cut
from xortune.loop.recovery import Recovery
from xortune.ranking import NO_STANDING, Standing, standing
from xortune.sampling import ask_generation
from xortune.settings import RunOptions, StudySettings
from xortune.space import SearchSpace
from xortune.tensorboard.runs import RunWriter
from xortune.trial import Curve, FinishedTrial, Outcome, Pack, Params, Trial
from xortune.wording import option

# How long runs are written before the runner looks at its workers again.
_MOMENT_S = 0.02
_NO_CURVE = Curve((), (), ())


@dataclass(frozen=True)
class Progress:
    """How far a search is.

    Attributes:
        done: trials with an outcome, those of earlier runs of the study included.
        total: trials of the study.
        failed: those of `done` that are FAIL.
        best: number and final loss of the best trial so far.
    """

    done: int
    total: int
    failed: int
    best: tuple[int, float] | None


class Search:
    """One search as a runner sees it: packs come out, outcomes go in.

    The only writer of the study's ledger and of its TensorBoard runs. Not thread-safe: one
    runner drives it from one thread.

    Args:
        ledger: open for writing; what it holds already is not done again.
        space: the search space.
        settings: those recorded in the ledger.
        runs: writes the TensorBoard runs.
        clock: measures the run.
        observer: called after every pack.
        heartbeat: for runners to call now and then; raises when the search is to stop.
    """

    def __init__(
        self,
        ledger: Ledger,
        space: SearchSpace,
        settings: StudySettings,
        runs: RunWriter,
        clock: Clock,
        observer: Callable[[Progress], None],
        heartbeat: Callable[[], None],
    ) -> None:
        self.settings = settings
        self.heartbeat = heartbeat
        self._ledger = ledger
        self._space = space
        self._runs = runs
        self._clock = clock
        self._observer = observer
        rows = ledger.trials()
        self._trials = [row.trial for row in rows]
        self._outcomes = {r.trial.number: r.outcome for r in rows if r.outcome is not None}
        self._best = min(map(self._standing, self._outcomes), default=NO_STANDING)
        self._failed = sum(outcome.scores is None for outcome in self._outcomes.values())
        self._generation = -1
        self._asked: Iterator[Params] = iter(())
        self._next = self._last = 0
        self._ready: dict[str, deque[Pack]] = {device: deque() for device in self.devices}
        self._out: set[int] = set()
        self._ids = count()
        self._recovery = Recovery(self._ids, retries=0)
        self._pack_size: int | None = None
        self._workers: Mapping[str, int] = {}
        self._unwritten: deque[FinishedTrial] = deque()
        self._write_missing_runs(rows)

    def start(self, workers: Mapping[str, int], pack_size: int | None, retries: int) -> None:
        """Says how packs are to be cut, and handled.

        Args:
            workers: how many packs can be trained at once, by device; it may change later.
            pack_size: the most trials in a pack; None chooses.
            retries: how often a trial that is lost alone in its pack is trained again.
        """
        self._workers = workers
        self._pack_size = pack_size
        self._recovery = Recovery(self._ids, retries)
        self._observer(self.progress())

    @property
    def devices(self) -> tuple[str, ...]:
        """What the study is trained on."""
        device = self.settings.device
        return ("cuda", "cpu") if device == "both" else (device,)

    @property
    def finished(self) -> bool:
        """Whether every trial has an outcome."""
        return len(self._outcomes) >= self.settings.trials

    def next_pack(self, device: str | None = None) -> Pack | None:
        """The next pack to train; None while the others of its generation are out.

        Args:
            device: one of `devices`, by default the first.
        """
        ready = self._ready[device or self.devices[0]]
        while not ready and not self.finished:
            if self._next == self._last:
                if self._out or any(self._ready.values()):
                    return None
                self._open_generation()
            self._cut_portion()
        if not ready:
            return None
        pack = ready.popleft()
        self._out.add(pack.id)
        self._clock.pack_out(pack.id)
        return pack

    def finish(self, pack: Pack, outcomes: Sequence[Outcome]) -> None:
        """Takes a pack's outcomes, in the order of its trials: durable when it returns.

        Their TensorBoard runs are written later, in `spare_time` or `write_runs`. Of a pack
        that counts as lost by now it takes nothing: its trials are others' to train.
        """
        if pack.id not in self._out:
            return
        self._take_back(pack, sum(o.duration_s or 0 for o in outcomes))
        finished = [FinishedTrial(t, o) for t, o in zip(pack.trials, outcomes, strict=True)]
        if self._recovery.is_probe(pack):
            finished = []
        for given_up in self._recovery.trained(pack):
            finished.append(FinishedTrial(given_up.trial, Outcome("FAIL", error=given_up.error)))
        self._record(finished)

    def lost(self, pack: Pack, reason: str, place: str | None = None) -> None:
        """Takes back a pack whose worker is lost: its trials are trained again, or fail.

        Args:
            pack: the pack.
            reason: a few words on what happened.
            place: where, in words of the runner's: see `Pack.avoid`.

        Raises:
            XortuneError: workers are lost whatever they train.
        """
        if pack.id not in self._out:
            return
        self._take_back(pack, 0)
        ready = self._ready[pack.device]
        for instead in self._recovery.lost(pack, reason, place):
            if self._recovery.is_probe(instead):
                ready.appendleft(instead)
            else:
                ready.append(instead)

    def _take_back(self, pack: Pack, trained: float) -> None:
        self._clock.pack_back(pack.id, trained)
        self._out.remove(pack.id)

    def _record(self, finished: Sequence[FinishedTrial]) -> None:
        """Makes outcomes durable, and tells of them."""
        with self._clock.writing():
            self._ledger.finish_trials(finished)
        for f in finished:
            self._outcomes[f.trial.number] = replace(f.outcome, curve=_NO_CURVE, weights=None)
            self._best = min(self._best, self._standing(f.trial.number))
            self._failed += f.outcome.scores is None
        self._unwritten.extend(finished)
        self._observer(self.progress())

    def spare_time(self) -> None:
        """For a runner to call while workers train: writes runs for a moment, asks ahead."""
        if not any(self._ready.values()) and self._next < self._last:
            self._cut_portion()
        self._write_runs(_MOMENT_S)

    def write_runs(self) -> None:
        """Writes the TensorBoard runs of all trials that are finished."""
        self._write_runs(math.inf)

    def progress(self) -> Progress:
        unranked, loss, _, number = self._best
        return Progress(
            done=len(self._outcomes),
            total=self.settings.trials,
            failed=self._failed,
            best=None if unranked else (number, loss),
        )

    def _standing(self, number: int) -> Standing:
        return standing(self._trials[number], self._outcomes[number], self.settings.metric)

    def _open_generation(self) -> None:
        """Moves on to the next generation, and begins to ask for it unless that is done.

        Generations are places in the study, not batches of a run: a study that is extended
        fills up its last one.
        """
        settings = self.settings
        self._generation += 1
        size = settings.generation or settings.trials
        self._next = first = self._generation * size
        self._last = last = min(first + size, settings.trials)
        if len(self._trials) >= last:
            return
        known = [trial.params for trial in self._trials[first:]]
        with self._clock.sampling():
            asked = ask_generation(
                self._space,
                settings.sampler,
                settings.study_seed,
                self._generation,
                last - first,
                [FinishedTrial(t, self._outcomes[t.number]) for t in self._trials[:first]],
                settings.metric,
                known,
                settings.sampler_version,
            )
            self._asked = iter(asked)
            asked_before = list(islice(self._asked, len(known)))
            if not settings.forced:
                _check_repeated(known, asked_before, self._generation)

    def _cut_portion(self) -> None:
        """Cuts the next trials of the generation into packs; records those that are new."""
        first = self._next
        self._next = last = min(first + LARGEST[self.devices[0]], self._last)
        self._ask(last)
        waiting = [t for t in self._trials[first:last] if t.number not in self._outcomes]
        for device, ready in self._ready.items():
            there = [t for t in waiting if self.settings.device_of(t.number) == device]
            workers = self._workers.get(device, 1)
            packs = cut(there, device, self.settings.engine, workers, self._pack_size)
            ready.extend(Pack(next(self._ids), trials, device) for trials in packs)

    def _ask(self, last: int) -> None:
        """Asks for the trials up to a number, and records them."""
        first = len(self._trials)
        if first >= last:
            return
        with self._clock.sampling():
            asked = list(islice(self._asked, last - first))
        if len(asked) < last - first:
            raise XortuneError(_exhausted(len(self._trials) + len(asked)))
        new = [Trial(n, self._generation, params) for n, params in enumerate(asked, start=first)]
        with self._clock.writing():
            self._ledger.add_trials(new)
        self._trials.extend(new)

    def _write_runs(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        with self._clock.writing():
            while self._unwritten and time.monotonic() < until:
                self._runs.write(self._unwritten.popleft())

    def _write_missing_runs(self, rows: Sequence[TrialRow]) -> None:
        """A crash can come between the ledger's entry and the run."""
        finished = {row.trial.number: row for row in rows if row.outcome is not None}
        for number in self._runs.missing(finished):
            row = finished[number]
            if row.outcome is not None:
                outcome = replace(row.outcome, curve=self._ledger.curve(number))
                self._unwritten.append(FinishedTrial(row.trial, outcome))


class Runner(Protocol):
    """Drives a search to its end.

    Attributes:
        device: where packs are trained: `cpu`, `cuda`, or `both`.

    A runner takes packs, gives each back with its outcomes or as lost, in any order, and
    writes nothing itself.
    """

    device: str

    @property
    def workers(self) -> int:
        """How many packs are trained at once."""

    def check(self, engine: str) -> None:
        """Checks that every place where packs may be trained has what an engine needs.

        Raises:
            UsageError: one has not.
        """

    def run(self, search: Search, library: bytes | None) -> None:
        """Returns when the search is finished.

        Args:
            search: the search.
            library: the compiled step for its engine; None for PyTorch's kernels.

        Raises:
            Interrupted: the search was told to stop.
            XortuneError: it cannot go on.
        """


class InlineRunner:
    """Trains every pack in this process: for notebooks, for debugging, and as an oracle."""

    def __init__(self, options: RunOptions) -> None:
        from xortune.engines.devices import usable_device

        self.workers = 1
        self._options = options
        self.device = usable_device(options.device)

    def check(self, engine: str) -> None:
        """The one place is here, and `engine_choice` knows it."""

    def run(self, search: Search, library: bytes | None) -> None:
        from xortune.engines.xor import train_pack
        from xortune.engines.xor.native import load_step

        step = None if library is None else load_step(library)
        settings = search.settings
        search.start({}, self._options.pack_size, self._options.retries)
        while (pack := _any_pack(search)) is not None:
            outcomes = train_pack(
                [trial.params for trial in pack.trials],
                settings.data,
                settings.log_every,
                pack.device,
                step if pack.device == "cpu" else None,
                search.heartbeat,
            )
            search.finish(pack, outcomes)
            search.write_runs()
            if self.outgrown(search, pack):
                return

    def outgrown(self, search: Search, pack: Pack) -> bool:
        """Whether to leave what is left of the search to another runner, after this pack."""
        return False


def _any_pack(search: Search) -> Pack | None:
    """The next pack for whatever device."""
    return next((p for p in map(search.next_pack, search.devices) if p is not None), None)


def _check_repeated(known: Sequence[Params], asked: Sequence[Params], generation: int) -> None:
    if list(known) != list(asked[: len(known)]):
        raise XortuneError(
            f"generation {generation} was begun with trials that the sampler does not propose "
            "any more: it was another version of Optuna. Install that one to fill the "
            f"generation up, or resume it with {option('force', True)}."
        )


def _exhausted(points: int) -> str:
    """The error for settings that were not made here: a total is never above the points."""
    return (
        f"the study asks for more trials than its space has points, and after {points} there are "
        "no more. What is finished is kept; report shows it."
    )
