"""A block: up to sixteen lanes that train together, in memory that C takes."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xortune.engines.mlp.arrays import (
    LOG_LOSS,
    LOSSES,
    Shared,
    lane_arrays,
    mask_of,
    zeros,
)
from xortune.engines.mlp.grouping import portion
from xortune.engines.mlp.lane import State
from xortune.engines.mlp.native.library import LANES, WORDS, Call, CFunctions, Run, Sums, address
from xortune.engines.mlp.shapes import Shape, around, scratch_bytes, shape_of
from xortune.engines.mlp.tally import Tally
from xortune.engines.progress import Progress
from xortune.problems.table.rows import TASKS, Fold
from xortune.trial import Paused, Weights

# Multiplications with additions of a lane of a block between two heartbeats: a tenth of a second.
_BEAT = 2e8
# Epochs that are trained without a heartbeat, at most.
_MOST_EPOCHS = 1000


class Block:
    """Lanes of one table, each as if it were alone; their batches have portions in common.

    Attributes:
        shape: of the widest and deepest.
        portions: of the rows of an epoch, after each of which some lanes take a step.
        room: LANES, or 1 for a lane that trains alone, with the same bits.

    Args:
        params: of the lanes.
        fold: their rows.
        loss: the name of the final loss.
        functions: those of C.
        shared: by the blocks of one thread; None for a block by itself.
        room: LANES, to train one lane as several would be; None for 1 where there is one.
    """

    def __init__(
        self,
        params: Sequence[dict[str, Any]],
        fold: Fold,
        loss: str,
        functions: CFunctions,
        shared: Shared | None = None,
        room: int | None = None,
    ) -> None:
        outputs, inputs = fold.target.outputs, fold.training.x.shape[1]
        self._functions = functions
        self._fold = fold
        self._shapes = [shape_of(inputs, outputs, p["width"], p["depth"]) for p in params]
        self.shape = around(self._shapes)
        self._places: dict[Shape, NDArray[np.int64]] = {}
        rows = len(fold.training.x)
        self.room = room or (1 if len(params) == 1 else LANES)
        self._beat = _BEAT * LANES / self.room
        batches = [p["batch_size"] for p in params]
        self._batch = portion(batches, rows, int(self._beat / (3 * self.shape.numbers)))
        self.portions = -(-rows // self._batch)
        numbers = zeros((4, self.shape.numbers, self.room))
        self._numbers = dict(zip(("weights", "first", "second", "best"), numbers))
        self._lanes = lane_arrays(params)
        every = [-(-min(batch, rows) // self._batch) for batch in batches]
        self._lanes["portions"][: len(every)] = every
        shared = shared or Shared()
        self._memory = shared.bytes("memory", scratch_bytes(self.shape, self.room))
        order = shared.bytes("order", 4 * self.room * rows)
        self._order = order.view(np.int32).reshape(rows, self.room)
        self._words = zeros((WORDS, self.room)).view(np.uint32)
        self._rows = shared.rows(fold)
        self._losses, self._totals = np.zeros(LANES), np.zeros(LANES)
        self._resting: list[int] = []
        call = self._described()
        own, final = self._lanes["loss"], np.full(LANES, LOSSES.get(loss, LOG_LOSS), np.int32)
        self._kinds = final
        self._training, self._own = self._for(call, 0, own), self._for(call, 0, own)
        self._final = self._for(call, 1, final)
        self._best, self._best_epoch = np.full(LANES, np.inf), np.zeros(LANES, np.int32)
        self._run = self._described_run()

    def begin(self, places: Sequence[int]) -> None:
        """Begins to train lanes from their initial weights."""
        mask = mask_of(places)
        self._functions.begin(self._run, mask)
        self._lanes["mask"] |= mask

    def resumed(self, place: int, params: dict[str, Any], paused: Paused) -> State:
        """The state in which a lane paused.

        Raises:
            XortuneError: the state is not that of such a lane.
        """
        return State.resumed(paused, params, self._shapes[place])

    def state(self, place: int, progress: Progress) -> State:
        """The state of a lane now."""
        names = ("weights", "best", "first", "second")
        weights, best, first, second = (self.numbers(place, name) for name in names)
        return State(weights, best, first, second, progress)

    def put(self, place: int, state: State) -> None:
        """Begins to train a lane from a state."""
        places, progress = self._places_of(place), state.progress
        for name, array in self._numbers.items():
            array[places, place] = getattr(state, name)
        self._lanes["mask"][place] = -1
        self._lanes["epoch"][place] = progress.epoch
        self._best[place], self._best_epoch[place] = progress.best, progress.best_epoch
        seed, rows = int(self._lanes["seed"][place]), len(self._order)
        self._functions.seed(self._words, place, seed, rows, progress.epoch)

    def reached(self) -> list[tuple[int, int, float]]:
        """The epoch to which each lane has come, its best one, and the final loss of that."""
        arrays = self._lanes["epoch"], self._best_epoch, self._best
        return [*zip(*(array.tolist() for array in arrays))]

    def numbers(self, place: int, name: str) -> NDArray[np.float32]:
        """The weights of a lane, `best` or `weights`, or what its optimizer remembers."""
        numbers: NDArray[np.float32] = self._numbers[name][self._places_of(place), place]
        return numbers.copy()

    def _places_of(self, place: int) -> NDArray[np.int64] | slice:
        """Where the numbers of a lane lie."""
        shape = self._shapes[place]
        if shape == self.shape:
            return slice(None)
        if shape not in self._places:
            self._places[shape] = shape.places_in(self.shape)
        return self._places[shape]

    def rest(self, place: int) -> None:
        """Ends the training of a lane; its best weights stay, and `state` until others train on."""
        self._lanes["mask"][place] = 0
        self._resting.append(place)

    def advance(self, count: int, heartbeat: Callable[[], None]) -> NDArray[np.float64]:
        """Trains up to `count` epochs, to the first in which a lane fails or has waited too long.

        The weights of the best epoch are kept.

        Returns:
            The mean of each lane's batch losses, NaN if one is not finite, and the final loss:
            `(epochs, 2, LANES)`.
        """
        for name in ("weights", "first", "second") if self._resting else ():
            self._numbers[name][:, self._resting] = 0
        self._resting.clear()
        multiplied = self.shape.numbers * (3 * len(self._order) + self._final.rows)
        if multiplied > self._beat:
            return self._long_epoch(heartbeat)
        heartbeat()
        count = max(1, min(count, int(self._beat / multiplied), _MOST_EPOCHS))
        losses = np.empty((count, 2, LANES))
        self._training.begin, self._training.end = 0, self.portions
        self._final.begin, self._final.end = 0, self._final.rows
        self._run.losses = address(losses)
        return losses[: self._functions.epochs(self._run, count)]

    def _long_epoch(self, heartbeat: Callable[[], None]) -> NDArray[np.float64]:
        """One epoch, with heartbeats; as `advance`."""
        call = self._training
        self._functions.permute(self._words, self._order)
        self._losses.fill(0)
        each = max(1, int(self._beat / (3 * self._batch * self.shape.numbers)))
        for begin in range(0, self.portions, each):
            heartbeat()
            call.begin, call.end = begin, min(begin + each, self.portions)
            self._functions.train(call)
        losses = np.empty((1, 2, LANES))
        losses[0, 0] = self._losses
        losses[0, 1] = self._summed(self._final, heartbeat)
        self._functions.judge(self._run, losses[0, 0], losses[0, 1])
        return losses

    def measured(self, heartbeat: Callable[[], None]) -> Iterator[tuple[float, float]]:
        """Each lane's own loss on all training rows, and the final loss on the others."""
        own, final = self._means(self._own, heartbeat), self._means(self._final, heartbeat)
        return zip(own.tolist(), final.tolist())

    def scored(
        self, places: Sequence[int], heartbeat: Callable[[], None]
    ) -> dict[str, list[float]]:
        """The metrics of the best weights of some lanes: a number for every lane, by name."""
        mask = mask_of(places)
        call = self._of_best(self._final, mask)
        tally = Tally(self._fold.target, self._rows.parts[1][1], self._functions)
        found = {"train_loss": self.train_losses(places, heartbeat)}
        losses = self._means(call, heartbeat, tally.sums)
        return {**found, **tally.metrics(call, losses)}

    def train_losses(self, places: Sequence[int], heartbeat: Callable[[], None]) -> list[float]:
        """The own losses of the best weights of some lanes, on all training rows."""
        mask = mask_of(places)
        losses: list[float] = self._means(self._of_best(self._own, mask), heartbeat).tolist()
        return losses

    def best(self, places: Sequence[int]) -> Iterator[Weights]:
        """The best weights of some lanes."""
        for place, numbers in zip(places, self.best_numbers(places)):
            yield Weights(self._shapes[place].layout, numbers.tobytes())

    def best_numbers(self, places: Sequence[int]) -> Iterator[NDArray[np.float32]]:
        """The best weights of some lanes as numbers, `(P,)` each."""
        rows = np.ascontiguousarray(self._numbers["best"].T, "<f4")
        for place in places:
            yield rows[place][self._places_of(place)]

    def _of_best(self, call: Call, mask: NDArray[np.int32]) -> Call:
        """The same for the best weights of the lanes of a mask, which the caller keeps alive."""
        copy = Call.from_buffer_copy(call)
        copy.point({"mask": mask, "weights": self._numbers["best"]})
        return copy

    def _means(
        self, call: Call, heartbeat: Callable[[], None], sums: Sums | None = None
    ) -> NDArray[np.float64]:
        found = self._summed(call, heartbeat, sums)
        return found / call.rows if call.rows else np.full(LANES, np.nan)

    def _summed(
        self, call: Call, heartbeat: Callable[[], None], sums: Sums | None = None
    ) -> NDArray[np.float64]:
        """The sums of the losses of all rows."""
        self._losses.fill(0)
        each = max(1, int(self._beat / self.shape.numbers))
        for begin in range(0, call.rows, each):
            heartbeat()
            call.begin, call.end = begin, min(begin + each, call.rows)
            self._functions.measure(call, sums)
        return self._losses

    def _described(self) -> Call:
        """What C needs of the block for whatever it does."""
        call, lanes = Call(), self._lanes
        call.point({name: lanes[name] for name in lanes if name != "patience"})
        call.point({name: self._numbers[name] for name in ("weights", "first", "second")})
        call.point({"order": self._order, "memory": self._memory, "losses": self._losses})
        call.point({"totals": self._totals})
        call.batch = self._batch
        call.inputs, call.outputs_count = self.shape.inputs, self.shape.outputs
        call.widest, call.deepest = self.shape.width, self.shape.depth
        call.lanes = self.room
        call.task = TASKS.index(self._fold.target.task)
        call.dropout = int(lanes["least"].any())
        return call

    def _for(self, call: Call, part: int, loss: NDArray[np.int32]) -> Call:
        """The same for the training rows or the others."""
        copy = Call.from_buffer_copy(call)
        x, y = self._rows.parts[part]
        table = self._rows.tables[part]
        copy.point({"x": x, "y": y, "loss": loss, "table": table})
        copy.rows, copy.stride = len(x), 0 if table is None else table.shape[1]
        return copy

    def _described_run(self) -> Run:
        """What C needs to train epochs."""
        lanes = self._lanes
        run = Run(ctypes.pointer(self._training), ctypes.pointer(self._final))
        run.words, run.order = address(self._words), address(self._order)
        run.best_weights = address(self._numbers["best"])
        run.epoch, run.best_epoch = address(lanes["epoch"]), address(self._best_epoch)
        run.patience, run.best = address(lanes["patience"]), address(self._best)
        run.numbers, run.portions = self.shape.numbers, self.portions
        return run
