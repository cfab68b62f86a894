"""One call: what counts as a result, and what a failure says."""

import math
from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest
import torch

import xortune
from xortune.engines.function.calls import called
from xortune.problems.function.spec import function_spec
from xortune.space import inferred_parameters

SPACE = {"x": {"min": 0.0, "max": 1.0}}


def call(train, log_every=None, config=None, limits=(), **declared):
    problem = xortune.Problem(train, SPACE, **declared)
    spec = function_spec(problem, "mine", inferred_parameters(SPACE))
    own = __file__
    shown = lambda name: "mine.py" if name == own else None  # noqa: E731
    return called(problem, spec, config or {"x": 0.5}, log_every, shown, limits)


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


def climb(config, report):
    """Reports a loss of a tenth of the epoch."""
    for epoch in range(9):
        report(epoch, loss=epoch / 10, gap=float(epoch))
    return {"loss": 0.0, "height": 1.0}


def swallow(config, report):
    for epoch in range(9):
        with suppress(BaseException):
            report(epoch, loss=epoch / 10, gap=float(epoch))
    return {"loss": "low", "height": 1.0}


def catch_exceptions(config, report):
    for epoch in range(9):
        try:
            report(epoch, loss=epoch / 10, gap=float(epoch))
        except Exception:
            raise AssertionError("it is not an Exception") from None
    return {"loss": 0.0, "height": 1.0}


def fail_afterwards(config, report):
    try:
        climb(config, report)
    finally:
        raise ValueError("while it cleans up")


@pytest.mark.parametrize("train", [climb, swallow, catch_exceptions, fail_afterwards])
def test_a_pruned_trial_has_what_it_measured_there_whatever_its_function_makes_of_it(train):
    result = call(train, limits=[(2, 0.5), (4, 0.35)], metrics=["gap", "height"])
    assert (result.pruned, result.error) == (True, None)
    assert result.scores[:2] == (0.4, 4.0)
    assert math.isnan(result.scores[2])
    assert result.curve.epochs == (0, 1, 2, 3, 4)
    assert result.curve.series["loss"][-1] == 0.4


def test_a_trial_that_reaches_its_limits_ends_as_without_them():
    assert call(climb, limits=[(2, 0.5), (100, 0.0)]) == call(climb)._replace(
        duration_s=pytest.approx(0, abs=9)
    )


def test_a_pruned_function_cleans_up():
    done = []

    def train(config, report):
        try:
            report(1, loss=2.0)
        finally:
            done.append("finally")

    assert call(train, limits=[(1, 1.0)]).pruned
    assert done == ["finally"]


def test_more_is_better_where_the_objective_says_so():
    assert not call(climb, limits=[(4, 3.0)], objective="gap:max").pruned
    assert call(climb, limits=[(4, 5.0)], objective="gap:max", metrics=["loss"]).scores == (
        4.0,
        0.4,
    )


def test_a_function_that_only_returns_its_objective_is_not_pruned():
    def train(config, report):
        report(5, gap=1.0)
        return {"loss": 9.0}

    for function in (train, lambda config, report: 9.0):
        result = call(function, limits=[(1, 0.5)])
        assert (result.pruned, result.scores[0]) == (False, 9.0)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (math.nan, "loss is not finite at epoch 3: nan"),
        (-math.nan, "loss is not finite at epoch 3: nan"),
        ("low", "loss is not a number: 'low'"),
    ],
)
def test_a_trial_without_a_finite_objective_at_a_limit_fails_there(value, error):
    def train(config, report):
        report(3, loss=value)
        report(4, loss=1.0)

    result = call(train, limits=[(1, math.inf)])
    assert (result.pruned, result.scores, result.error) == (False, None, error)
    assert result.curve.epochs == (3,)


def test_an_infinite_objective_goes_on_where_any_number_does():
    def train(config, report):
        report(1, loss=math.inf)
        return 1.0

    assert call(train, limits=[(1, math.inf)]).scores == (1.0,)
    assert call(train, limits=[(1, 1e308)]).error == "loss is not finite at epoch 1: inf"


def test_a_function_cannot_prune_itself():
    def train(config, report):
        raise xortune.Pruned("I give up")

    result = call(train, limits=[(1, 1.0)])
    assert not result.pruned
    assert result.error.startswith("Pruned: I give up (mine.py:")
