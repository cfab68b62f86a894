"""Pruning: the best loss at half the epochs, against that of a search without a pruner."""

from __future__ import annotations

import io
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import xortune
from tests.benchmarks.core import ROOT, Figure, Plan, Result, Row, at_most

STUDIES = 20
SPACE_NAME = "tests/benchmarks/pruned_table.yaml"
SPACE = str(ROOT / SPACE_NAME)
# Of a table: 56 trials of 27 epochs, and with a pruner as many as half of their epochs allow, with
# rungs at 1, 3 and 9: a third of the trials passes each of them, or half.
PLAIN = 56
PRUNED = {"halving": 243, "median": 120}
TASKS = {"digits": "classes", "diabetes": "regression"}
LAB_PLAIN, LAB_PRUNED = 200, {"halving": 1000}


@dataclass(frozen=True)
class Best:
    """What a search came to.

    Attributes:
        loss: its best final loss.
        epochs: how many it trained, over all trials.
        complete: how many trials it trained to the end.
    """

    loss: float
    epochs: int
    complete: int


def of_table(name: str, plan: Plan) -> Result:
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / f"{name}.csv"
        _write_csv(name, data)
        table = {"space": SPACE, "data": data, "target": "y", "task": TASKS[name]}
        plain, pruned = _searched(plan, table, PLAIN, PRUNED)
    figures, notes = [], []
    for pruner, found in pruned.items():
        figures += [
            _losses(f"{name}, `--pruner {pruner}`: best final loss", plain, found, at_most(1)),
            _epochs(f"{name}, `--pruner {pruner}`: trial-epochs", plain, found, at_most(0.5)),
        ]
        notes += _notes(pruner, plain, found)
    return Result(figures, _samples(plain, pruned), notes)


def of_lab(plan: Plan) -> Result:
    lab = {"space": "default"}
    plain, pruned = _searched(plan, lab, LAB_PLAIN, LAB_PRUNED)
    found = pruned["halving"]
    return Result(
        [
            _losses("the lab's problem: best final loss", plain, found, None),
            _epochs("the lab's problem: trial-epochs", plain, found, None),
        ],
        _samples(plain, pruned),
        [
            *_notes("halving", plain, found),
            "The limit on epochs is looked at between two generations, and so exceeded by part of "
            "one. The search seldom gets below 9e-9 with or without a pruner: its best trials "
            "lie at the upper ends of the learning rate and of the epochs.",
        ],
    )


def _searched(
    plan: Plan, common: Mapping[str, Any], plain: int, pruned: Mapping[str, int]
) -> tuple[list[Best], dict[str, list[Best]]]:
    """A search without a pruner and one with each at half its epochs, for every study seed.

    Args:
        plan: how much to measure.
        common: the keywords of all searches.
        plain: the trials without a pruner.
        pruned: the most trials with each pruner.
    """
    without: list[Best] = []
    found: dict[str, list[Best]] = {pruner: [] for pruner in pruned}
    for study_seed in range(plan.size(STUDIES)):
        first = _best(study_seed, {**common, "trials": plain})
        without.append(first)
        for pruner, trials in pruned.items():
            limits = {"pruner": pruner, "trials": trials, "epoch_budget": first.epochs // 2}
            found[pruner].append(_best(study_seed, {**common, **limits}))
    return without, found


def _best(study_seed: int, settings: Mapping[str, Any]) -> Best:
    # What a search says of its data is not needed forty times.
    with tempfile.TemporaryDirectory() as results, redirect_stderr(io.StringIO()):
        study = xortune.search(
            **settings, study_seed=study_seed, confirm="none", runner="inline", name="pruning",
            results=results,
        )  # fmt: skip
        trials = study.trials
    epochs = trials["epochs"]
    if "pruned_epoch" in trials:
        epochs = trials["pruned_epoch"].fillna(epochs)
    complete = trials["state"] == "COMPLETE"
    return Best(float(trials["final_loss"].min()), int(epochs.sum()), int(complete.sum()))


def _write_csv(name: str, path: Path) -> None:
    """Writes one of scikit-learn's tables, with the columns x0, x1 ... and y."""
    from sklearn import datasets

    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    names = [*(f"x{place}" for place in range(x.shape[1])), "y"]
    lines = np.column_stack((x, y))
    np.savetxt(path, lines, "%.9g", ",", header=",".join(names), comments="")


def _losses(what: str, plain: Sequence[Best], pruned: Sequence[Best], goal: Any) -> Figure:
    """Compares the medians."""
    ours, other = (statistics.median(one.loss for one in found) for found in (pruned, plain))
    against = f"no pruner, {other:.3g}"
    named = f"{what}, median of {len(plain)} study seeds"
    return Figure(named, f"{ours:.3g}", against, [ours / other], goal)


def _epochs(what: str, plain: Sequence[Best], pruned: Sequence[Best], goal: Any) -> Figure:
    ours, other = (statistics.median(one.epochs for one in found) for found in (pruned, plain))
    shares = [a.epochs / b.epochs for a, b in zip(pruned, plain, strict=True)]
    return Figure(what, f"{ours:,.0f}", f"no pruner, {other:,.0f}", shares, goal)


def _notes(pruner: str, plain: Sequence[Best], pruned: Sequence[Best]) -> list[str]:
    pairs = [*zip(pruned, plain, strict=True)]
    ratios = sorted(a.loss / b.loss for a, b in pairs)
    counts = (statistics.median(one.complete for one in found) for found in (plain, pruned))
    return [
        f"Study seeds 0 to {len(plain) - 1}, whatever --repeats says. With {pruner} the best loss "
        f"is not worse on {sum(a.loss <= b.loss for a, b in pairs)} of {len(pairs)}; the ratio of "
        f"the two is {ratios[0]:.3g} to {ratios[-1]:.3g}, its median "
        f"{statistics.median(ratios):.3g}.",
        "Trained to the end: {:.0f} trials without a pruner, {:.0f} with it (medians). A pruned "
        "trial counts with the epochs up to its rung.".format(*counts),
    ]


def _samples(plain: Sequence[Best], pruned: Mapping[str, Sequence[Best]]) -> dict[str, list[float]]:
    return {
        f"{name}, {whose}": [getattr(one, name) for one in found]
        for whose, found in {"no pruner": plain, **pruned}.items()
        for name in ("loss", "epochs", "complete")
    }


def _table_row(number: int, name: str) -> Row:
    search = f"{SPACE_NAME} --data {name}.csv --target y --task {TASKS[name]}"
    return Row(
        number,
        f"pruning-{name}",
        f"`python -m xortune search {search} --trials {PLAIN} --confirm none --study-seed S`, "
        f"against {' and '.join(f'`--trials {n} --pruner {p}`' for p, n in PRUNED.items())}, each "
        "with an `--epoch-budget` of half its trial-epochs. The table is scikit-learn's.",
        partial(of_table, name),
    )


ROWS = (
    _table_row(20, "digits"),
    _table_row(21, "diabetes"),
    Row(
        22,
        "pruning-lab",
        f"`python -m xortune search --trials {LAB_PLAIN} --confirm none --study-seed S`, against "
        f"`--trials {LAB_PRUNED['halving']} --pruner halving` and an `--epoch-budget` of half its "
        "trial-epochs.",
        of_lab,
    ),
)
