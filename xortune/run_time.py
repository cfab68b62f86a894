"""How a run of a study spent its time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RunTime:
    """One search or resume, in seconds; `training`, `queue` and `idle` are sums over workers."""

    wall: float  # from start to end
    start_up: float  # of these, until the first worker trained, without sampling and writing
    sampler: float  # the driver's, to ask for trials
    writing: float  # the driver's, for the ledger, the TensorBoard runs and the tables
    workers: int  # how many packs could be trained at once
    training: float
    queue: float  # packs waiting for a worker, travelling, or waiting for the driver
    idle: float  # workers without a pack, after the start-up
