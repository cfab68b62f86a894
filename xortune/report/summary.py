"""A study in a few numbers."""

from __future__ import annotations

from typing import Any

import pandas as pd

from xortune.trial import LOSS_FNS, STATES


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


def _best(ranked: pd.DataFrame) -> dict[str, Any]:
    row = ranked.iloc[0]
    return {
        "number": int(row["number"]),
        "rank": int(row["rank"]),
        "final_loss": float(row["final_loss"]),
    }
