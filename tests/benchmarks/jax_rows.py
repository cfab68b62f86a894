"""The compiled engine of tables against JAX, which trains the same networks on one core."""

from __future__ import annotations

import importlib.util
import json
import statistics
from collections.abc import Sequence
from importlib.metadata import version

from tests.benchmarks.core import (
    Figure,
    Plan,
    Result,
    Row,
    Skipped,
    at_least,
    interleaved,
    one_core,
    rate,
    ratios,
)
from tests.benchmarks.mlp_lessons import EPOCHS, LANES, Lesson, trained
from tests.benchmarks.mlp_rows import FIRST, NETWORKS
from tests.benchmarks.processes import run

INSTALL = "pip install -c constraints.txt -e '.[benchmarks]'"
CLOSE = 0.05


class StockJax:
    """Runs the script of JAX, and keeps what it printed.

    Args:
        network: such as `8-32-32-1`.
        lanes: how many at least; the script rounds them up.
    """

    def __init__(self, network: str, lanes: int) -> None:
        self._arguments = (*network.split("-"), "--lanes", str(lanes), "--epochs", str(EPOCHS))
        self.ran: list[dict[str, float]] = []

    def __call__(self) -> None:
        printed = run("-m", "tests.benchmarks.stock_mlp_jax", *self._arguments)
        self.ran.append(json.loads(printed.splitlines()[-1]))

    def all(self, name: str) -> list[float]:
        return [one[name] for one in self.ran]


def engine_jax(plan: Plan) -> Result:
    if importlib.util.find_spec("jax") is None:
        raise Skipped(f"it needs JAX: {INSTALL}")
    figures, notes = [], []
    samples: dict[str, Sequence[float]] = {}
    with one_core():
        for network in NETWORKS:
            jax = StockJax(network, plan.size(LANES))
            ours, loss = _timed(plan, network, jax)
            figures.append(_figure(network, ours, jax))
            notes.append(_compared(network, loss, jax))
            samples |= {f"{network}, mlp": ours, f"{network}, JAX": jax.all("seconds")}
            samples[f"{network}, JAX compiles"] = jax.all("compiling")
    notes = [
        f"JAX {version('jax')} with jaxlib {version('jaxlib')}, on one core. The trainings are "
        "those of row 25. What JAX needs for compiling, initial weights and orders of rows is not "
        "counted, nor does it measure validation rows; all of it is in our time.",
        *notes,
    ]
    return Result(figures, samples, notes)


def _timed(plan: Plan, network: str, jax: StockJax) -> tuple[list[float], float]:
    """Our seconds in turn with JAX, and the median training loss of our last epoch."""
    jax()
    lesson = Lesson.of(network)
    trials = lesson.trials(network, int(jax.ran.pop()["lanes"]))
    curves = [outcome.curve for outcome in trained(lesson.mlp, trials)]
    actions = {"mlp": lambda: trained(lesson.mlp, trials), "JAX": jax}
    taken = interleaved(plan.repeats, actions)
    return taken["mlp"], statistics.median(curve.series["training"][-1] for curve in curves)


def _figure(network: str, ours: Sequence[float], jax: StockJax) -> Figure:
    lanes, theirs = int(jax.ran[0]["lanes"]), jax.all("seconds")
    return Figure(
        f"lane-epochs, {lanes} lanes of {network}",
        rate(lanes * EPOCHS, ours),
        f"JAX, {rate(lanes * EPOCHS, theirs)}",
        ratios(theirs, ours),
        at_least(2) if network == FIRST else None,
    )


def _compared(network: str, loss: float, jax: StockJax) -> str:
    """What a training of JAX comes to.

    Raises:
        AssertionError: its losses and ours differ by more than by chance.
    """
    theirs = jax.ran[0]["loss"]
    if not abs(loss / theirs - 1) <= CLOSE:
        raise AssertionError(
            f"JAX does not train the same: {network} ends with {theirs}, not {loss}"
        )
    return (
        f"{network}: JAX compiles in {statistics.median(jax.all('compiling')):.2g} s. The mean "
        f"batch loss of the last epoch, its median over the lanes, is {loss:.3g} with ours and "
        f"{theirs:.3g} with JAX, which has other initial weights and orders; more than "
        f"{CLOSE:.0%} of difference would have been an error."
    )


ROWS = (
    Row(
        27,
        "engine-jax",
        "The packs of row 25 against `python -m tests.benchmarks.stock_mlp_jax`: JAX on one core, "
        "`vmap` and `jit`, without compiling.",
        engine_jax,
    ),
)
