"""What is found of good modules and bad ones before a search, and the engine that follows."""

from dataclasses import replace

import pytest
import torch

from tests.engines.stacked import nets
from tests.modules import CONVOLUTION, MIXED, PERCEPTRON, RECURRENT, SIXTY_FOUR, Made
from xortune.engines.stacked.choice import choose
from xortune.engines.stacked.fitness import Fitness, looked_at
from xortune.engines.stacked.neighbours import padding_needed
from xortune.engines.stacked.padding import Padding

TWO = Padding()


def look(made: Made, *points: dict) -> Fitness:
    params = [made.trial(**point) for point in points or ({}, {"seed": 3})]
    return looked_at(made(), params)


@pytest.mark.parametrize(
    ("made", "padding"),
    [
        (nets.made(nets.tanh), TWO),
        (nets.made(nets.silu), SIXTY_FOUR),
        (nets.made(nets.batch_norm), SIXTY_FOUR),
        (MIXED, SIXTY_FOUR),
        (CONVOLUTION, TWO),
        (RECURRENT, TWO),
        (nets.made(nets.lstm_cells, nets.STEPS), TWO),
        (nets.made(nets.gru_cells, nets.STEPS), TWO),
        (nets.made(nets.Words), TWO),
        (nets.made(nets.PaddedWords), TWO),
    ],
    ids=lambda value: getattr(getattr(value, "make", None), "__name__", ""),
)
def test_modules_that_are_stacked_and_the_padding_that_they_need(made, padding):
    found = look(made)
    assert (found.faults, found.alone, found.padding) == ((), "", padding)
    assert choose(found) == ("stacked", "packs of up to 512, same bits in any pack")


@pytest.mark.parametrize(
    ("make", "shape", "why"),
    [
        (nets.lstm, nets.STEPS, "nn.LSTM cannot be stacked (LSTMCell and GRU can)"),
        (nets.gru_with_dropout, nets.STEPS, "forward draws random numbers (gru)"),
        (nets.attention, nets.STEPS, "draws random numbers (multi_head_attention_forward)"),
        (nets.alpha_dropout, (3,), "forward draws random numbers (alpha_dropout)"),
        (nets.Noisy, (3,), "forward draws random numbers (randn_like)"),
        (nets.AlwaysDropping, (3,), "it draws random numbers in evaluation, too"),
        (nets.Branching, (3,), "forward branches on a value, or calls .item()"),
    ],
)
def test_modules_that_are_trained_one_at_a_time_and_why(make, shape, why):
    found = look(nets.made(make, shape))
    assert found.faults == ()
    engine, words = choose(found)
    assert engine == "plain"
    assert words.startswith("one at a time in each worker, since ")
    assert words.endswith(why)


def test_a_module_whose_first_lane_alone_is_right_is_not_stacked():
    found = look(nets.made(nets.PaddedByCall))
    assert found.alone.startswith("its gradient in a stack differs from that of one by ")


def test_a_lane_is_also_looked_at_in_other_places_than_the_first():
    made = nets.made(nets.PaddedByCall)
    assert padding_needed(made(), made.trial(batch_size=8), lambda: None) is None


def test_a_module_that_hides_what_it_has_drawn_is_not_stacked():
    found = look(nets.made(nets.secretly_drawn))
    assert found.faults == ()
    assert found.alone.startswith("its gradient in a stack differs from that of one by ")
    assert choose(found).engine == "plain"


def test_a_large_module_is_trained_one_at_a_time():
    found = look(replace(nets.made(nets.large), rows=64), {"batch_size": 32})
    assert found.alone == ""
    engine, words = choose(found)
    assert engine == "plain"
    assert "a step has 233 million operations, and stacking pays up to 30" in words


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (nets.Raising, "ValueError: no such width"),
        (nets.Double, "the parameter out.weight is float64 on cpu, and must be float32 on the"),
        (nets.Leaving, "SystemExit: 3"),
        (nets.WithState, "TypeError: _extra_state of the model is of the type dict"),
        (nets.Fixed, "the model has no parameters to train"),
        (nets.Listing, "the model returns a value of type list, and must return a tensor"),
        (nets.Summing, "the model returns the shape () for 10 rows: the first axis must be"),
        (nets.Infinite, "loss is nan for a model that has not been trained"),
        (nets.DrawnByNumPy, "the model has other weights when it is made again with the same seed"),
        (nets.NoisyByNumPy, "the model draws from NumPy in forward: use PyTorch's generator"),
    ],
)
def test_modules_that_cannot_be_searched_have_one_fault_in_words(make, fault):
    (found,) = look(nets.made(make)).faults
    assert found.startswith(fault)


def test_losses_and_metrics_that_are_no_numbers():
    def each(output, target):
        return (output - target) ** 2

    def text(output, target):
        return "good"

    def wrong(output, target):
        raise KeyError("class")

    made = nets.made(nets.tanh)
    (fault,) = look(replace(made, losses={"mse": each})).faults
    assert fault.startswith("the loss has the shape (20, 1): it must be a mean over rows")
    (fault,) = look(replace(made, metrics={"good": text})).faults
    assert fault == "the metric good is not a number: 'good'"
    (fault,) = look(replace(made, metrics={"good": wrong})).faults
    assert fault == "KeyError: 'class'"
    constant = replace(made, losses={"mse": lambda output, target: torch.zeros(())})
    (fault,) = look(constant).faults
    assert fault == "the loss does not depend on what the model learns"


def test_a_fault_names_the_first_point_that_has_it():
    def build(width, activation, dropout):
        if width > 9:
            raise ValueError("too wide")
        return nets.tanh()

    made = replace(PERCEPTRON, make=build)
    found = look(made, {"width": 3}, {"width": 30}, {"width": 40, "activation": "Tanh"})
    assert found.points == 3
    (fault,) = found.faults
    assert fault == "ValueError: too wide (at width=30, activation='ReLU', dropout=0.0)"


def test_one_point_that_needs_more_decides_for_all():
    points = [{"activation": "ReLU"}, {"activation": "SiLU"}, {"activation": "Tanh"}]
    assert look(PERCEPTRON, points[0], points[2]).padding == TWO
    assert look(PERCEPTRON, *points).padding == SIXTY_FOUR


def test_the_size_is_that_of_a_step():
    found = look(PERCEPTRON, {"width": 5, "batch_size": 8})
    # Two of each multiplication, three times: forward, and for both of its factors backward;
    # nothing is learnt about the inputs.
    multiplied = 3 * 5 * 2 + 5 * 4 * 3 + 4 * 3
    assert found.size.row_flops == 2 * multiplied
    assert found.step_flops == 8 * found.size.row_flops
    assert (found.size.rows, found.size.validation_rows) == (20, 10)
    assert found.size.weights == 3 * 5 + 5 + 5 * 4 + 4 + 4 + 1


def test_looking_twice_finds_the_same_and_leaves_the_generators_alone():
    before = torch.get_rng_state()
    assert look(MIXED) == look(MIXED)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_heart_beats():
    beats: list[None] = []
    looked_at(PERCEPTRON(), [PERCEPTRON.trial()], lambda: beats.append(None))
    assert len(beats) > 10


def test_of_many_rows_the_first_will_do():
    made = replace(PERCEPTRON, rows=5000)
    seen = []

    def counting(output, target):
        seen.append(len(target))
        return made.losses["mse"](output, target)

    found = look(replace(made, losses={"mse": counting}), {"batch_size": 8})
    assert (found.faults, found.alone, found.size.rows) == ((), "", 5000)
    assert 5000 not in seen
