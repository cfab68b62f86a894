"""What faults cost: the same search with workers that are killed on the way."""

from __future__ import annotations

from tests.benchmarks.core import Figure, Plan, Result, Row, duration, interleaved, ratios
from tests.benchmarks.processes import REST_S, module

KILLS = 5


def killed_workers(plan: Plan) -> Result:
    epochs = plan.size(5_000_000)
    script = "tests.benchmarks.killed_workers"
    taken = interleaved(
        plan.repeats,
        {
            "killed": module(script, str(KILLS), str(epochs)),
            "undisturbed": module(script, "0", str(epochs)),
        },
        rest=REST_S,
        warm_up=True,
    )
    extra = [a - b for a, b in zip(taken["killed"], taken["undisturbed"], strict=True)]
    ours, against = duration(taken["killed"]), f"none, {duration(taken['undisturbed'])}"
    what = f"wall clock, 48 packs on two workers, {KILLS} kills"
    figures = [
        Figure(what, ours, against, ratios(taken["killed"], taken["undisturbed"])),
        Figure(f"{what}: the difference", ours, against, extra, unit=" s"),
    ]
    return Result(figures, taken)


ROWS = (
    Row(
        13,
        "killed-workers",
        "A search on two workers, one of which is killed after every eighth pack, five times, "
        "against the same one undisturbed.",
        killed_workers,
    ),
)
