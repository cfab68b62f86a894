"""A lane that trains alone, with vectors along rows, has the bits that it has in a block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.tables import TARGETS, make_rows, make_trial
from xortune.engines.loading import loaded
from xortune.engines.mlp import checked
from xortune.engines.mlp.arrays import Shared
from xortune.engines.mlp.block import Block
from xortune.engines.mlp.lane import _REMEMBERED
from xortune.engines.mlp.native.build import built_library
from xortune.engines.mlp.native.library import LANES, CFunctions
from xortune.engines.progress import Progress
from xortune.problems.table.rows import TASKS, Fold, Task
from xortune.problems.table.spec import ACTIVATIONS, LOSS_FNS, OPTIMIZERS, SCHEDULES

VALUES = {
    "width": st.integers(1, 70),
    "activation": st.sampled_from(ACTIVATIONS),
    "dropout": st.sampled_from((0.0, 0.3)),
    "optimizer": st.sampled_from(OPTIMIZERS),
    "schedule": st.sampled_from(SCHEDULES),
    "weight_decay": st.sampled_from((0.0, 0.01)),
    "lr": st.sampled_from((1e-3, 0.03, 1e20)),
    "seed": st.integers(0, 2**32 - 1),
    "epochs": st.just(9),
}


@pytest.fixture(params=[8, 16])
def any_vector(functions: CFunctions, request: pytest.FixtureRequest) -> CFunctions:
    if functions.vector < request.param:
        pytest.skip("this processor has no such vectors")
    return CFunctions(loaded(built_library(), "other"), request.param)


def silent() -> None:
    """No heartbeat is needed for so short a time."""


def numbers(block: Block, place: int, params: dict[str, Any]) -> list[bytes]:
    """All of a lane's that a pause keeps; NaN is NaN, whatever its bits."""
    names = ("weights", "best", *_REMEMBERED[params["optimizer"]])
    found = [block.numbers(place, name) for name in names]
    return [np.where(np.isnan(array), np.float32(np.nan), array).tobytes() for array in found]


def trained(
    trials: Sequence[dict[str, Any]], fold: Fold, functions: CFunctions, epochs: int, **how: Any
) -> list[list[Any]]:
    """All that a block tells of each of its lanes, before some epochs and after."""
    block, lanes = begun(trials, fold, functions, **how), range(len(trials))
    before = [*block.measured(silent)]
    # One by one, since it stops where a lane fails.
    losses = np.concatenate([block.advance(1, silent) for _ in range(epochs)])
    scores = block.scored(lanes, silent)
    return [
        [
            before[i],
            losses[:, :, i].tolist(),
            block.reached()[i],
            [values[i] for values in scores.values()],
            numbers(block, i, trials[i]),
        ]
        for i in lanes
    ]


def begun(trials: Sequence[dict[str, Any]], fold: Fold, functions: CFunctions, **how: int) -> Block:
    block = Block(trials, fold, checked._loss(fold.target.task), functions, **how)
    block.begin(range(len(trials)))
    return block


@pytest.mark.parametrize("task", TASKS)
def test_every_lane_of_the_fingerprint(any_vector, task):
    trials, fold = [checked._lane(task, i) for i in range(LANES)], checked._fold(task)
    together = trained(trials, fold, any_vector, 4)
    for params, expected in zip(trials, together):
        assert repr(trained([params], fold, any_vector, 4)) == repr([expected]), params


def table(task: Task, rows: int, inputs: int) -> Fold:
    return Fold(make_rows(task, rows, inputs), make_rows(task, 37, inputs, 1), TARGETS[task])


@given(data=st.data(), task=st.sampled_from(TASKS), linear=st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_lane_among_strangers_of_all_sorts(functions, data, task, linear):
    vector = data.draw(st.sampled_from([v for v in (8, 16) if v <= functions.vector]))
    chosen = CFunctions(loaded(built_library(), "other"), vector)
    depths = st.just(0) if linear else st.integers(1, 4)
    fold = table(task, data.draw(st.integers(4, 120)), data.draw(st.integers(1, 20)))
    one_size = data.draw(st.integers(1, 130))
    sizes = st.sampled_from((32, 64, 96, 10**9)) if data.draw(st.booleans()) else st.just(one_size)
    lane = st.fixed_dictionaries(
        {**VALUES, "depth": depths, "batch_size": sizes, "loss_fn": st.sampled_from(LOSS_FNS[task])}
    )
    trials = [
        dict(make_trial(task, **data.draw(lane))) for _ in range(data.draw(st.integers(2, 4)))
    ]
    together = trained(trials, fold, chosen, 2)
    for params, expected in zip(trials, together):
        assert repr(trained([params], fold, chosen, 2)) == repr([expected]), params


def moved(
    block: Block, params: dict[str, Any], fold: Fold, functions: CFunctions, room: int
) -> Block:
    """A block that goes on with the first lane of another."""
    epoch, best_epoch, best = block.reached()[0]
    state = block.state(0, Progress(epoch, best=best, best_epoch=best_epoch))
    other = Block([params], fold, checked._loss(fold.target.task), functions, room=room)
    other.put(0, state)
    return other


@pytest.mark.parametrize("room", [1, LANES])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_lane_may_move_into_a_block_and_out_of_it(functions, room, optimizer):
    params = dict(make_trial(width=21, depth=2, dropout=0.2, optimizer=optimizer, epochs=6))
    fold = table("regression", 70, 3)
    expected = begun([params], fold, functions)
    expected.advance(6, silent)
    block = begun([params], fold, functions, room=room)
    for left in (1, LANES, 1):
        block.advance(2, silent)
        block = moved(block, params, fold, functions, left)
    assert block.numbers(0, "weights").tobytes() == expected.numbers(0, "weights").tobytes()
    assert block.reached()[0] == expected.reached()[0]


def test_a_lane_alone_takes_a_sixteenth_of_the_numbers_of_a_block(functions):
    trial = dict(make_trial(width=20))
    alone, block = (begun([trial], table("classes", 30, 3), functions, room=n) for n in (1, LANES))
    assert (alone.room, block.room) == (1, LANES)
    assert alone._numbers["weights"].size * LANES == block._numbers["weights"].size
    assert np.array_equal(alone.numbers(0, "best"), block.numbers(0, "best"))


class Watched(Shared):
    """Scratch memory with a border behind, which nobody may change."""

    def bytes(self, name: str, count: int) -> NDArray[np.uint8]:
        self._held[name] = np.full(count + 2 * 4096, 77, np.uint8)
        start = -self._held[name].ctypes.data % 4096
        self.borders = [*getattr(self, "borders", []), self._held[name][start + count :]]
        return self._held[name][start : start + count]


@given(data=st.data(), task=st.sampled_from(TASKS), room=st.sampled_from((1, LANES)))
@settings(max_examples=60, deadline=None)
def test_no_lane_leaves_its_scratch_memory(functions, data, task, room):
    vector = data.draw(st.sampled_from([v for v in (8, 16) if v <= functions.vector]))
    fold = table(task, data.draw(st.integers(4, 70)), data.draw(st.integers(1, 40)))
    width, depth = data.draw(st.integers(1, 80)), data.draw(st.integers(0, 4))
    trial = dict(make_trial(task, width=width, depth=depth, batch_size=64, dropout=0.1))
    shared, chosen = Watched(), CFunctions(loaded(built_library(), "other"), vector)
    trained([trial], fold, chosen, 1, shared=shared, room=room)
    assert all((border == 77).all() for border in shared.borders)
