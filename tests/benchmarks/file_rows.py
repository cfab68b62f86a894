"""What is written: TensorBoard runs, and the ledger."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tests.benchmarks import stock_journal
from tests.benchmarks.core import (
    Figure,
    Goal,
    Plan,
    Result,
    Row,
    at_least,
    duration,
    interleaved,
    ratios,
)
from tests.benchmarks.engine_rows import random_trials
from tests.benchmarks.sampler_rows import made_up
from tests.benchmarks.stock_writer import write_run
from tests.make import make_curve, make_provenance, make_settings, make_weights
from xortune.ledger import Ledger
from xortune.paths import StudyPaths
from xortune.problems.xor.data import load_data
from xortune.problems.xor.graph import GRAPH
from xortune.problems.xor.model import seeded_model
from xortune.problems.xor.spec import SPEC
from xortune.space import load_space
from xortune.tensorboard.runs import RunWriter
from xortune.trial import FinishedTrial, Trial

RUNS, STOCK_RUNS, POINTS = 500, 50, 20
TRIALS, STOCK_TRIALS, PACK, CURVE = 2000, 200, 100, 8


def finished_trials(count: int, points: int) -> list[FinishedTrial]:
    """Trials of the default space with outcomes that are made up."""
    made = []
    for number, params in enumerate(random_trials(count)):
        losses = tuple(1 / (point + 1) + number * 1e-6 for point in range(points))
        epochs = tuple(range(0, 500 * points, 500))
        outcome = replace(
            made_up(params),
            curve=make_curve(epochs, losses, losses),
            weights=make_weights(losses[0] + k / 7 for k in range(9)),
            duration_s=0.01,
            worker="worker:1",
        )
        made.append(FinishedTrial(Trial(number, 0, params), outcome))
    return made


def tensorboard(plan: Plan) -> Result:
    finished = finished_trials(plan.size(RUNS), POINTS)
    few = finished[: plan.size(STOCK_RUNS)]
    with tempfile.TemporaryDirectory() as scratch:
        folders = _fresh(scratch)
        taken = interleaved(
            plan.repeats,
            {
                "ours": lambda: _our_runs(next(folders), finished),
                "stock": lambda: _stock_runs(next(folders), few, graph=True),
                "stock, no graph": lambda: _stock_runs(next(folders), few, graph=False),
            },
            rest=0.1,
            warm_up=True,
        )
    what = f"a run of {POINTS} points, graph, hparams"
    figures = [
        _per_trial(what, taken, len(finished), "stock", "SummaryWriter", len(few), at_least(8)),
        _per_trial(
            what, taken, len(finished), "stock, no graph", "SummaryWriter without graph", len(few)
        ),
    ]
    notes = [
        "Ours writes the graph that PyTorch traces from a table; SummaryWriter traces it for every "
        "run. The line without graph leaves it out for SummaryWriter alone.",
        "SummaryWriter's hparams go into the run's own file instead of a second one, which is "
        "what `add_hparams` would open.",
    ]
    return Result(figures, taken, notes)


def ledger(plan: Plan) -> Result:
    finished = finished_trials(plan.size(TRIALS), CURVE)
    few = finished[: plan.size(STOCK_TRIALS)]
    with tempfile.TemporaryDirectory() as scratch:
        folders = _fresh(scratch)
        taken = interleaved(
            plan.repeats,
            {
                "ours": lambda: _our_ledger(next(folders), finished),
                "stock": lambda: stock_journal.trial_by_trial(next(folders), few),
                "stock, as finished": lambda: stock_journal.as_finished(next(folders), few),
            },
            rest=0.1,
            warm_up=True,
        )
    what = "a trial made durable"
    figures = [
        _per_trial(what, taken, len(finished), "stock", "Optuna's journal", len(few), at_least(20)),
        _per_trial(what, taken, len(finished), "stock, as finished", "one entry a trial", len(few)),
    ]
    notes = [
        f"Ours creates the ledger, adds all trials, and finishes them in packs of {PACK}, with "
        f"curves of {CURVE} points and nine weights each; the journal gets parameters and the "
        "final loss alone. The second line is the journal given trials that have ended already.",
    ]
    return Result(figures, taken, notes)


def _per_trial(
    what: str,
    taken: dict[str, list[float]],
    count: int,
    stock: str,
    against: str,
    stock_count: int,
    goal: Goal | None = None,
) -> Figure:
    ours_s = [s / count for s in taken["ours"]]
    stock_s = [s / stock_count for s in taken[stock]]
    versus = f"{against}, {duration(stock_s)}"
    return Figure(what, duration(ours_s), versus, ratios(stock_s, ours_s), goal)


def _our_runs(folder: Path, finished: Sequence[FinishedTrial]) -> None:
    folder.mkdir()
    writer = RunWriter(StudyPaths(folder), load_space("default", SPEC), lambda params: GRAPH)
    for f in finished:
        writer.write(f)


def _stock_runs(folder: Path, finished: Sequence[FinishedTrial], graph: bool) -> None:
    x, model = load_data("xor").training.x, seeded_model(0)
    for f in finished:
        curve, scores = f.outcome.curve, f.outcome.scores
        assert scores is not None
        write_run(
            folder / f"trial-{f.trial.number:05d}",
            model if graph else None,
            x,
            dict(f.trial.params),
            zip(curve.epochs, *curve.series.values()),
            {
                "final_loss": scores["mse"],
                "train_loss": scores["train_loss"],
                "accuracy": scores["accuracy"],
            },
        )


def _our_ledger(folder: Path, finished: Sequence[FinishedTrial]) -> None:
    space = load_space("default", SPEC).parameters
    settings = make_settings(space=space, trials=len(finished))
    with Ledger.create(StudyPaths(folder), settings, make_provenance()) as written:
        written.add_trials(f.trial for f in finished)
        for start in range(0, len(finished), PACK):
            written.finish_trials(finished[start : start + PACK])


def _fresh(scratch: str) -> Iterator[Path]:
    return (Path(scratch) / f"place-{i}" for i in itertools.count())


ROWS = (
    Row(
        10,
        "tensorboard",
        "Runs written by `RunWriter` against the same content written by PyTorch's "
        "`SummaryWriter`, per trial.",
        tensorboard,
    ),
    Row(
        11,
        "ledger",
        "Trials recorded in the ledger in packs of 100 against Optuna's `JournalStorage` on a file "
        "(create a trial, set its parameters, tell it), per trial.",
        ledger,
    ),
)
