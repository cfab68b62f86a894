"""What an engine is to the rest: a name, what it promises, its pace, and how it is opened."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from xortune.trial import Outcome, Params, Paused


@dataclass(frozen=True)
class Pace:
    """How fast an engine trains on a device, for estimates alone.

    Attributes:
        cost_per_s: trial-epochs a second, or whatever the spec's cost counts, on one core.
        least_lanes: a pack of fewer takes as long as one of this many.
        slowest_s: seconds for one unit of cost where every one is looked at by itself.
        worth_lanes: the lanes from which a pack is worth a worker of its own; None where half a
            second of training is.
        largest: the most lanes that are trained at once.
    """

    cost_per_s: float
    least_lanes: int
    slowest_s: float
    largest: int
    worth_lanes: int | None = None


class Trainer(Protocol):
    """An engine that is opened in one process, on one device."""

    def train(
        self,
        params: Sequence[Params],
        log_every: int,
        heartbeat: Callable[[], None] = lambda: None,
        until: int | None = None,
        paused: Sequence[Paused | None] = (),
    ) -> list[Outcome]:
        """Trains trials together, each as if it were alone.

        Args:
            params: one entry a trial, at least one.
            log_every: epochs between two points of a curve, which also has the last epoch.
            heartbeat: called now and then; what it raises ends the training.
            until: the epoch at which trials that are longer pause; None trains to the end.
            paused: from where each trial continues; None, or an empty sequence, from the start.

        Returns:
            One outcome a trial, in the order of `params`: COMPLETE, FAIL for those whose loss
            did not stay finite, and RUNNING for those that paused.
        """


class Engine(Protocol):
    """What trains a study's packs. Made by the driver, sent to workers, opened there.

    Attributes:
        name: recorded; has a number, since a change of the code may round differently.
        bits: what a trial's bits depend on: on itself (`lane`), or on its whole `pack`.
        generation: the fewest trials that are worth proposing together.
        probe: a trial that is trained in no time, which tells a broken machine from a broken
            trial.
        reference: a fixed pack, which shows by its bits whether a machine computes as others.
    """

    name: str
    bits: Literal["lane", "pack"]
    generation: int
    probe: Params
    reference: tuple[Params, ...]

    def pace(self, device: str) -> Pace:
        """How fast it is expected to train on `cpu` or `cuda`."""

    def libraries(self, device: str) -> tuple[str, ...]:
        """The packages whose version decides the bits of what it trains on a device."""

    def open(self, device: str) -> Trainer:
        """Loads what training needs.

        Raises:
            UsageError: this machine lacks the device.
            NoEngineError: this machine cannot run the engine.
        """


def reference_digest(engine: Engine, trainer: Trainer) -> str:
    """A digest of the bits that the engine's reference pack has where it was opened."""
    digest = hashlib.sha256()
    for outcome in trainer.train(engine.reference, log_every=1):
        curve = (outcome.curve.epochs, sorted(outcome.curve.series.items()))
        scores = None if outcome.scores is None else outcome.scores.row
        weights = b"" if outcome.weights is None else outcome.weights.content
        digest.update(repr((outcome.state, scores, curve)).encode() + weights)
    return digest.hexdigest()[:32]
