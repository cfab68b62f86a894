"""One search on two workers, of which some are killed on the way.

python -m tests.benchmarks.killed_workers KILLS EPOCHS
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from typing import Any

import xortune
from tests.small_study import worker_pids

PACKS = 48
EVERY = 8  # packs between two kills


class Killer:
    """Kills a worker, whichever comes first, after every eighth pack."""

    def __init__(self, kills: int) -> None:
        self.left = kills

    def __call__(self, progress: Any) -> None:
        if self.left and progress.done and progress.done % EVERY == 0:
            self.left -= 1
            os.kill(min(worker_pids()), signal.SIGKILL)


def main() -> None:
    kills, epochs = map(int, sys.argv[1:])
    killer = Killer(kills)
    with tempfile.TemporaryDirectory() as results:
        study = xortune.search(
            {"epochs": {"value": epochs}, "seed": {"min": 0, "max": 9999}},
            trials=PACKS,
            sampler="random",
            pack_size=1,
            runner="ray",
            workers=2,
            log_every=epochs,
            name="killed",
            results=results,
            on_progress=killer,
        )
        assert (study.trials["state"] == "COMPLETE").all()
    assert killer.left == 0


if __name__ == "__main__":
    main()
