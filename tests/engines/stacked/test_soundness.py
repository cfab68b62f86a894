"""What a model, a loss or a metric must not do, and what is said of it before a search."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.engines.stacked import nets
from tests.modules import MIXED, Made
from xortune.engines.stacked.fitness import looked_at
from xortune.problems.module.losses import LOSSES

GENERATOR = np.random.default_rng()
KEPT = nn.Linear(3, 1)


class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(3, 1)
        self.seen = 0

    def forward(self, x):
        return self.out(x)


class Counting(Line):
    def forward(self, x):
        self.seen += 1
        return self.out(x) / self.seen


class Remembering(Line):
    def forward(self, x):
        outputs = self.out(x) + self.seen
        self.seen = outputs.detach().mean()
        return outputs


class Showing(Line):
    """Keeps what it has computed for who wants to see it, and never reads it."""

    def forward(self, x):
        self.seen = self.out(x)
        return self.seen


class CountingInABuffer(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(3, 1)
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x):
        self.seen = self.seen + 1
        return self.out(x) / self.seen


class DrawingFromItsOwn(Line):
    def forward(self, x):
        return self.out(x) + float(GENERATOR.normal())


class ChangingItsInput(Line):
    def forward(self, x):
        x -= x.mean(0)
        return self.out(x)


class WithoutNumbers(Line):
    def __init__(self):
        super().__init__()
        self.register_buffer("scale", torch.ones(1, device="meta"))


class OfWholeNumbers(Line):
    def forward(self, x):
        return (self.out(x) > 0).long()


class LookingUp(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(3, 1)

    def forward(self, x):
        return self.table(x)[:, 0]


def faults_of(made: Made, **rows) -> tuple[str, ...]:
    """What is said of a module, perhaps with other rows."""
    lesson = made()
    changed = {name: change(getattr(lesson, name)) for name, change in rows.items()}
    return looked_at(replace(lesson, **changed), [made.trial()]).faults


def of_line(**changes) -> Made:
    return replace(nets.made(Line), **changes)


def column(y):
    return y[:, 0]


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (Counting, "forward remembers an earlier call (seen), and a trial that is paused would"),
        (Remembering, "forward remembers an earlier call (seen), and a trial that is paused would"),
        (DrawingFromItsOwn, "the same trial has another gradient when it is computed again: the"),
        (ChangingItsInput, "the model changes its input in place, which all trials share (x, x_v"),
        (WithoutNumbers, "scale is on meta, and must be on the CPU"),
        (lambda: nn.Linear(3, 1, device="meta"), "the parameter weight is float32 on meta, and"),
        (lambda: KEPT, "the model returns the same parameter weight at every call, so trials"),
        (OfWholeNumbers, "the model returns int64, and must return fractions"),
        (LookingUp, "RuntimeError: Expected tensor for argument #1 'indices'"),
    ],
)
def test_a_model_is_a_function_of_its_trial_alone(make, fault):
    (found,) = faults_of(nets.made(make))
    assert found.startswith(fault)


@pytest.mark.parametrize("make", [Showing, CountingInABuffer])
def test_what_a_pause_does_not_lose_may_change(make):
    assert faults_of(nets.made(make)) == ()


def test_a_model_with_buffers_dropout_and_tied_weights_has_no_fault():
    assert looked_at(MIXED(), [MIXED.trial()]).faults == ()


def test_rows_of_a_type_that_the_model_does_not_take_get_a_remedy():
    (fault,) = faults_of(nets.made(LookingUp))
    assert fault.endswith("; x holds fractions: for an embedding, give whole numbers, by x.long()")
    whole = {"x": torch.Tensor.long, "x_validation": torch.Tensor.long}
    (fault,) = faults_of(of_line(), **whole)
    assert fault.endswith("; x holds whole numbers: for a network, give fractions, by x.float()")


@pytest.mark.parametrize(
    ("function", "fault"),
    [
        (lambda o, y: ((o - y) ** 2).mean(), "compares each row with all others, since the output"),
        (nn.MSELoss(), "compares each row with all others, since the output has the shape (10, 1)"),
        (lambda o, y: F.mse_loss(o[:, 0], y.mul_(2)), "changes the target in place, which others"),
        (lambda o, y: F.mse_loss(o.mul_(2)[:, 0], y), "changes the output in place, which others"),
    ],
)
@pytest.mark.parametrize("kind", ["loss", "metric"])
def test_losses_and_metrics_compare_row_by_row_and_leave_rows_alone(kind, function, fault):
    loss = function if kind == "loss" else lambda o, y: F.mse_loss(o[:, 0], y)
    made = of_line(losses={"own": loss}, metrics={"own": function} if kind == "metric" else {})
    (found,) = faults_of(made, y=column, y_validation=column)
    assert found.startswith(f"the {kind} own {fault}")


def test_a_comparison_of_all_rows_is_found_where_a_new_model_answers_alike_for_all():
    def accuracy(o, y):
        return ((o > 0) == (y > 0)).float().mean()

    def zeros():
        line = nn.Linear(3, 1)
        nn.init.constant_(line.bias, 9.0)
        return line

    made = replace(nets.made(zeros), losses={"mse": LOSSES["mse"]}, metrics={"accuracy": accuracy})
    (fault,) = faults_of(made, y=column, y_validation=column)
    assert fault.startswith("the metric accuracy compares each row with all others")
    assert faults_of(made) == ()


@pytest.mark.parametrize(
    ("metric", "fault"),
    [
        (lambda o, y: o[torch.randperm(len(o))[:3]].mean(), "draws random numbers (randperm)"),
        (lambda o, y: o[np.random.randint(9)].mean(), "draws random numbers (NumPy)"),
        (lambda o, y: float(GENERATOR.normal()), "gives another number when it is called again"),
        (lambda o, y: o - y, "is not a number: a tensor of the shape (10, 1)"),
        (lambda o, y: (o > y).all(), "is not a number: a tensor of the type bool; use .float()"),
        (lambda o, y: None, "is not a number: None"),
    ],
)
def test_a_metric_is_one_number_of_its_model(metric, fault):
    (found,) = faults_of(of_line(metrics={"own": metric}))
    assert found.startswith(f"the metric own {fault}")


@pytest.mark.parametrize(
    ("loss", "change", "fault"),
    [
        ("cross_entropy", lambda y: y.fill_(3), "y holds the class 3 (row 0), and the model has 3"),
        ("cross_entropy", lambda y: y.fill_(-1), "y holds the class -1 (row 0)"),
        ("bce_with_logits", lambda y: y.fill_(1.5), "takes targets from 0 to 1, and y holds 1.5"),
    ],
)
def test_targets_are_those_that_the_loss_takes(loss, change, fault):
    classes = loss == "cross_entropy"
    make = (lambda: nn.Linear(3, 3)) if classes else Line
    made = replace(nets.made(make), losses={loss: LOSSES[loss]}, metrics={})
    right = {} if classes else {"y": torch.sigmoid, "y_validation": torch.sigmoid}
    assert faults_of(made, **right) == ()
    (found,) = faults_of(made, **right, y=change) if classes else faults_of(made, y=change)
    assert fault in found


def test_a_class_that_the_search_never_sees_is_found_too():
    made = replace(nets.made(lambda: nn.Linear(3, 3)), losses={"cross_entropy": F.cross_entropy})
    made = replace(made, losses={"cross_entropy": LOSSES["cross_entropy"]}, metrics={}, rows=3000)
    last = {"y": lambda y: torch.cat((y[:-1], torch.tensor([7])))}
    (found,) = faults_of(made, **last)
    assert found.startswith(
        "cross_entropy: y holds the class 7 (row 2999), and the model has 3 out"
    )
    tested = {"x_test": lambda _: made().x[:2], "y_test": lambda _: torch.tensor([0, 4])}
    (found,) = faults_of(made, **tested)
    assert found.startswith("cross_entropy: y_test holds the class 4 (row 1)")


def test_a_metric_that_fails_on_the_test_rows_is_found_before_the_search():
    def picky(output, target):
        assert len(output) == 10, "not ten rows"
        return 1.0

    tested = {"x_test": lambda _: torch.ones(4, 3), "y_test": lambda _: torch.ones(4, 1)}
    (found,) = faults_of(of_line(metrics={"picky": picky}), **tested)
    assert found.startswith("on the test rows: AssertionError: not ten rows")


def test_a_last_batch_that_the_model_cannot_train_with_is_a_fault():
    made = replace(nets.made(nets.batch_norm), rows=20)
    sound, alone = (looked_at(made(), [made.trial(batch_size=size)]) for size in (18, 19))
    assert sound.faults == ()
    (fault,) = alone.faults
    assert fault.startswith("the last batch of an epoch has 1 row, by batch_size 19, and fails: Va")


def test_a_fault_that_differs_in_its_numbers_alone_is_said_once():
    made = of_line(losses={"own": lambda o, y: float(((o - y) ** 2).mean())})
    found = looked_at(made(), [made.trial(seed=seed) for seed in range(3)])
    assert len(found.faults) == 1
