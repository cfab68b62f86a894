"""What Tune is given to do, and what becomes of it: packs go out, outcomes come in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ray import cloudpickle
from ray.exceptions import RayActorError
from ray.tune import Callback, Stopper
from ray.tune.experiment import Trial as TuneTrial
from ray.tune.search import Searcher

from xortune.errors import NoEngineError, XortuneError
from xortune.search_loop import Search
from xortune.trial import Pack


class _Driver:
    """Tune pickles what it is given, to start again from: here the ledger does that."""

    def __reduce__(self) -> tuple[Any, ...]:
        return object, ()


class PackSearcher(_Driver, Searcher):  # type: ignore[misc]
    """Hands out the packs of a search, one Tune trial each, to a number of workers.

    It has no state worth saving: the truth is in the ledger.

    Attributes:
        failure: what the search itself raised. Tune would hide it in an error of its own.
    """

    def __init__(self, search: Search, workers: int, device: str) -> None:
        super().__init__()
        self.search = search
        self.failure: Exception | None = None
        self._workers = workers
        self._config = {
            "data": search.settings.data,
            "log_every": search.settings.log_every,
            "device": device,
        }
        self._packs: dict[str, Pack] = {}
        self._idle: set[str] = set()
        self._most_at_once = 0

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        if self.search.finished or self.failure is not None:
            return str(Searcher.FINISHED)
        if len(self._packs) >= self._workers:
            return None
        pack = None
        with self.noting_failure():
            pack = self.search.next_pack()
        if self.failure is not None:
            return str(Searcher.FINISHED)
        if pack is not None:
            self._packs[trial_id] = pack
            self._most_at_once = max(self._most_at_once, len(self._packs))
        elif len(self._packs) + len(self._idle) < self._most_at_once:
            self._idle.add(trial_id)
        else:
            return None
        return {**self._config, "pack": pack}

    @contextmanager
    def noting_failure(self) -> Iterator[None]:
        """Keeps what the search raises, for `SearchStopper` to end Tune's loop."""
        try:
            yield
        except Exception as error:
            self.failure = error

    def release(self, trial_id: str) -> Pack | None:
        """The pack of a Tune trial, once; None for an idle one."""
        return self._packs.pop(trial_id, None)

    def wants_back(self, trial_id: str) -> bool:
        """Whether a Tune trial is idle, and a pack is waiting for its worker."""
        crowded = len(self._packs) + len(self._idle) > self._most_at_once
        return trial_id in self._idle and (crowded or self.search.finished)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        self._idle.discard(trial_id)

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Outcomes are taken by `OutcomeCallback`."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore."""


class OutcomeCallback(_Driver, Callback):  # type: ignore[misc]
    """Brings outcomes, and the reason where there are none, to the search.

    Lost packs are the search's to hand out again. Tune's own retries pass over an actor that
    dies between two trials: it fails the trial that was to reuse it.
    """

    def __init__(self, searcher: PackSearcher) -> None:
        self._searcher = searcher

    def on_trial_result(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, result: Any, **info: Any
    ) -> None:
        # Taken out, so that Tune does not keep it.
        outcomes = result.pop("outcomes", None)
        pack = self._searcher.release(trial.trial_id) if outcomes is not None else None
        if pack is not None:
            with self._searcher.noting_failure():
                self._searcher.search.finish(pack, outcomes)

    def on_trial_error(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any
    ) -> None:
        pack = self._searcher.release(trial.trial_id)
        if pack is not None:
            with self._searcher.noting_failure():
                _check_engine(trial)
                self._searcher.search.lost(pack, _last_words(trial))


class SearchStopper(_Driver, Stopper):  # type: ignore[misc]
    """Called by Tune between any two events: where a search is stopped.

    Args:
        searcher: the searcher.
        at_once: raise SearchOver at the end, instead of letting Tune wait five seconds for
            its actors: for a cluster that is shut down right afterwards.
    """

    def __init__(self, searcher: PackSearcher, at_once: bool) -> None:
        self._searcher = searcher
        self._at_once = at_once

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return self._searcher.wants_back(trial_id)

    def stop_all(self) -> bool:
        self._searcher.search.heartbeat()
        with self._searcher.noting_failure():
            self._searcher.search.spare_time()
        failed = self._searcher.failure is not None
        if self._at_once and (failed or self._searcher.search.finished):
            raise SearchOver
        return failed


class SearchOver(BaseException):
    """Leaves Tune's loop. Not an Exception, which Tune would clean up after."""


def _check_engine(trial: TuneTrial) -> None:
    """Ends the search where a worker cannot have the study's engine: no retry would help."""
    cause = getattr(_error(trial), "cause", None)
    if isinstance(cause, NoEngineError):
        raise XortuneError(
            f"a worker on {trial.node_ip} is no place for the compiled engine: {cause}. Search "
            "on workers like this machine, or with --engine eager."
        )


def _last_words(trial: TuneTrial) -> str:
    error = _error(trial)
    if error is None or isinstance(error, RayActorError):
        return "its worker died"
    return str(error).strip().splitlines()[-1].strip()


def _error(trial: TuneTrial) -> Exception | None:
    """What the trial raised, which Tune has just written to a file of this process."""
    file = trial.pickled_error_file
    if file is None or not Path(file).exists():
        return None
    error: Exception = cloudpickle.loads(Path(file).read_bytes())
    return error
