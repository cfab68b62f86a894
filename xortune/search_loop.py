"""The search loop: generations are asked, cut into packs, and told what came of them."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from xortune.errors import XortuneError
from xortune.ledger import Ledger, TrialRow
from xortune.sampling import ask_generation
from xortune.settings import RunOptions, StudySettings
from xortune.space import SearchSpace
from xortune.tensorboard import RunWriter
from xortune.trial import Curve, FinishedTrial, Outcome, Pack, Params, Trial

# On one core an epoch costs the engine the same for 1 lane and for 256; beyond 4,096 its
# buffers leave the cache.
_SMALLEST_PACK = 256
_LARGEST_PACK = 4096


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
        observer: called after every pack.
        heartbeat: for runners to call now and then; raises when the search is to stop.
    """

    def __init__(
        self,
        ledger: Ledger,
        space: SearchSpace,
        settings: StudySettings,
        runs: RunWriter,
        observer: Callable[[Progress], None],
        heartbeat: Callable[[], None],
    ) -> None:
        self.settings = settings
        self.heartbeat = heartbeat
        self._ledger = ledger
        self._space = space
        self._runs = runs
        self._observer = observer
        rows = ledger.trials()
        self._trials = [row.trial for row in rows]
        self._outcomes = {r.trial.number: r.outcome for r in rows if r.outcome is not None}
        self._generation = 0
        self._ready: deque[Pack] = deque()
        self._out: dict[int, Pack] = {}
        self._packs = 0
        self._losses: Counter[int] = Counter()
        self._pack_size: int | None = None
        self._workers = 1
        self._retries = 0
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
        while not self._ready and not self._out and not self.finished:
            self._open_generation()
        if not self._ready:
            return None
        pack = self._ready.popleft()
        self._out[pack.id] = pack
        return pack

    def finish(self, pack: Pack, outcomes: Sequence[Outcome]) -> None:
        """Takes a pack's outcomes, in the order of its trials: durable when it returns."""
        finished = [FinishedTrial(t, o) for t, o in zip(pack.trials, outcomes, strict=True)]
        self._ledger.finish_trials(finished)
        del self._out[pack.id]
        for f in finished:
            self._outcomes[f.trial.number] = replace(f.outcome, curve=Curve((), (), ()))
            self._runs.write(f)
        self._observer(self.progress())

    def lost(self, pack: Pack, reason: str) -> None:
        """Takes back a pack whose worker died: to be trained again, or given up as FAIL."""
        self._losses[pack.id] += 1
        if self._losses[pack.id] <= self._retries:
            del self._out[pack.id]
            self._ready.appendleft(pack)
        else:
            error = f"given up after {self._losses[pack.id]} tries: {reason}"
            self.finish(pack, [Outcome("FAIL", error=error) for _ in pack.trials])

    def progress(self) -> Progress:
        ranked = [
            (o.scores.final_loss(self.settings.metric), self._trials[n].params.epochs, n)
            for n, o in self._outcomes.items()
            if o.scores is not None
        ]
        best = min(ranked, default=None)
        return Progress(
            done=len(self._outcomes),
            total=self.settings.trials,
            failed=len(self._outcomes) - len(ranked),
            best=None if best is None else (best[2], best[0]),
        )

    def _open_generation(self) -> None:
        """Moves on to the next generation that has trials without an outcome."""
        first, last = self._bounds(self._generation)
        if len(self._trials) < last:
            self._ask(first, last)
        waiting = [t for t in self._trials[first:last] if t.number not in self._outcomes]
        size = self._pack_size or _default_pack_size(len(waiting), self._workers)
        for start in range(0, len(waiting), size):
            self._ready.append(Pack(self._packs, tuple(waiting[start : start + size])))
            self._packs += 1
        self._generation += 1

    def _bounds(self, generation: int) -> tuple[int, int]:
        """The numbers of a generation's first trial, and of the one behind its last.

        Generations are places in the study, not batches of a run: a study that is extended
        fills up its last one.
        """
        size = self.settings.generation or self.settings.trials
        first = generation * size
        return first, min(first + size, self.settings.trials)

    def _ask(self, first: int, last: int) -> None:
        """Asks for a whole generation and records what the ledger does not have of it."""
        settings = self.settings
        asked = ask_generation(
            self._space,
            settings.sampler,
            settings.study_seed,
            self._generation,
            last - first,
            [FinishedTrial(t, self._outcomes[t.number]) for t in self._trials[:first]],
            settings.metric,
        )
        known = [trial.params for trial in self._trials[first:last]]
        _check_repeated(known, asked, self._generation)
        new = [
            Trial(number, self._generation, params)
            for number, params in enumerate(asked[len(known) :], start=first + len(known))
        ]
        self._ledger.add_trials(new)
        self._trials.extend(new)

    def _write_missing_runs(self, rows: Sequence[TrialRow]) -> None:
        """A crash can come between the ledger's entry and the run."""
        finished = {row.trial.number: row for row in rows if row.outcome is not None}
        for number in self._runs.missing(finished):
            row = finished[number]
            if row.outcome is not None:
                outcome = replace(row.outcome, curve=self._ledger.curve(number))
                self._runs.write(FinishedTrial(row.trial, outcome))


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

    def run(self, search: Search) -> None:
        """Returns when the search is finished.

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

    def run(self, search: Search) -> None:
        from xortune.engine import train_pack

        settings = search.settings
        search.start(self.workers, self._options.pack_size, self._options.retries)
        while (pack := search.next_pack()) is not None:
            params = [trial.params for trial in pack.trials]
            outcomes = train_pack(
                params, settings.data, settings.log_every, self.device, search.heartbeat
            )
            search.finish(pack, outcomes)


def _default_pack_size(trials: int, workers: int) -> int:
    return min(max(math.ceil(trials / workers), _SMALLEST_PACK), _LARGEST_PACK)


def _check_repeated(known: Sequence[Params], asked: Sequence[Params], generation: int) -> None:
    if list(known) != list(asked[: len(known)]):
        raise XortuneError(
            f"generation {generation} was begun with trials that the sampler does not propose "
            "any more: it was another version of Optuna. Install that one to fill the "
            "generation up, or start a new study."
        )
