"""The vocabulary: trials, what becomes of them, and the packs they travel in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

LossFn = Literal["mse", "bce", "bce_with_logits"]
Metric = Literal["mse", "bce"]
DataName = Literal["xor", "lab"]
State = Literal["COMPLETE", "PRUNED", "FAIL", "RUNNING", "WAITING"]

LOSS_FNS: tuple[LossFn, ...] = get_args(LossFn)
METRICS: tuple[Metric, ...] = get_args(Metric)
DATA_NAMES: tuple[DataName, ...] = get_args(DataName)
STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True)
class Params:
    """One assignment of hyperparameters; the defaults are the lab's own."""

    lr: float = 0.1
    epochs: int = 10_000
    seed: int = 42
    loss_fn: LossFn = "mse"


@dataclass(frozen=True)
class Trial:
    """A trial that was asked for: its number in the study, from 0, and its generation."""

    number: int
    generation: int
    params: Params


@dataclass(frozen=True)
class Curve:
    """The trial's own loss against the epoch; the loss at epoch e follows e updates.

    Three tuples of one length, epochs ascending, from epoch 0 to the last.
    """

    epochs: tuple[int, ...]
    training: tuple[float, ...]
    validation: tuple[float, ...]


@dataclass(frozen=True)
class Scores:
    """How good a trained model is.

    Attributes:
        train_loss: the trial's own loss function on the training data.
        mse: mean squared error on the validation data.
        bce: binary cross-entropy on the validation data, in nats.
        accuracy: share of the validation rows on the right side of 0.5.
    """

    train_loss: float
    mse: float
    bce: float
    accuracy: float

    def final_loss(self, metric: Metric) -> float:
        """The study's yardstick."""
        return self.mse if metric == "mse" else self.bce


@dataclass(frozen=True)
class Outcome:
    """What became of one trial.

    Attributes:
        state: COMPLETE or FAIL.
        scores: None when the trial failed.
        curve: empty when the trial never ran.
        weights: the nine trained numbers, in the order of `XOR(2, 1).state_dict()`;
            None when the trial failed.
        duration_s: the trial's share of its pack's training time, by epochs, in seconds.
        worker: where it was trained, `host:pid`.
        error: why it failed.
    """

    state: State
    scores: Scores | None = None
    curve: Curve = Curve((), (), ())
    weights: tuple[float, ...] | None = None
    duration_s: float | None = None
    worker: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class FinishedTrial:
    """A trial with its outcome."""

    trial: Trial
    outcome: Outcome


@dataclass(frozen=True)
class Pack:
    """Trials of one generation that one worker trains together.

    Attributes:
        id: never given out twice: a pack that is trained again is another pack.
        trials: in number order.
        device: where they are trained, `cpu` or `cuda`.
        tries: how often just these trials were lost with their worker before.
        avoid: the places where that was, by the runner's names for them.
    """

    id: int
    trials: tuple[Trial, ...]
    device: str = "cpu"
    tries: int = 0
    avoid: frozenset[str] = frozenset()
