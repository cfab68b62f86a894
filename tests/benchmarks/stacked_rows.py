"""Stacks of lanes of a module on one core, operation by operation and compiled, against a loop."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from tests.benchmarks.core import (
    ROOT,
    Action,
    Figure,
    Plan,
    Result,
    Row,
    at_least,
    duration,
    interleaved,
    one_core,
    ratios,
)
from tests.modules import Made
from xortune.engines.engine import Trainer
from xortune.engines.stacked.padding import Padding
from xortune.studies.checking import check
from xortune.trial import Lane

LANES = 256
EPOCHS, EPOCHS_ALONE = 6, 20  # beyond the first


def perceptron() -> nn.Module:
    return nn.Sequential(
        nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1)
    )


PROBLEM = Made(perceptron, (), (8,), metrics={}, rows=1000)


def stacked(plan: Plan) -> Result:
    return _against_a_loop(plan, lambda: PROBLEM.stacked(Padding()).open("cpu"), 12)


def compiled(plan: Plan) -> Result:
    engine = PROBLEM.stacked(Padding()).as_compiled(Padding())
    return _against_a_loop(plan, lambda: engine.open("cpu"), 35)


def _against_a_loop(plan: Plan, opened: Callable[[], Trainer], goal: float) -> Result:
    lanes = plan.size(LANES)
    with one_core():
        ours, plain = opened(), PROBLEM.plain().open("cpu")
        actions: dict[str, Action] = {
            "ours, first": lambda: _train(ours, lanes, 1),
            "ours": lambda: _train(ours, lanes, 1 + EPOCHS),
            "plain, first": lambda: _train(plain, 1, 1),
            "plain": lambda: _train(plain, 1, 1 + EPOCHS_ALONE),
        }
        taken = interleaved(plan.repeats, actions, warm_up=True)
    ours_s = _per_epoch(taken["ours"], taken["ours, first"], lanes * EPOCHS)
    plain_s = _per_epoch(taken["plain"], taken["plain, first"], EPOCHS_ALONE)
    figure = Figure(
        f"an epoch of a lane of 8-32-32-1, {lanes} lanes, batch 32 of 1,000 rows, one core",
        duration(ours_s),
        f"the plain loop with fused Adam, {duration(plain_s)}",
        ratios(plain_s, ours_s),
        at_least(goal),
    )
    notes = [
        "The loss on 500 validation rows is measured after every epoch by both. Building modules, "
        "the first epoch and compiling are left out."
    ]
    return Result([figure], taken, notes)


def _train(trainer: Trainer, count: int, epochs: int) -> None:
    params = {"batch_size": 32, "optimizer": "adam", "epochs": epochs}
    lanes = [Lane(PROBLEM.trial(**params, seed=seed), number=seed) for seed in range(count)]
    outcomes = trainer.train(lanes, log_every=1000)
    assert all(outcome.state == "COMPLETE" for outcome in outcomes), outcomes[0].error


def _per_epoch(many: list[float], first: list[float], epochs: int) -> list[float]:
    return [max(m - f, 1e-9) / epochs for m, f in zip(many, first)]


def digits(plan: Plan) -> Result:
    chosen, other, names = [], [], ("", "")
    for _ in range(plan.repeats):
        found = check(ROOT / "search_spaces" / "digits.py")
        (against,) = (name for name in found.seconds if name != found.engine)
        names = found.engine, against
        chosen.append(found.seconds[found.engine])
        other.append(found.seconds[against])
    figure = Figure(
        f"a trial of handwritten digits, a convolution, by {names[0]}, which is chosen",
        duration(chosen),
        f"{names[1]}, {duration(other)}",
        ratios(other, chosen),
        at_least(1),
    )
    notes = ["Seconds of a processor at the smallest point of the space, as the check times them."]
    return Result([figure], {"chosen": chosen, "other": other}, notes)


_HOW = "256 modules in a pack against one in PyTorch's own loop with fused Adam, per lane and epoch"
ROWS = (
    Row(42, "module-stacked", f"`stacked`: {_HOW}.", stacked),
    Row(43, "module-compiled", f"`stacked-compiled`: {_HOW}.", compiled),
    Row(
        44,
        "digits-engine",
        "`python -m xortune check search_spaces/digits.py`: the engine that is chosen for a "
        "convolution against the other one.",
        digits,
    ),
)
