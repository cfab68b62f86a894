"""What an engine returns is plain, and it leaves the process as it was."""

import os
import random
import socket
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines.contract.cases import all_bits, train
from tests.make import lanes
from xortune.engines.engine import reference_digest


class Stop(Exception):
    """Raised by a heartbeat."""


def surroundings() -> dict[str, object]:
    """What training could leave changed in the process."""
    return {
        "threads": {thread.name for thread in threading.enumerate()},
        "PyTorch's threads": torch.get_num_threads(),
        "PyTorch's numbers": torch.get_rng_state().tolist(),
        "NumPy's numbers": repr(np.random.get_state()),
        "Python's numbers": random.getstate(),
        "gradients": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "type": torch.get_default_dtype(),
        "autocast": torch.is_autocast_enabled("cpu"),
        "folder": Path.cwd(),
        "environment": dict(os.environ),
    }


@pytest.fixture
def two_threads():
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(threads)


def test_training_leaves_the_process_as_it_was(engine, trials, expected, two_threads):
    some = {number: trials[number] for number in (1, 32, 2)}
    trainer = engine.open("cpu")
    before = surroundings()
    outcomes = trainer.train(lanes([*some.values()], numbers=[*some]), 2)
    assert surroundings() == before
    assert all_bits(dict(zip(some, outcomes))) == {n: expected[n] for n in sorted(some)}


@given(beats=st.integers(0, 12))
@settings(max_examples=8, deadline=None)
def test_a_heartbeat_that_raises_ends_the_training_and_leaves_nothing_behind(
    engine, trials, expected, beats
):
    some = {number: trials[number] for number in range(4)}
    trainer = engine.open("cpu")
    calls: list[None] = []

    def heartbeat() -> None:
        calls.append(None)
        if len(calls) > beats:
            raise Stop

    before = surroundings()
    stopped = False
    try:
        trainer.train(lanes([*some.values()], numbers=[*some]), 2, heartbeat)
    except Stop:
        stopped = True
    assert stopped == (len(calls) == beats + 1)
    assert surroundings() == before
    again = trainer.train(lanes([*some.values()], numbers=[*some]), 2)
    assert all_bits(dict(zip(some, again))) == {number: expected[number] for number in some}


def test_a_heartbeat_that_raises_at_once_is_heard(engine, trials):
    def heartbeat() -> None:
        raise Stop

    with pytest.raises(Stop):
        train(engine, {0: trials[0]}, heartbeat=heartbeat)


def test_outcomes_are_plain_numbers_for_other_processes_and_files(case, engine, trials):
    for params, outcome in zip(trials.values(), train(engine, trials).values()):
        assert outcome.worker in (f"{socket.gethostname()}:{os.getpid()}", "here:1")
        assert type(outcome.duration_s) is float
        assert outcome.duration_s >= 0
        assert {type(epoch) for epoch in outcome.curve.epochs} <= {int}
        for points in outcome.curve.series.values():
            assert {type(point) for point in points} == {float}
            assert len(points) == len(outcome.curve.epochs)
        if outcome.state == "FAIL":
            assert (outcome.scores, outcome.weights) == (None, None)
            assert type(outcome.error) is str
            continue
        assert outcome.error is None
        assert outcome.state in ("COMPLETE", "PRUNED")
        assert tuple(outcome.scores) == case.spec.metric_names, params
        assert {type(score) for score in outcome.scores.row} == {float}
        if outcome.weights is not None:
            numbers = sum(int(np.prod(shape)) for _, shape in outcome.weights.layout)
            assert len(outcome.weights.content) == 4 * numbers


@pytest.mark.parametrize("log_every", [1, 3, 1000, None])
def test_how_often_the_curve_is_measured_leaves_the_rest_alone(engine, trials, log_every):
    some = {number: trials[number] for number in range(8)}
    others = train(engine, some, log_every)
    for number, outcome in train(engine, some).items():
        other = others[number]
        found = (other.state, other.scores, other.weights, other.error)
        assert found == (outcome.state, outcome.scores, outcome.weights, outcome.error)


@pytest.mark.parametrize("log_every", [1, 3, 1000, None])
def test_a_curve_has_every_so_many_epochs_and_the_last_trained(case, engine, log_every):
    params = case.spec.assignment({case.spec.cost: 7})
    epochs = train(engine, {0: params}, log_every)[0].curve.epochs
    every = log_every or case.spec.log_every or 1
    assert epochs == (*range(0, 7, every), 7)


def test_the_probe_completes(engine):
    assert train(engine, {0: engine.probe})[0].state == "COMPLETE"


def test_the_reference_pack_has_one_digest(engine):
    digests = {reference_digest(engine, engine.open("cpu")) for _ in range(2)}
    assert len(digests) == 1


def test_the_pace_and_the_libraries_are_known_without_training(engine):
    pace = engine.pace("cpu")
    assert min(pace.cost_per_s, pace.slowest_s, pace.least_lanes, pace.largest) > 0
    assert type(pace.largest) is int
    assert all(type(name) is str for name in engine.libraries("cpu"))
