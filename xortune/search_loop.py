"""The search loop: generations are asked, cut into packs, and told what came of them."""

from __future__ import annotations

import heapq
import math
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

from xortune.errors import XortuneError
from xortune.ledger import Ledger, TrialRow
from xortune.sampling import ask_generation
from xortune.settings import COMPILED, EAGER, RunOptions, StudySettings
from xortune.space import SearchSpace
from xortune.tensorboard import RunWriter
from xortune.times import Clock
from xortune.trial import Curve, FinishedTrial, Outcome, Pack, Params, Trial

_LARGEST_PACK = 4096
# Trial-epochs a second on one core: what a pack is expected to cost.
_PACE = {COMPILED: 1e8, EAGER: 2e7}
# A pack is worth a worker of its own from so many seconds of training on.
_WORTH_S = 0.5
# How long runs are written before the runner looks at its workers again.
_MOMENT_S = 0.02
_UNRANKED = (math.inf, 0, -1)
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
        self._best = min(map(self._ranking, self._outcomes), default=_UNRANKED)
        self._failed = sum(outcome.scores is None for outcome in self._outcomes.values())
        self._generation = -1
        self._asked: Iterator[Params] = iter(())
        self._next = self._last = 0
        self._ready: deque[Pack] = deque()
        self._out: dict[int, Pack] = {}
        self._packs = 0
        self._losses: Counter[int] = Counter()
        self._pack_size: int | None = None
        self._workers = 1
        self._retries = 0
        self._unwritten: deque[FinishedTrial] = deque()
        self._write_missing_runs(rows)

    def start(self, workers: int, pack_size: int | None, retries: int) -> None:
        """Says how packs are to be cut, and handled.

        Args:
            workers: how many packs can be trained at once.
            pack_size: the most trials in a pack; None chooses.
            retries: how often a pack that is lost is handed out again.
        """
        self._workers = workers
        self._pack_size = pack_size
        self._retries = retries
        self._observer(self.progress())

    @property
    def finished(self) -> bool:
        """Whether every trial has an outcome."""
        return len(self._outcomes) >= self.settings.trials

    def next_pack(self) -> Pack | None:
        """The next pack to train; None while the others of its generation are out."""
        while not self._ready and not self.finished:
            if self._next == self._last:
                if self._out:
                    return None
                self._open_generation()
            self._cut_portion()
        if not self._ready:
            return None
        pack = self._ready.popleft()
        self._out[pack.id] = pack
        self._clock.pack_out(pack.id)
        return pack

    def finish(self, pack: Pack, outcomes: Sequence[Outcome]) -> None:
        """Takes a pack's outcomes, in the order of its trials: durable when it returns.

        Their TensorBoard runs are written later, in `spare_time` or `write_runs`.
        """
        self._clock.pack_back(pack.id, sum(o.duration_s or 0 for o in outcomes))
        finished = [FinishedTrial(t, o) for t, o in zip(pack.trials, outcomes, strict=True)]
        with self._clock.writing():
            self._ledger.finish_trials(finished)
        del self._out[pack.id]
        for f in finished:
            self._outcomes[f.trial.number] = replace(f.outcome, curve=_NO_CURVE, weights=None)
            self._best = min(self._best, self._ranking(f.trial.number))
            self._failed += f.outcome.scores is None
        self._unwritten.extend(finished)
        self._observer(self.progress())

    def spare_time(self) -> None:
        """For a runner to call while workers train: writes runs for a moment, asks ahead."""
        if not self._ready and self._next < self._last:
            self._cut_portion()
        self._write_runs(_MOMENT_S)

    def write_runs(self) -> None:
        """Writes the TensorBoard runs of all trials that are finished."""
        self._write_runs(math.inf)

    def lost(self, pack: Pack, reason: str) -> None:
        """Takes back a pack whose worker died: to be trained again, or given up as FAIL."""
        self._losses[pack.id] += 1
        if self._losses[pack.id] <= self._retries:
            self._clock.pack_back(pack.id, 0)
            del self._out[pack.id]
            self._ready.appendleft(pack)
        else:
            error = f"given up after {self._losses[pack.id]} tries: {reason}"
            self.finish(pack, [Outcome("FAIL", error=error) for _ in pack.trials])

    def progress(self) -> Progress:
        loss, _, number = self._best
        return Progress(
            done=len(self._outcomes),
            total=self.settings.trials,
            failed=self._failed,
            best=None if self._best == _UNRANKED else (number, loss),
        )

    def _ranking(self, number: int) -> tuple[float, int, int]:
        """What a trial is ranked by; smaller is better."""
        scores = self._outcomes[number].scores
        if scores is None:
            return _UNRANKED
        return scores.final_loss(self.settings.metric), self._trials[number].params.epochs, number

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
        with self._clock.sampling():
            asked = ask_generation(
                self._space,
                settings.sampler,
                settings.study_seed,
                self._generation,
                last - first,
                [FinishedTrial(t, self._outcomes[t.number]) for t in self._trials[:first]],
                settings.metric,
            )
            self._asked = iter(asked)
            known = [trial.params for trial in self._trials[first:]]
            _check_repeated(known, list(islice(self._asked, len(known))), self._generation)

    def _cut_portion(self) -> None:
        """Cuts the next trials of the generation into packs; records those that are new."""
        first = self._next
        size = min(self._pack_size or _LARGEST_PACK, _LARGEST_PACK)
        self._next = last = min(first + _LARGEST_PACK, self._last)
        self._ask(last)
        waiting = [t for t in self._trials[first:last] if t.number not in self._outcomes]
        count = math.ceil(len(waiting) / size)
        if self._pack_size is None:
            count = max(count, min(self._workers, self._worthwhile(waiting)))
        for trials in _evenly(waiting, count):
            self._ready.append(Pack(self._packs, trials))
            self._packs += 1

    def _worthwhile(self, trials: Sequence[Trial]) -> int:
        """How many packs of these trials would keep a worker busy for a while."""
        epochs = sum(trial.params.epochs for trial in trials)
        pace = _PACE[self.settings.engine]
        return math.ceil(epochs / pace / _WORTH_S)

    def _ask(self, last: int) -> None:
        """Asks for the trials up to a number, and records them."""
        first = len(self._trials)
        if first >= last:
            return
        with self._clock.sampling():
            asked = list(islice(self._asked, last - first))
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
        device: where packs are trained, `cpu` or `cuda`.
        workers: how many packs are trained at once.

    A runner takes packs, gives each back with its outcomes or as lost, in any order, and
    writes nothing itself.
    """

    device: str
    workers: int

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

    workers = 1

    def __init__(self, options: RunOptions) -> None:
        from xortune.engine import usable_device

        self._options = options
        self.device = usable_device(options.device)

    def run(self, search: Search, library: bytes | None) -> None:
        from xortune.engine import train_pack
        from xortune.native import load_step

        step = None if library is None else load_step(library)
        settings = search.settings
        search.start(self.workers, self._options.pack_size, self._options.retries)
        while (pack := search.next_pack()) is not None:
            params = [trial.params for trial in pack.trials]
            outcomes = train_pack(
                params, settings.data, settings.log_every, self.device, step, search.heartbeat
            )
            search.finish(pack, outcomes)
            search.write_runs()


def _evenly(trials: Sequence[Trial], count: int) -> list[tuple[Trial, ...]]:
    """Deals trials into packs of about the same number of epochs, each in number order."""
    packs: list[list[Trial]] = [[] for _ in range(count)]
    room = math.ceil(len(trials) / max(count, 1))
    costs = [(0, place) for place in range(count)]
    for trial in sorted(trials, key=lambda trial: -trial.params.epochs):
        cost, place = heapq.heappop(costs)
        packs[place].append(trial)
        if len(packs[place]) < room:
            heapq.heappush(costs, (cost + trial.params.epochs, place))
    return [tuple(sorted(pack, key=lambda trial: trial.number)) for pack in packs]


def _check_repeated(known: Sequence[Params], asked: Sequence[Params], generation: int) -> None:
    if list(known) != list(asked[: len(known)]):
        raise XortuneError(
            f"generation {generation} was begun with trials that the sampler does not propose "
            "any more: it was another version of Optuna. Install that one to fill the "
            "generation up, or start a new study."
        )
