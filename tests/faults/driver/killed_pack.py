"""A driver that records one pack at a rung, and kills itself at a write boundary.

What a child of the fork server runs; nothing here is in the product.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.faults.driver.killed_driver import Boundaries
from tests.ledger.rungs import complete, lane, new_study, pruned, rung_settings
from xortune.ledger import Ledger
from xortune.paths import StudyPaths
from xortune.trial import FinishedTrial, Outcome

SETTINGS = rung_settings(3)
SPEC = SETTINGS.spec
# At the first rung: four trials, one of which has a lane that ended.
EARLIER: Mapping[int, tuple[Outcome, ...]] = {
    number: (lane(), lane("FAIL" if number == 2 else "RUNNING"), lane()) for number in range(4)
}
# At the second: one trial is complete, another is pruned, and two wait for the next.
LATER = {number: (lane(epoch=15), *EARLIER[number][1:]) for number in (2, 3)}


def pack() -> list[FinishedTrial]:
    return [complete(SPEC, 0, 3), pruned(SPEC, 1)]


def begin(folder: Path) -> StudyPaths:
    """A study whose trials wait at the first rung."""
    paths = new_study(folder, SETTINGS)
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([], paused=EARLIER)
    return paths


def record(folder: str, last: int | None, journal: str | None = None) -> int:
    """Records the second rung; is killed at a boundary, or writes how many there are."""
    boundaries = Boundaries(last)
    with Ledger.open(StudyPaths(Path(folder))) as ledger:
        boundaries.install()
        ledger.finish_trials(pack(), paused=LATER)
        passed = list(boundaries.passed)
    if journal is not None:
        Path(journal).write_text("\n".join(passed))
    return 0
