"""The compiled engine of tables on one core: against the plain loop and a matrix product."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from functools import partial

import torch

from tests.benchmarks import stock_mlp_loop
from tests.benchmarks.core import (
    Action,
    Figure,
    Plan,
    Result,
    Row,
    at_least,
    interleaved,
    one_core,
    rate,
    ratios,
)
from tests.benchmarks.made_table import made_rows
from tests.benchmarks.mlp_lessons import (
    BATCH,
    EPOCHS,
    LANES,
    TABLE_ROWS,
    VALIDATION,
    Lesson,
    flops,
    sizes_of,
    trained,
)

# The networks, with how many times as fast as by the plain engine they are to be trained.
NETWORKS = {"8-32-32-1": 90, "2-8-1": 1000, "16-64-64-3": 20}
FIRST = "8-32-32-1"
SQUARE, PRODUCTS = 1024, 20


def engine_mlp(plan: Plan) -> Result:
    figures: list[Figure] = []
    samples: dict[str, Sequence[float]] = {}
    with one_core():
        for network in NETWORKS:
            taken = _timed(plan, network)
            figures += _speeds(plan.size(LANES), network, taken)
            samples |= {f"{network}, {name}": values for name, values in taken.items()}
    notes = [
        f"Adam, ReLU, batches of {BATCH} of {TABLE_ROWS:,} rows, {EPOCHS} epochs, {VALIDATION} "
        "validation rows, one core. A pack is timed as a worker trains it: initial weights, "
        "orders of rows, training, scores, and a Python object for every outcome. The others "
        "train one network.",
        "The plain engine trains without a DataLoader and with `Adam(fused=True)` over all weights "
        "as one vector; `stock_mlp_loop.py` is a loop as a user would write it, with the same "
        "Adam, and without measuring anything between two epochs.",
        "FLOP/s are those of matrix products, forwards and backwards; what updates and activations "
        f"compute is not counted. sgemm is `torch.mm` of {SQUARE} x {SQUARE} in float32.",
    ]
    return Result(figures, samples, notes)


def _timed(plan: Plan, network: str) -> dict[str, list[float]]:
    lesson, sizes = Lesson.of(network), sizes_of(network)
    trials = lesson.trials(network, plan.size(LANES))
    x, y = map(torch.from_numpy, made_rows(TABLE_ROWS, sizes[0], sizes[-1]))
    actions: dict[str, Action] = {
        "mlp": lambda: trained(lesson.mlp, trials),
        "plain": lambda: trained(lesson.plain, trials[:1]),
        "loop": lambda: stock_mlp_loop.trained(x, y, sizes, 0),
    }
    if network == FIRST:
        actions["sgemm"] = partial(_multiply, *(torch.rand(SQUARE, SQUARE) for _ in range(3)))
    return interleaved(plan.repeats, actions, warm_up=True)


def _multiply(left: torch.Tensor, right: torch.Tensor, product: torch.Tensor) -> None:
    for _ in range(PRODUCTS):
        torch.mm(left, right, out=product)


def _speeds(lanes: int, network: str, taken: Mapping[str, list[float]]) -> list[Figure]:
    ours = taken["mlp"]
    figures = [
        Figure(
            f"lane-epochs, {lanes} lanes of {network}",
            rate(lanes * EPOCHS, ours),
            f"{whose}, {rate(EPOCHS, taken[other])}",
            [lanes * ratio for ratio in ratios(taken[other], ours)],
            goal,
        )
        for whose, other, goal in (
            ("the plain engine", "plain", at_least(NETWORKS[network])),
            ("`stock_mlp_loop.py`", "loop", None),
        )
    ]
    if "sgemm" in taken:
        done, most = lanes * EPOCHS * flops(sizes_of(network)), PRODUCTS * 2 * SQUARE**3
        figures.append(
            Figure(
                f"FLOP/s, {lanes} lanes of {network}",
                _gigaflops(done, ours),
                f"sgemm of {SQUARE}, {_gigaflops(most, taken['sgemm'])}",
                [done / most * ratio for ratio in ratios(taken["sgemm"], ours)],
                at_least(0.35),
            )
        )
    return figures


def _gigaflops(count: float, taken: Sequence[float]) -> str:
    return f"{count / statistics.median(taken) / 1e9:.3g} GFLOP/s"


ROWS = (
    Row(
        25,
        "engine-mlp",
        "Packs of the compiled engine of tables on one core, 256 lanes of one network, against "
        "the plain engine, `python -m tests.benchmarks.stock_mlp_loop` and a matrix product.",
        engine_mlp,
    ),
)
