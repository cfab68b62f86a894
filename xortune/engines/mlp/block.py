"""A block: up to sixteen lanes that train together, in memory that C takes."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xortune.engines.mlp.lane import Progress, State
from xortune.engines.mlp.native.library import LANES, WORDS, Call, CFunctions, Run, address
from xortune.engines.mlp.shapes import around, scratch_bytes, scratch_bytes_alone, shape_of
from xortune.problems.table.rows import TASKS, Fold
from xortune.problems.table.spec import ACTIVATIONS, OPTIMIZERS, SCHEDULES
from xortune.trial import Paused

# Multiplications with additions of a lane between two heartbeats: a tenth of a second.
_BEAT = 2e8
# The numbers by which C knows losses; those of `METRICS` and of `LOSS_FNS`.
LOSSES = {"mse": 0, "mae": 1, "huber": 2}
_LOG_LOSS = 3
_PAGE = 4096
# Epochs that are trained without a heartbeat, at most.
_MOST_EPOCHS = 1000


class Block:
    """Lanes of one batch size and one table, each as if it were alone.

    Attributes:
        shape: of the widest and deepest.
        steps: the batches of an epoch.

    Args:
        params: of the lanes.
        fold: their rows.
        loss: the name of the final loss.
        functions: those of C.
        lanes: the most that it has room for: LANES, or 1 for a lane alone.
    """

    def __init__(
        self,
        params: Sequence[dict[str, Any]],
        fold: Fold,
        loss: str,
        functions: CFunctions,
        lanes: int = LANES,
    ) -> None:
        outputs, inputs = fold.target.outputs, fold.training.x.shape[1]
        self._functions = functions
        self._fold = fold
        self._shapes = [shape_of(inputs, outputs, p["width"], p["depth"]) for p in params]
        self.shape = around(self._shapes)
        self._places = {s: s.places_in(self.shape) for s in {*self._shapes}}
        rows = len(fold.training.x)
        self._batch = min(params[0]["batch_size"], rows)
        self.steps = -(-rows // self._batch)
        self._room = lanes
        numbers = (self.shape.numbers, lanes)
        self._numbers = {n: zeros(numbers) for n in ("weights", "first", "second", "best")}
        self._lanes = lane_arrays(params)
        self._kinds = np.full(LANES, LOSSES.get(loss, _LOG_LOSS), np.int32)
        self._order = np.zeros((LANES, rows), np.int32)
        self._words = np.zeros((LANES, WORDS), np.uint32)
        scratch = scratch_bytes if lanes > 1 else scratch_bytes_alone
        self._memory = aligned(scratch(self.shape) + _PAGE)
        self._data = [(as_floats(rows.x), as_floats(rows.y)) for rows in fold[:2]]
        self._losses = np.zeros(LANES)
        own, kinds, call = self._lanes["loss"], self._kinds, self._described()
        self._training = self._for(call, 0, "weights", own)
        self._own = {name: self._for(call, 0, name, own) for name in ("weights", "best")}
        self._final = {name: self._for(call, 1, name, kinds) for name in ("weights", "best")}
        self._best, self._best_epoch = np.full(LANES, np.inf), np.zeros(LANES, np.int32)
        self._run = self._described_run()

    def state_of(self, place: int, params: dict[str, Any], paused: Paused | None) -> State:
        """The state of a lane: its initial one, or that in which it paused.

        Raises:
            XortuneError: the state is not that of such a lane.
        """
        shape = self._shapes[place]
        if paused is not None:
            return State.resumed(paused, params, shape)
        seed = int(self._lanes["seed"][place])
        return State.fresh(self._functions.draw(seed, shape.counts, shape.bounds))

    def state(self, place: int, progress: Progress) -> State:
        """The state of a lane now."""
        names = ("weights", "best", "first", "second")
        weights, best, first, second = (self.numbers(place, name) for name in names)
        return State(weights, best, first, second, progress)

    def put(self, place: int, state: State) -> None:
        """Begins to train a lane."""
        places, progress = self._places[self._shapes[place]], state.progress
        for name, array in self._numbers.items():
            array[places, place] = getattr(state, name)
        self._lanes["mask"][place] = -1
        self._lanes["epoch"][place] = progress.epoch
        self._best[place], self._best_epoch[place] = progress.best, progress.best_epoch
        seed, rows = int(self._lanes["seed"][place]), self._order.shape[1]
        self._functions.seed(self._words[place], seed, rows, progress.epoch)

    def update(self, place: int, progress: Progress, losses: Sequence[float]) -> None:
        """Takes what a lane has come to, with the losses of its latest epoch."""
        progress.epoch = int(self._lanes["epoch"][place])
        progress.training, progress.validation = losses
        progress.best = float(self._best[place])
        progress.best_epoch = int(self._best_epoch[place])

    def numbers(self, place: int, name: str) -> NDArray[np.float32]:
        """The weights of a lane, `best` or `weights`, or what its optimizer remembers."""
        numbers: NDArray[np.float32]
        numbers = self._numbers[name][self._places[self._shapes[place]], place]
        return numbers

    def rest(self, place: int) -> None:
        """Ends the training of a lane; its numbers are zeros from now on."""
        self._lanes["mask"][place] = 0
        for array in self._numbers.values():
            array[:, place] = 0

    def advance(self, count: int, heartbeat: Callable[[], None]) -> NDArray[np.float64]:
        """Trains up to `count` epochs, to the first in which a lane fails or has waited too long.

        The weights of the best epoch are kept.

        Returns:
            The mean of each lane's batch losses, NaN if one is not finite, and the final loss:
            `(epochs, 2, LANES)`.
        """
        multiplied = self.shape.numbers * (3 * self._order.shape[1] + self._final["weights"].rows)
        if multiplied > _BEAT:
            return self._long_epoch(heartbeat)
        heartbeat()
        count = max(1, min(count, int(_BEAT / multiplied), _MOST_EPOCHS))
        losses = np.empty((count, 2, LANES))
        self._training.begin, self._training.end = 0, self.steps
        final = self._final["weights"]
        final.begin, final.end = 0, final.rows
        self._run.losses = address(losses)
        return losses[: self._functions.epochs(self._run, count)]

    def _long_epoch(self, heartbeat: Callable[[], None]) -> NDArray[np.float64]:
        """One epoch, with heartbeats; as `advance`."""
        call = self._training
        self._functions.permute(self._words, self._lanes["mask"], self._order)
        self._losses.fill(0)
        each = max(1, int(_BEAT / (3 * self._batch * self.shape.numbers)))
        for begin in range(0, self.steps, each):
            heartbeat()
            call.begin, call.end = begin, min(begin + each, self.steps)
            self._functions.train(call)
        losses = np.empty((1, 2, LANES))
        losses[0, 0] = self._losses
        losses[0, 1] = self._summed(self._final["weights"], heartbeat)
        self._functions.judge(self._run, losses[0, 0], losses[0, 1])
        return losses

    def own_losses(self, heartbeat: Callable[[], None], name: str = "weights") -> list[float]:
        """Each lane's own loss on all training rows, of its weights or its best."""
        return self._measured(self._own[name], heartbeat)

    def validated(self, heartbeat: Callable[[], None]) -> list[float]:
        """The final loss on the validation rows."""
        return self._measured(self._final["weights"], heartbeat)

    def outputs(self, heartbeat: Callable[[], None]) -> tuple[list[float], NDArray[np.float32]]:
        """The final loss of the best weights, and their outputs: `(rows, outputs, LANES)`."""
        call = self._final["best"]
        outputs = np.empty((call.rows, self.shape.outputs, self._room), np.float32)
        call.point({"outputs": outputs})
        return self._measured(call, heartbeat), outputs

    def _measured(self, call: Call, heartbeat: Callable[[], None]) -> list[float]:
        with np.errstate(all="ignore"):
            means: list[float] = (self._summed(call, heartbeat) / call.rows).tolist()
        return means

    def _summed(self, call: Call, heartbeat: Callable[[], None]) -> NDArray[np.float64]:
        """The sums of the losses of all rows."""
        self._losses.fill(0)
        each = max(1, int(_BEAT / self.shape.numbers))
        for begin in range(0, call.rows, each):
            heartbeat()
            call.begin, call.end = begin, min(begin + each, call.rows)
            self._functions.measure(call)
        return self._losses

    def _described(self) -> Call:
        """What C needs of the block for whatever it does."""
        call, lanes = Call(), self._lanes
        call.point({name: lanes[name] for name in lanes if name != "patience"})
        call.point({name: self._numbers[name] for name in ("first", "second")})
        call.point({"order": self._order, "memory": self._memory, "losses": self._losses})
        call.batch = self._batch
        call.inputs, call.outputs_count = self.shape.inputs, self.shape.outputs
        call.widest, call.deepest = self.shape.width, self.shape.depth
        call.task = TASKS.index(self._fold.target.task)
        call.dropout = int(lanes["least"].any())
        call.lanes = self._room
        return call

    def _for(self, call: Call, part: int, weights: str, loss: NDArray[np.int32]) -> Call:
        """The same for the training rows or the others, and some weights."""
        copy = Call.from_buffer_copy(call)
        x, y = self._data[part]
        copy.point({"x": x, "y": y, "loss": loss, "weights": self._numbers[weights]})
        copy.rows = len(x)
        return copy

    def _described_run(self) -> Run:
        """What C needs to train epochs."""
        lanes = self._lanes
        run = Run(ctypes.pointer(self._training), ctypes.pointer(self._final["weights"]))
        run.words, run.order = address(self._words), address(self._order)
        run.best_weights = address(self._numbers["best"])
        run.epoch, run.best_epoch = address(lanes["epoch"]), address(self._best_epoch)
        run.patience, run.best = address(lanes["patience"]), address(self._best)
        run.numbers, run.batches = self.shape.numbers, self.steps
        return run


