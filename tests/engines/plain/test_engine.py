"""The plain engine as the driver makes it, and where it trains."""

import gc
import pickle
import weakref
from contextlib import nullcontext
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from tests.make import lanes
from tests.tables import TARGETS, make_engine, make_folds, make_rows, make_spec, make_trial
from xortune.engines.engine import reference_digest
from xortune.engines.plain.engine import PlainEngine
from xortune.engines.plain.order import Order
from xortune.engines.plain.training import Training
from xortune.errors import UsageError
from xortune.problems.table.arithmetic import undisturbed
from xortune.problems.table.rows import TASKS, Rows
from xortune.trial import Outcome

PARAMS = make_trial(dropout=0.2, activation="sigmoid")


def bits(outcome: Outcome) -> str:
    return repr(replace(outcome, duration_s=None))


def trained(engine: PlainEngine) -> str:
    return bits(engine.open("cpu").train(lanes([PARAMS]), 1)[0])


def digest(engine: PlainEngine) -> str:
    return reference_digest(engine, engine.open("cpu"))


def test_the_recorded_name_and_the_libraries_behind_the_bits():
    engine = make_engine()
    assert (engine.name, engine.bits, engine.first_failures) == ("plain-1", "lane", 0)
    assert engine.libraries("cpu") == ("torch", "numpy")
    assert engine.probe["epochs"] == 1


@pytest.mark.parametrize("device", ["cuda", "both"])
def test_other_devices_are_refused_with_a_remedy(device):
    with pytest.raises(UsageError, match=f"device {device}: tables .* Use device='cpu'"):
        make_engine().open(device)


def test_a_larger_table_is_slower_and_comes_in_smaller_packs():
    paces = [make_engine(count=count).pace("cpu") for count in (10, 1000, 100_000)]
    for one, other in pairwise(paces):
        assert one.cost_per_s > other.cost_per_s
        assert one.slowest_s < other.slowest_s
    assert [pace.largest for pace in paces] == sorted((p.largest for p in paces), reverse=True)
    assert paces[-1].largest == 1


@pytest.mark.parametrize("task", TASKS)
def test_the_reference_pack_depends_on_the_task_and_not_on_the_data(task):
    assert digest(make_engine(task)) == digest(make_engine(task, count=300, inputs=7))
    assert digest(make_engine(task)) != digest(make_engine(TASKS[TASKS.index(task) - 1]))


def test_a_last_bit_anywhere_changes_the_digest(monkeypatch):
    before = digest(make_engine())
    step = Training._step

    def rounding_differently(self, batch, number):
        loss = step(self, batch, number)
        if number == 0:
            first = self.weights.detach()[:1]
            first.copy_(torch.nextafter(first, first + 1))
        return loss

    monkeypatch.setattr(Training, "_step", rounding_differently)
    assert digest(make_engine()) != before


@pytest.mark.parametrize("task", TASKS)
def test_no_search_space_can_ask_for_a_reference_trial(task):
    spec, engine = make_spec(task), make_engine(task)
    for trial in engine.reference:
        assert not spec.parameter("seed").takes(trial["seed"])
        others = {name: spec.parameter(name).takes(value) for name, value in trial.items()}
        assert [name for name, taken in others.items() if not taken] == ["seed"]
    outcomes = engine.open("cpu").train(lanes(engine.reference), 1)
    assert {outcome.state for outcome in outcomes} == {"COMPLETE"}


def test_the_largest_seed_of_a_space_trains_on_the_users_data():
    params = make_trial(seed=2**32 - 1)
    one, other = (
        make_engine(count=count).open("cpu").train(lanes([params]), 1)[0] for count in (30, 31)
    )
    assert one.scores != other.scores


def shared(rows: Rows, offset: int) -> Rows:
    """The rows as Ray shares them: read-only, and beginning anywhere in memory."""
    arrays = []
    for array in rows:
        memory = np.zeros(array.nbytes + 64, np.uint8)
        place = memory[offset : offset + array.nbytes].view(array.dtype).reshape(array.shape)
        place[...] = array
        place.flags.writeable = False
        arrays.append(place)
    return Rows(*arrays)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("offset", [8, 24, 40])
def test_data_that_is_read_only_and_anywhere_in_memory(task, offset):
    rows, other = make_rows(task, 30, 13), make_rows(task, 15, 13, seed=1)
    params = make_trial(task, batch_size=7)
    found = [
        PlainEngine(*parts, TARGETS[task], make_spec(task)).open("cpu").train(lanes([params]), 1)[0]
        for parts in ((rows, other), (shared(rows, offset), shared(other, offset)))
    ]
    assert bits(found[0]) == bits(found[1])


