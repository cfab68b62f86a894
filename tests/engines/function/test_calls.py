"""One call: what counts as a result, and what a failure says."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

import xortune
from xortune.engines.function.calls import called
from xortune.problems.function.spec import function_spec
from xortune.space import inferred_parameters

SPACE = {"x": {"min": 0.0, "max": 1.0}}


def call(train, log_every=None, config=None, **declared):
    problem = xortune.Problem(train, SPACE, **declared)
    spec = function_spec(problem, "mine", inferred_parameters(SPACE))
    own = __file__
    shown = lambda name: "mine.py" if name == own else None  # noqa: E731
    return called(problem, spec, config or {"x": 0.5}, log_every, shown)


@pytest.mark.parametrize(
    "value",
    [2, 2.0, np.float32(2), np.int64(2), np.array(2.0), torch.tensor(2.0), torch.tensor(2),
     torch.tensor(2.0, dtype=torch.bfloat16), torch.tensor(2.0, requires_grad=True)],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("way", ["number", "mapping", "report"])
def test_any_number_is_a_result(value, way):
    def train(config, report):
        if way == "report":
            report(0, loss=value)
            return None
        return value if way == "number" else {"loss": value}

    result = call(train, metrics=[])
    assert result.error is None
    assert result.scores == (2.0,)
    assert type(result.scores[0]) is float


def test_what_is_returned_takes_precedence_over_the_last_epoch():
    def train(config, report):
        report(0, loss=9.0, gap=9.0, height=9.0)
        report(1, loss=3.0)
        report(1, gap=4.0)
        return {"loss": 1.0}

    result = call(train)
    assert result.scores[:2] == (1.0, 4.0)
    assert math.isnan(result.scores[2])


def test_a_returned_number_is_the_objective():
    def train(config, report):
        report(0, loss=3.0, height="tall")
        report(1, loss=2.0, height=1.0)
        return 7.0

    assert call(train, objective="height:max").scores == (7.0, 2.0)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (math.nan, "loss is not finite: nan"),
        (-math.inf, "loss is not finite: -inf"),
        (10**400, "loss is not finite: inf"),
        ("low", "loss is not a number: 'low'"),
        (True, "loss is not a number: True"),
        (torch.zeros(2), "loss is not a number: tensor([0., 0.])"),
        (Fraction(1, 2), "loss is not a number: Fraction(1, 2)"),
        ({}, "the function gave no loss: return it, as {'loss': ...}, or call report(epoch, loss="),
        (None, "the function gave no loss: return it"),
    ],
    ids=repr,
)
def test_no_finite_number_is_a_failure(value, error):
    result = call(lambda config, report: value)
    assert result.scores is None
    assert result.error.startswith(error)


def test_the_final_loss_has_to_be_finite_too():
    result = call(lambda c, r: {"height": 1.0}, objective="height:max", metrics=["loss"])
    assert result.error.startswith("the function gave no loss")


def test_other_metrics_may_be_missing():
    def train(config, report):
        return {"loss": 1.0, "gap": math.inf, "height": "tall"}

    first, *others = call(train).scores
    assert first == 1.0
    assert all(map(math.isnan, others))


class Odd(Exception):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("x is too large"), "ValueError: x is too large"),
        (KeyError("depth"), "KeyError: 'depth'"),
        (RuntimeError("\n\nfirst\nsecond"), "RuntimeError: first"),
        (MemoryError(), "MemoryError"),
        (Odd(), "Odd"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (SystemExit(3), "SystemExit: 3"),
        (ValueError("x" * 999), f"ValueError: {'x' * 288}..."),
    ],
    ids=repr,
)
def test_an_exception_is_told_in_one_line_with_its_place(error, words):
    def train(config, report):
        raise error

    line = train.__code__.co_firstlineno + 1
    assert call(train).error == f"{words} (mine.py:{line})"


def test_the_place_is_the_users_last_line():
    def train(config, report):
        return torch.zeros(2) @ torch.zeros(3)

    line = train.__code__.co_firstlineno + 1
    assert call(train).error.endswith(f"(mine.py:{line})")


@pytest.mark.parametrize(
    ("epochs", "error"),
    [
        ((1, 0), "ValueError: report(): epoch 0 comes after epoch 1"),
        ((0.5,), "ValueError: report(): the epoch 0.5 is not a whole number from 0"),
        ((-1,), "ValueError: report(): the epoch -1 is not a whole number from 0"),
    ],
)
def test_epochs_that_cannot_be_are_failures(epochs, error):
    def train(config, report):
        for epoch in epochs:
            report(epoch, loss=1.0)

    assert call(train).error.startswith(error)


def test_a_failed_trial_keeps_its_curve():
    def train(config, report):
        report(3, loss=1.0)
        raise ValueError

    assert call(train).curve.epochs == (3,)
