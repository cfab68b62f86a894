"""How a run of a study spent its time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RunTime:
    """One search or resume, in seconds.

    Attributes:
        wall: from start to end.
        start_up: of these, until the first worker trained, without sampling and writing.
        sampler: the driver's, to ask for trials.
        writing: the driver's, for the ledger, the TensorBoard runs and the tables.
        workers: how many packs could be trained at once.
        training: the sum over all workers, as are the next two.
        queue: packs waiting for a worker, travelling, or waiting for the driver.
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
