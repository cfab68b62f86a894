"""The protocol of an engine, which trains packs: its name, promises, pace and trainer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from xortune.settings import Provenance
from xortune.spec import ProblemSpec
from xortune.trial import Lane, Outcome, Params


@dataclass(frozen=True)
class Pace:
    """How fast an engine trains on a device; used for estimates only.

    Attributes:
        cost_per_s: units of the spec's cost (trial-epochs) per second, on one core.
        least_lanes: a pack of fewer lanes takes as long as one of this many.
        slowest_s: seconds for a unit of cost where the loss is measured after every epoch.
        largest: the most lanes that are trained at once.
        worth_lanes: the lanes for which a pack gets a worker of its own; None where half a
            second of training decides.
        measured: the engine cannot tell how fast it is: the search measures its first trials,
            and `cost_per_s` means nothing. `slowest_s` is then the most seconds of a trial.
        prepares_s: the most seconds in which a pack trains nothing, such as those of compiling.
    """

    cost_per_s: float
    least_lanes: int
    slowest_s: float
    largest: int
    worth_lanes: int | None = None
    measured: bool = False
    prepares_s: float = 0.0

    def of_lanes(self, count: int) -> Pace:
        """The pace for trials of so many lanes each."""
        if count == 1:
            return self
        worth = self.worth_lanes
        return replace(
            self,
            cost_per_s=self.cost_per_s / count,
            least_lanes=max(1, self.least_lanes // count),
            largest=max(1, self.largest // count),
            worth_lanes=None if worth is None else max(1, worth // count),
        )


class Trainer(Protocol):
    """An engine opened in one process, on one device."""

    def train(
        self,
        lanes: Sequence[Lane],
        log_every: int | None,
        heartbeat: Callable[[], None] = lambda: None,
        until: int | None = None,
    ) -> list[Outcome]:
        """Trains lanes together, each as if it were alone.

        Args:
            lanes: at least one; each from its start, or from the state in which it paused.
            log_every: epochs between two points of a curve, which also has the last epoch; None
                for so many that a trial has up to 50 points before that.
            heartbeat: called at intervals; an exception that it raises ends the training.
            until: the epoch at which longer lanes pause; None trains to the end.

        Returns:
            The outcomes, in the order of `lanes`: COMPLETE, FAIL where the loss did not stay
            finite, RUNNING where a lane paused, PRUNED where it missed a limit.
        """


class Engine(Protocol):
    """Trains a study's packs. Made by the driver, pickled to workers, opened there.

    Attributes:
        spec: of one training, with the objectives of the study.
        name: recorded; ends in a number, since a change of the code may round differently.
        bits: whether a trial's bits depend on itself (`lane`), or on its `pack`.
        generation: the fewest trials worth proposing together.
        probe: a very short trial, which tells a broken machine from a broken trial.
        reference: a fixed pack, whose bits tell whether machines compute alike; may be empty.
        first_failures: the search ends if this many trials, the first ones, all fail with the
            same error; 0 for never.
        pauses: whether training can pause at any epoch, and continue elsewhere; otherwise a lane
            may end at the epochs of its limits.
    """

    spec: ProblemSpec
    name: str
    bits: Literal["lane", "pack"]
    generation: int
    probe: Params
    reference: tuple[Params, ...]
    first_failures: int
    pauses: bool

    def pace(self, device: str) -> Pace:
        """The expected speed on `cpu` or `cuda`."""

    def libraries(self, device: str) -> tuple[str, ...]:
        """The packages whose versions affect the bits of its results on a device."""

    def open(self, device: str) -> Trainer:
        """Loads the libraries for training.

        Raises:
            UsageError: this machine lacks the device.
            NoEngineError: this machine cannot run the engine.
        """


class EngineChoice(Protocol):
    """Chooses one of the engines that can train a problem.

    Attributes:
        generation: as for every one of them.
        fastest: the pace of a CPU at best.
        training: as for `Provenance`.
    """

    generation: int
    fastest: Pace
    training: str

    @property
    def padding(self) -> tuple[int, int] | None:
        """As for `Provenance`."""

    def keep(self, name: str, provenance: Provenance, *, force: bool) -> None:
        """Takes what a study has recorded of an earlier choice.

        Args:
            name: the study's.
            provenance: the study's; its engine is the one that was wanted.
            force: whether to leave what does not fit as it is here.

        Raises:
            UsageError: this machine cannot give the study's bits.
        """

    def refuse(self) -> None:
        """Raises NoEngineError if no machine has the engine that was asked for."""

    def decide(self, device: str) -> Engine:
        """The engine for a study on `cpu`, `cuda` or `both`.

        Raises:
            NoEngineError: the engine that was asked for is not available.
        """

    def expected(self, device: str) -> Engine:
        """As `decide`, without raising or warning."""


def reference_digest(engine: Engine, trainer: Trainer) -> str:
    """A digest of the outcomes of the engine's reference pack."""
    digest = hashlib.sha256()
    lanes = [Lane(params, number=-1) for params in engine.reference]
    for outcome in trainer.train(lanes, log_every=1) if lanes else ():
        curve = (outcome.curve.epochs, sorted(outcome.curve.series.items()))
        scores = None if outcome.scores is None else outcome.scores.row
        weights = b"" if outcome.weights is None else outcome.weights.content
        digest.update(repr((outcome.state, scores, curve)).encode() + weights)
    return digest.hexdigest()[:32]
