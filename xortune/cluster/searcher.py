"""What Tune is given to do, and what becomes of it: packs go out, outcomes come in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ray
from ray import cloudpickle
from ray.exceptions import RayActorError
from ray.tune import Callback, Stopper
from ray.tune.experiment import Trial as TuneTrial
from ray.tune.search import Searcher

from xortune.cluster.places import Places
from xortune.cluster.trainable import DeviceError
from xortune.errors import NoEngineError, XortuneError
from xortune.packing import patience
from xortune.search_loop import Search
from xortune.trial import Pack

# A worker that has no pack to train, or is still importing PyTorch, is to answer within this.
_ANSWER_S = 120.0
# A pack that finds no worker for so long is in want of one that idles.
_WAIT_S = 1.0


class _Driver:
    """Tune pickles what it is given, to start again from: here the ledger does that."""

    def __reduce__(self) -> tuple[Any, ...]:
        return object, ()


@dataclass(frozen=True)
class _Out:
    """A pack that is out.

    Attributes:
        pack: the pack.
        avoid: the nodes on which it must not be trained.
        since: when it was handed out, by `time.monotonic`.
    """

    pack: Pack
    avoid: frozenset[str]
    since: float


@dataclass
class _Crew:
    """The Tune trials of one device.

    Attributes:
        packs: those with a pack, by id.
        idle: those without.
        again: packs to hand out anew, since no worker was to be had for them.
        most: how many packs were out at once so far.
    """

    packs: dict[str, _Out] = field(default_factory=dict)
    idle: set[str] = field(default_factory=set)
    again: list[Pack] = field(default_factory=list)
    most: int = 0

    @property
    def ids(self) -> set[str]:
        return self.packs.keys() | self.idle

    @property
    def size(self) -> int:
        return len(self.packs) + len(self.idle)


@dataclass
class _Watched:
    """A Tune trial at work on an actor.

    Attributes:
        trial: the trial.
        actor: its actor.
        since: when it was last heard of, by `time.monotonic`.
    """

    trial: TuneTrial
    actor: Any
    since: float


class PackSearcher(_Driver, Searcher):  # type: ignore[misc]
    """Hands out the packs of a search, one Tune trial each, to a number of workers.

    It has no state worth saving: the truth is in the ledger.

    Args:
        search: the search.
        slots: how many workers there can be now, by device.
        pack_timeout: seconds after which a pack's worker counts as hung; None derives it.

    Attributes:
        failure: what the search itself raised. Tune would hide it in an error of its own.
    """

    def __init__(
        self, search: Search, slots: Callable[[], Mapping[str, int]], pack_timeout: float | None
    ) -> None:
        super().__init__()
        self.search = search
        self.failure: Exception | None = None
        self._slots = slots
        self._pack_timeout = pack_timeout
        self._how = {"data": search.settings.data, "log_every": search.settings.log_every}
        self._crews = {device: _Crew() for device in search.devices}
        self._watched: dict[str, _Watched] = {}
        self._places = Places()
        self._place_of: dict[Any, str] = {}

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        if self.search.finished or self.failure is not None:
            return str(Searcher.FINISHED)
        slots = self._slots()
        config = None
        with self.noting_failure():
            for device, crew in self._crews.items():
                config = config or self._suggest(trial_id, device, crew, slots[device])
        return str(Searcher.FINISHED) if self.failure is not None else config

    def _suggest(
        self, trial_id: str, device: str, crew: _Crew, slots: int
    ) -> dict[str, Any] | None:
        """A configuration for a worker of one device; None if there is nothing for it now."""
        crew.most = min(crew.most, slots)
        if len(crew.packs) >= slots:
            return None
        pack = crew.again.pop() if crew.again else self.search.next_pack(device)
        avoid = self._places.to_avoid(pack.avoid if pack else ())
        if pack is not None:
            crew.packs[trial_id] = _Out(pack, avoid, time.monotonic())
            crew.most = max(crew.most, len(crew.packs))
        elif crew.size < crew.most:
            crew.idle.add(trial_id)
        else:
            return None
        return {**self._how, "pack": pack, "device": device, "avoid": sorted(avoid)}

    @contextmanager
    def noting_failure(self) -> Iterator[None]:
        """Keeps what the search raises, for `SearchStopper` to end Tune's loop."""
        try:
            yield
        except Exception as error:
            self.failure = error

    def heard_of(self, trial: TuneTrial, result: Mapping[str, Any]) -> None:
        """Notes that a Tune trial was started, on which worker, or that it has answered."""
        actor = trial.temporary_state.ray_actor
        if actor is None:
            return
        self._watched[trial.trial_id] = _Watched(trial, actor, time.monotonic())
        if "place" in result:
            self._place_of[actor._actor_id] = result["place"]

    def look_for_workers(self, trials: Sequence[TuneTrial]) -> None:
        """Notes the Tune trials that were given a worker, which may hang before they start."""
        unseen = {trial_id for crew in self._crews.values() for trial_id in crew.ids}
        unseen -= self._watched.keys()
        for trial in reversed(trials):
            if not unseen:
                break
            if trial.trial_id in unseen:
                unseen.remove(trial.trial_id)
                self.heard_of(trial, {})

    def finish(self, trial: TuneTrial, outcomes: Any) -> None:
        """Brings a pack's outcomes to the search."""
        pack, place = self._release(trial)
        if pack is not None:
            self._places.trained(place)
            self.search.finish(pack, outcomes)

    def lose(self, trial: TuneTrial, reason: str) -> None:
        """Tells the search that a worker is lost; nothing if its pack was told of already."""
        pack, place = self._release(trial)
        if pack is not None:
            self._places.lost(place)
            self.search.lost(pack, reason, place)

    def look_after_packs(self) -> None:
        """Ends workers that hang, and hands out anew what can be trained nowhere any more."""
        now = time.monotonic()
        for crew in self._crews.values():
            for trial_id, out in list(crew.packs.items()):
                if self._waits(trial_id, out) and self._places.none_but(out.avoid):
                    crew.again.append(crew.packs.pop(trial_id).pack)
        for watched in list(self._watched.values()):
            limit = self._limit(watched)
            if now - watched.since > limit:
                # Forgets the worker at once; its process is ended by its node when it can be.
                ray.kill(watched.actor)
                self.lose(watched.trial, f"no answer in {limit:.3g} s")

    def wants_back(self, trial_id: str) -> bool:
        """Whether a Tune trial is idle, and a pack is waiting for its worker."""
        for crew in self._crews.values():
            if trial_id in crew.idle:
                crowded = crew.size > crew.most or self.search.finished
                return crowded or any(self._waits(*item) for item in crew.packs.items())
        return False

    def _waits(self, trial_id: str, out: _Out) -> bool:
        """Whether a pack has found no worker for a while."""
        return trial_id not in self._watched and time.monotonic() - out.since > _WAIT_S

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        self._watched.pop(trial_id, None)
        for crew in self._crews.values():
            crew.idle.discard(trial_id)

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Outcomes are taken by `OutcomeCallback`."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore."""

    def _release(self, trial: TuneTrial) -> tuple[Pack | None, str | None]:
        """The pack of a Tune trial, once, None for an idle one; and where it was."""
        watched = self._watched.pop(trial.trial_id, None)
        place = self._place_of.get(watched.actor._actor_id) if watched else None
        outs = [crew.packs.pop(trial.trial_id, None) for crew in self._crews.values()]
        return next((out.pack for out in outs if out is not None), None), place

    def _limit(self, watched: _Watched) -> float:
        config = watched.trial.config
        pack = config["pack"]
        if pack is None or watched.actor._actor_id not in self._place_of:
            return _ANSWER_S
        return self._pack_timeout or patience(pack, self.search.settings.engine)


