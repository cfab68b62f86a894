"""A study in a few numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from xortune.run_time import RunTime
from xortune.trial import LOSS_FNS, STATES

_TIMES = ("wall", "start_up", "sampler", "training", "queue", "writing", "idle")


def summarise(frame: pd.DataFrame) -> dict[str, Any]:
    """What stands above the table, as plain values that JSON can hold.

    Returns:
        `trials`: how many there are; `states`: how many of each state; `solved`: how many of
        the complete ones are solved; `best`: by loss function, its best trial's number, rank
        and final loss.
    """
    complete = frame[frame["state"] == "COMPLETE"]
    counts = frame["state"].value_counts()
    return {
        "trials": len(frame),
        "states": {state: int(counts[state]) for state in STATES if state in counts},
        "solved": int(complete["solved"].sum()),
        "best": {
            loss_fn: _best(complete[complete["loss_fn"] == loss_fn])
            for loss_fn in LOSS_FNS
            if (complete["loss_fn"] == loss_fn).any()
        },
    }


def summarise_time(runs: Sequence[RunTime]) -> dict[str, float]:
    """Where the time of all runs of a study went, as `RunTime` has it, in seconds.

    Added up; a run that was killed has left nothing.
    """
    records = [asdict(run) for run in runs]
    return {name: sum(r[name] for r in records) for name in _TIMES if records}


def _best(ranked: pd.DataFrame) -> dict[str, Any]:
    row = ranked.iloc[0]
    return {
        "number": int(row["number"]),
        "rank": int(row["rank"]),
        "final_loss": float(row["final_loss"]),
    }