def test_a_pickle_is_hardly_larger_than_the_data():
    engine = make_engine(count=10_000)
    size = sum(array.nbytes for rows in engine._rows[:2] for array in rows)
    assert len(pickle.dumps(engine)) < size + 20_000


def folded(task="regression", count=20) -> PlainEngine:
    folds = make_folds(task, count)
    return PlainEngine(*folds[0], make_spec(task), folds)


@pytest.mark.parametrize("task", TASKS)
def test_a_lane_trains_on_the_rows_of_its_fold(task):
    params = make_trial(task, dropout=0.2)
    (lane,) = lanes([params])
    trainer = folded(task).open("cpu")
    places = (2, None, 0, 1, 2)
    outcomes = trainer.train([lane._replace(fold=place) for place in places], 1)
    alone = [
        PlainEngine(*fold, make_spec(task)).open("cpu").train([lane], 1)[0]
        for fold in make_folds(task)
    ]
    expected = [bits(alone[place or 0]) for place in places]
    assert [*map(bits, outcomes)] == expected
    assert len({*expected}) == 3


def test_a_lane_continues_on_the_rows_of_its_fold():
    lane = lanes([make_trial(epochs=6)])[0]._replace(fold=1)
    trainer = folded().open("cpu")
    (paused,) = trainer.train([lane], 1, until=2)
    (outcome,) = folded().open("cpu").train([lane._replace(paused=paused.paused)], 1)
    assert bits(outcome) == bits(trainer.train([lane], 1)[0])


@pytest.mark.parametrize("task", TASKS)
def test_the_reference_pack_and_the_pace_know_no_folds(task):
    engine, plain = folded(task), PlainEngine(*make_folds(task)[0], make_spec(task))
    assert digest(engine) == digest(plain)
    assert engine.pace("cpu") == plain.pace("cpu")


def test_a_pickle_has_the_rows_of_the_first_fold_once():
    engine = folded(count=3000)
    size = sum(
        array.nbytes
        for fold in make_folds("regression", 3000)
        for array in (*fold.training, *fold.validation)
    )
    assert len(pickle.dumps(engine)) < size + 20_000


@pytest.mark.parametrize("surroundings", ["inference", "no gradients", "autocast", "double"])
def test_what_the_caller_has_set_makes_no_difference_and_stays(surroundings):
    expected, reference = trained(make_engine()), digest(make_engine())
    kind = torch.get_default_dtype()
    inside = {
        "inference": torch.inference_mode(),
        "no gradients": torch.no_grad(),
        "autocast": torch.autocast("cpu", torch.bfloat16),
        "double": nullcontext(),
    }[surroundings]
    try:
        with inside:
            if surroundings == "double":
                torch.set_default_dtype(torch.float64)
            before = torch.is_grad_enabled(), torch.is_autocast_enabled("cpu")
            assert trained(make_engine()) == expected
            assert digest(make_engine()) == reference
            assert (torch.is_grad_enabled(), torch.is_autocast_enabled("cpu")) == before
    finally:
        torch.set_default_dtype(kind)


@pytest.mark.skipif(not torch.set_flush_denormal(False), reason="this processor always keeps them")
def test_subnormal_numbers_are_kept_even_where_the_process_flushes_them():
    def kept() -> bool:
        return float(torch.tensor(1e-39) * 1) > 0

    torch.set_flush_denormal(True)
    try:
        with undisturbed():
            assert kept()
        assert not kept()
    finally:
        torch.set_flush_denormal(False)
    with undisturbed():
        assert kept()
    assert kept()


@pytest.mark.parametrize("threads", [1, 2])
def test_one_thread_trains_and_the_number_of_threads_is_restored(threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    seen: set[int] = set()
    try:
        make_engine().open("cpu").train(
            lanes([PARAMS]), 1, lambda: seen.add(torch.get_num_threads())
        )
        assert torch.get_num_threads() == threads
        assert seen == {1}
    finally:
        torch.set_num_threads(before)


def test_a_trial_is_freed_when_it_ends(monkeypatch):
    orders: list[weakref.ref[Order]] = []
    made = Order.__init__

    def noted(self, *args):
        orders.append(weakref.ref(self))
        made(self, *args)

    monkeypatch.setattr(Order, "__init__", noted)
    trainer = make_engine().open("cpu")
    gc.disable()
    try:
        trainer.train(lanes([PARAMS] * 3), 1)
        assert [order() for order in orders] == [None] * 3
    finally:
        gc.enable()