class OutcomeCallback(_Driver, Callback):  # type: ignore[misc]
    """Brings outcomes, and the reason where there are none, to the search.

    Lost packs are the search's to hand out again. Tune's own retries pass over an actor that
    dies between two trials: it fails the trial that was to reuse it.
    """

    def __init__(self, searcher: PackSearcher) -> None:
        self._searcher = searcher

    def on_step_begin(self, iteration: int, trials: list[TuneTrial], **info: Any) -> None:
        self._searcher.look_for_workers(trials)

    def on_trial_start(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any
    ) -> None:
        self._searcher.heard_of(trial, {})

    def on_trial_result(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, result: Any, **info: Any
    ) -> None:
        # Taken out, so that Tune does not keep it.
        outcomes = result.pop("outcomes", None)
        with self._searcher.noting_failure():
            if outcomes is None:
                self._searcher.heard_of(trial, result)
            else:
                self._searcher.finish(trial, outcomes)

    def on_trial_error(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any
    ) -> None:
        with self._searcher.noting_failure():
            _check_place(trial)
            self._searcher.lose(trial, _last_words(trial))


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
            self._searcher.look_after_packs()
            self._searcher.search.spare_time()
        over = self._searcher.failure is not None or self._searcher.search.finished
        if self._at_once and over:
            raise SearchOver
        return over


class SearchOver(BaseException):
    """Leaves Tune's loop. Not an Exception, which Tune would clean up after."""


def _check_place(trial: TuneTrial) -> None:
    """Ends the search where a worker cannot have what the study needs: no retry would help."""
    cause = getattr(_error(trial), "cause", None)
    if isinstance(cause, NoEngineError):
        raise XortuneError(
            f"a worker on {trial.node_ip} is no place for the compiled engine: {cause}. Search "
            "on workers like this machine, or with --engine eager."
        )
    if isinstance(cause, DeviceError):
        raise XortuneError(
            f"a worker on {trial.node_ip} has no GPU, though its node declares one: PyTorch "
            "finds none there. Correct the node's --num-gpus, or search with --device cpu."
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
