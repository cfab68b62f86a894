"""Where the time of one run of a study went."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RunTime:
    """One search or resume, in seconds.

    Attributes:
        wall: from its beginning to its end.
        start_up: of these, until the first worker began to train, without sampling and writing.
        sampler: the driver's, asking for trials.
        writing: the driver's, for the ledger, the TensorBoard runs and the tables.
        workers: how many packs could be trained at once.
        training: the workers', all added up, as are the next two.
        queue: packs on their way: they wait for a worker, travel, or wait for the driver.
        idle: workers without a pack, after the start-up.
    """

    wall: float
    start_up: float
    sampler: float
    writing: float
    workers: int
    training: float
    queue: float
    idle: float
