"""Lanes that run compiled programs: their bits, and that they compute what other lanes do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.modules import CONVOLUTION, MIXED, PERCEPTRON, RECURRENT, Made
from xortune.engines.plain.module import Lessons
from xortune.engines.stacked.compiled_look import check_compiler, compiled_padding
from xortune.engines.stacked.padding import Padding
from xortune.engines.stacked.programs import FIXED_LANES
from xortune.engines.stacked.recording import FixedLanesError, Recording
from xortune.engines.stacked.trainer import StackedTrainer
from xortune.errors import NoEngineError
from xortune.problems.trainer_parameters import OPTIMIZERS
from xortune.trial import Lane, Outcome


def pack(problem: Made, count: int, first: int = 0) -> list[Lane]:
    """Lanes of all optimizers and several dropout rates; every seventh learns far too fast."""
    lanes = []
    for seed in range(first, first + count):
        values = {"optimizer": OPTIMIZERS[seed % 6], "weight_decay": 0.01 * (seed % 2)}
        values |= {"lr": 1e30 if seed % 7 == 5 else 0.03, "seed": seed, "epochs": 2 + seed % 2}
        if any(parameter.name == "dropout" for parameter in problem.parameters):
            values |= {"dropout": 0.1 * (1 + seed % 3), "activation": "Tanh"}
        lanes.append(Lane(problem.trial(**values), number=seed))
    return lanes


def trainer(problem: Made, *, compiles: bool = True) -> StackedTrainer:
    return StackedTrainer(problem.spec, Lessons(problem()), Padding(), compiles=compiles)


def same(outcome: Outcome) -> object:
    """An outcome without what a clock says, and with a NaN equal to itself."""
    weights = None if outcome.weights is None else outcome.weights.content
    return outcome.state, outcome.error, repr((outcome.scores, outcome.curve)), weights


@pytest.mark.long
def test_compiled_lanes_have_the_same_bits_in_any_pack_with_one_program_for_all() -> None:
    compiled = trainer(PERCEPTRON)
    lanes = pack(PERCEPTRON, 70)
    together = compiled.train(lanes, 1)
    assert {outcome.state for outcome in together} == {"COMPLETE", "FAIL"}
    for some in (slice(0, 1), slice(1, 3), slice(20, 27), slice(5, 70)):
        assert [*map(same, compiled.train(lanes[some], 1))] == [*map(same, together[some])]
    programs = compiled._programs
    assert programs is not None
    steps = [
        recordings
        for own in programs.values()
        for kind, recordings in own._recorded.items()
        if kind[0] == "step"  # type: ignore[index]
    ]
    assert [len(recordings) for recordings in steps] == [1]


@pytest.mark.long
def test_compiled_lanes_learn_as_others_do_with_every_optimizer() -> None:
    lanes = [lane for lane in pack(PERCEPTRON, 13) if lane.params["lr"] == 0.03]
    found, expected = (
        trainer(PERCEPTRON, compiles=compiles).train(lanes, 1) for compiles in (True, False)
    )
    for one, other in zip(found, expected):
        assert one.state == other.state == "COMPLETE"
        for name, values in other.curve.series.items():
            assert np.allclose(one.curve.series[name], values, rtol=1e-3, atol=1e-5)


@pytest.mark.long
def test_a_paused_compiled_lane_continues_with_the_same_bits() -> None:
    compiled = trainer(PERCEPTRON)
    lanes = pack(PERCEPTRON, 4)
    paused = compiled.train(lanes, 1, until=1)
    rest = [
        Lane(lane.params, number=lane.number, paused=outcome.paused)
        for lane, outcome in zip(lanes, paused)
    ]
    assert [*map(same, compiled.train(rest, 1))] == [*map(same, compiled.train(lanes, 1))]


@pytest.mark.long
def test_the_padding_of_compiled_lanes_is_found_by_trying() -> None:
    assert compiled_padding(PERCEPTRON(), [PERCEPTRON.trial()]) == Padding()


@pytest.mark.parametrize(
    "problem",
    [CONVOLUTION, pytest.param(MIXED, marks=pytest.mark.long), RECURRENT],
    ids=["convolution", "BatchNorm", "GRU"],
)
def test_modules_that_are_recorded_for_one_number_of_lanes_only_are_refused(problem: Made) -> None:
    with pytest.raises(NoEngineError, match=FIXED_LANES):
        compiled_padding(problem(), [problem.trial()])


def test_a_recording_suits_other_lanes_and_rows_and_no_other_sizes() -> None:
    def summed(x: Tensor, w: Tensor) -> list[Tensor]:
        return [(x * w.unsqueeze(1)).sum(1)]

    recording = Recording(summed, [torch.ones(4, 9, 3), torch.ones(4, 3)], [(0, 1), (0,)])
    assert recording.suits([torch.ones(7, 4, 3), torch.ones(7, 3)])
    assert not recording.suits([torch.ones(7, 4, 2), torch.ones(7, 2)])
    assert not recording.suits([torch.ones(7, 4, 3), torch.ones(6, 3)])


def test_a_recording_with_a_branch_on_the_number_of_rows_does_not_suit_the_other_side() -> None:
    def branching(x: Tensor) -> list[Tensor]:
        return [x.sum(1) if x.shape[1] > 5 else x.mean(1)]

    recording = Recording(branching, [torch.ones(4, 9)], [(0, 1)])
    assert recording.suits([torch.ones(7, 6)])
    assert not recording.suits([torch.ones(7, 5)])


def test_a_recording_that_contains_the_number_of_lanes_is_refused() -> None:
    with pytest.raises(FixedLanesError):
        Recording(lambda x: [x * len(x)], [torch.ones(4, 3)], [(0,)])


def test_without_a_compiler_the_message_names_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from torch._inductor import config, cpp_builder

    monkeypatch.setattr(config.cpp, "cxx", ("no-such-compiler",))
    cpp_builder.cpp_compiler_search.cache_clear()
    with pytest.raises(NoEngineError, match=r"no C\+\+ compiler was found \(g\+\+"):
        check_compiler()
    cpp_builder.cpp_compiler_search.cache_clear()