def lane_arrays(params: Sequence[dict[str, Any]]) -> dict[str, NDArray[Any]]:
    """The settings of lanes as C takes them; those of lanes that are not there are the first's."""
    padded = [*params, *[params[0]] * (LANES - len(params))]

    def column(name: str, kind: Any) -> NDArray[Any]:
        return np.array([p[name] for p in padded]).astype(kind)

    def places(name: str, choices: Sequence[str]) -> NDArray[np.int32]:
        return np.array([choices.index(p[name]) for p in padded], np.int32)

    rates = [p["dropout"] if p["depth"] else 0.0 for p in padded]
    least = [min(round(rate * 2**32), 2**32 - 1) for rate in rates]
    return {
        "mask": np.zeros(LANES, np.int32),
        "width": column("width", np.int32),
        "depth": column("depth", np.int32),
        "activation": places("activation", ACTIVATIONS),
        "optimizer": places("optimizer", OPTIMIZERS),
        "schedule": places("schedule", SCHEDULES),
        "loss": np.array([LOSSES.get(p["loss_fn"], _LOG_LOSS) for p in padded], np.int32),
        "epoch": np.zeros(LANES, np.int32),
        "epochs": column("epochs", np.int32),
        "patience": column("early_stopping", np.int32),
        "seed": np.array([p["seed"] & 0xFFFFFFFF for p in padded], np.uint32),
        "least": np.array(least, np.uint32),
        "kept": np.array([1 / (1 - rate) for rate in rates], np.float32),
        "lr": column("lr", np.float64),
        "decay": column("weight_decay", np.float64),
    }


def as_floats(values: NDArray[Any]) -> NDArray[np.float32]:
    """Inputs or targets as C takes them; classes are their places."""
    return np.ascontiguousarray(values, np.float32)


def zeros(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Zeros, aligned to a page; more of them follow, to the end of a vector."""
    count = math.prod(shape)
    return aligned(4 * (count + LANES)).view(np.float32)[:count].reshape(shape)


def aligned(count: int) -> NDArray[np.uint8]:
    """Zero bytes, aligned to a page."""
    held = np.zeros(count + _PAGE, np.uint8)
    start = -held.ctypes.data % _PAGE
    return held[start : start + count]
