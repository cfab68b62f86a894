"""Lanes of all sorts share blocks, and neither neighbours nor rests change their bits."""

from dataclasses import replace

import numpy as np
import pytest

from tests.make import lanes
from tests.tables import make_mlp, make_rows, make_spec, make_trial
from xortune.engines.mlp import arrays
from xortune.engines.mlp.shapes import Shape, around, scratch_bytes
from xortune.engines.mlp.trainer import MlpTrainer
from xortune.engines.mlp.training import Training
from xortune.problems.table.spec import ACTIVATIONS, OPTIMIZERS, SCHEDULES
from xortune.trial import Outcome, Params


def bits(outcome: Outcome) -> str:
    return repr(replace(outcome, duration_s=None, worker=None))


def train(trials: list[Params], count: int = 50) -> list[str]:
    """The bits of trials on a table of so many rows."""
    return [*map(bits, make_mlp(count=count).open("cpu").train(lanes(trials), 1))]


def every_sort() -> list[Params]:
    """All activations, optimizers and schedules, in sixteen widths and four depths."""
    return [
        make_trial(
            width=1 + 7 * i % 16,
            depth=1 + i % 4,
            activation=ACTIVATIONS[i % 5],
            optimizer=OPTIMIZERS[i % 6],
            schedule=SCHEDULES[i % 3],
            dropout=(0.0, 0.2)[i % 2],
            weight_decay=(0.0, 0.1)[i // 2 % 2],
            epochs=1 + i % 7,
            seed=i,
            lr=0.03,
        )
        for i in range(16)
    ]


def together(trials: list[Params]) -> list[int]:
    """How many lanes at a time may share blocks."""
    trainer = make_mlp(count=50).open("cpu")
    assert isinstance(trainer, MlpTrainer)
    trainings = [Training(lane, None, None) for lane in lanes(trials)]
    return sorted(len(some) for some, _ in trainer._together(trainings))


def test_all_sorts_of_lanes_are_one_block_with_the_bits_that_they_have_alone():
    trials = every_sort()
    assert together(trials) == [16]
    assert train(trials) == [train([params])[0] for params in trials]


def test_a_table_too_large_to_be_copied_gives_the_same_bits(monkeypatch):
    trials = [*every_sort(), make_trial(width=70, depth=2)]
    copied = train(trials, count=77)
    monkeypatch.setattr(arrays, "_MOST_COPIED", 0)
    assert train(trials, count=77) == copied


def test_only_odd_batch_sizes_and_a_model_without_hidden_layers_make_a_block():
    trials = every_sort()
    trials += [make_trial(batch_size=9), make_trial(depth=0)]
    assert together(trials) == [1, 1, 16]
    # Batches of whole chunks of rows, and of the table, share blocks.
    assert together([make_trial(batch_size=size) for size in (32, 64, 96, 10**9, 33)]) == [1, 4]
    # A batch larger than the table is the table.
    assert together([make_trial(batch_size=50), make_trial(batch_size=10**9)]) == [2]


def test_a_long_lane_among_lanes_that_rest():
    long = make_trial(epochs=40, seed=7)
    short = [make_trial(epochs=1, seed=i, width=9) for i in range(15)]
    assert train([*short, long])[-1] == train([long])[0]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("rate", [3e38, 1e20])
def test_a_narrow_lane_that_overflows_does_so_in_a_wide_block_as_it_does_alone(activation, rate):
    trials = [
        make_trial(width=2, depth=2, activation=activation, optimizer=optimizer, lr=rate, epochs=4)
        for optimizer in OPTIMIZERS
    ]
    wide = make_trial(width=13, depth=4, epochs=4)
    assert train([*trials, wide]) == [train([params])[0] for params in (*trials, wide)]


def test_batches_longer_than_a_chunk_of_rows_are_one_batch():
    engine = make_mlp(count=200)
    found = engine.open("cpu").train(lanes([make_trial(batch_size=size) for size in (150, 33)]), 1)
    assert [outcome.state for outcome in found] == ["COMPLETE"] * 2


def every_batch() -> list[Params]:
    """All sorts, with batches of one to seven chunks, and of all rows."""
    sizes = (32, 64, 96, 128, 224, 230, 10**9)
    every = [dict(params) for params in every_sort()]
    return [make_trial(**{**one, "batch_size": sizes[i % 7]}) for i, one in enumerate(every)]


def test_lanes_whose_batches_are_of_different_size_have_the_bits_that_they_have_alone():
    trials = every_batch()
    assert together(trials) == [16]
    assert train(trials, 230) == [train([params], 230)[0] for params in trials]


def test_long_epochs_beat_within_their_batches_and_have_the_same_bits(monkeypatch):
    trials = every_batch()
    expected, beats = train(trials, 230), []
    monkeypatch.setattr("xortune.engines.mlp.block._BEAT", 1)
    trainer = make_mlp(count=230).open("cpu")
    outcomes = trainer.train(lanes(trials), 1, lambda: beats.append(None))
    assert [*map(bits, outcomes)] == expected
    assert len(beats) > 7 * 230 / 32


def test_a_network_lies_in_a_wider_and_deeper_one_with_its_last_layer_last():
    small, block = Shape(2, 1, 1, 1), Shape(2, 1, 2, 2)
    # Weights and biases of the block: 4 and 2, 4 and 2, 2 and 1.
    assert small.places_in(block).tolist() == [0, 1, 4, 12, 14]
    assert block.places_in(block).tolist() == [*range(15)]


def test_a_block_is_as_wide_and_as_deep_as_any_of_its_lanes():
    shapes = [Shape(3, 2, 5, 1), Shape(3, 2, 1, 4)]
    assert around(shapes) == Shape(3, 2, 5, 4)
    assert scratch_bytes(around(shapes)) > max(map(scratch_bytes, shapes))


def test_the_recorded_name_and_the_libraries_behind_the_bits():
    engine = make_mlp()
    assert (engine.name, engine.bits, engine.generation) == ("mlp-1", "lane", 5)
    assert engine.libraries("cpu") == ()
    assert make_spec().names == tuple(engine.probe)
    assert len(make_rows("regression").x) == 30


def test_numbers_below_the_smallest_normal_one_are_kept_outside_training():
    train([make_trial()])
    assert np.float32(1e-39) * np.float32(1) > 0


def test_epochs_that_take_long_beat_within_and_have_the_same_bits(monkeypatch):
    trials, beats = every_sort(), []
    expected = train(trials)
    monkeypatch.setattr("xortune.engines.mlp.block._BEAT", 1)
    outcomes = make_mlp(count=50).open("cpu").train(lanes(trials), 1, lambda: beats.append(None))
    assert [*map(bits, outcomes)] == expected
    assert len(beats) > 7 * 7


@pytest.mark.parametrize("log_every", [1, 2, 3, 1000])
def test_a_lane_that_ends_early_has_the_curve_that_it_has_alone(log_every):
    trials = [
        make_trial(epochs=40, lr=0.1, early_stopping=patience, seed=seed)
        for seed, patience in enumerate((1, 2, 3, 0, 5))
    ]
    trials.append(make_trial(epochs=9, lr=3e38, optimizer="sgd"))
    trainer = make_mlp().open("cpu")
    alone = [bits(trainer.train(lanes([params]), log_every)[0]) for params in trials]
    assert [*map(bits, trainer.train(lanes(trials), log_every))] == alone
