"""The settings of a search: those that decide the answer, and those that do not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from xortune.errors import UsageError
from xortune.trial import DATA_NAMES, METRICS, DataName, Metric

SamplerName = Literal["tpe", "random"]
RunnerName = Literal["ray", "inline"]
DeviceName = Literal["auto", "cpu", "cuda"]
EngineName = Literal["auto", "eager", "compiled"]
SAMPLERS: tuple[SamplerName, ...] = ("tpe", "random")
RUNNERS: tuple[RunnerName, ...] = ("ray", "inline")
DEVICES: tuple[DeviceName, ...] = ("auto", "cpu", "cuda")
ENGINES: tuple[EngineName, ...] = ("auto", "eager", "compiled")
# The names that are recorded: with a number, since a change of the code may round differently.
EAGER, COMPILED = "eager-1", "compiled-1"

_MAX_SEED = 2**32 - 1


@dataclass(frozen=True)
class StudySettings:
    """What is recorded in the study, and alone decides its ranked table.

    Attributes:
        space: the search space's `parameters`, as in its file.
        trials: how many trials the study has in all.
        sampler: which Optuna sampler proposes them.
        study_seed: seeds the sampler, 0 to 2**32 - 1.
        data: the data set.
        metric: the yardstick of the final loss.
        generation: trials asked together; None takes all as one generation.
        log_every: epochs between two points of a curve.
        device: where packs are trained, `cpu` or `cuda`.
        engine: the name of the training code; another one may round differently.
    """

    space: Mapping[str, Mapping[str, Any]]
    trials: int = 50
    sampler: SamplerName = "tpe"
    study_seed: int = 0
    data: DataName = "xor"
    metric: Metric = "mse"
    generation: int | None = None
    log_every: int = 500
    device: str = "cpu"
    engine: str = EAGER

    def __post_init__(self) -> None:
        faults = [
            *_whole("--trials", self.trials, 1),
            *_one_of("--sampler", self.sampler, SAMPLERS),
            *_whole("--study-seed", self.study_seed, 0, _MAX_SEED),
            *_one_of("--data", self.data, DATA_NAMES),
            *_one_of("--metric", self.metric, METRICS),
            *(_whole("--generation", self.generation, 1) if self.generation is not None else []),
            *_whole("--log-every", self.log_every, 1),
        ]
        _raise_all(faults)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> StudySettings:
        known = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in values.items() if key in known})


@dataclass(frozen=True)
class RunOptions:
    """What may differ at every start and resume without changing the answer.

    Attributes:
        runner: `ray`, or `inline` for this process.
        workers: how many actors train at once; None takes what the cluster has.
        pack_size: the most trials in a pack; None chooses it from the generation.
        address: an existing Ray cluster's `host:port`, or `auto`; None starts a local one.
        device: `auto` takes CUDA where there is a GPU.
        gpus_per_worker: share of a GPU that each worker holds, on CUDA.
        retries: how often a pack whose worker died is trained again.
        verbose: let Ray log.
    """

    runner: RunnerName = "ray"
    workers: int | None = None
    pack_size: int | None = None
    address: str | None = None
    device: DeviceName = "auto"
    gpus_per_worker: float = 1.0
    retries: int = 3
    verbose: bool = False

    def __post_init__(self) -> None:
        faults = [
            *_one_of("--runner", self.runner, RUNNERS),
            *(_whole("--workers", self.workers, 1) if self.workers is not None else []),
            *(_whole("--pack-size", self.pack_size, 1) if self.pack_size is not None else []),
            *_one_of("--device", self.device, DEVICES),
            *_whole("--retries", self.retries, 0),
        ]
        share = self.gpus_per_worker
        if not isinstance(share, (int, float)) or not 0 < share <= 1:
            faults.append(
                f"--gpus-per-worker {share!r}: a worker takes a share of one GPU, "
                "above 0 and at most 1."
            )
        if self.address is not None and self.runner == "inline":
            faults.append(
                f"--address {self.address}: the inline runner uses no cluster. Drop one of the two."
            )
        _raise_all(faults)


def default_generation(sampler: SamplerName, trials: int) -> int | None:
    """How many trials are asked together unless the user says.

    A random sampler learns nothing from results, so it takes everything as one. TPE learns
    between generations: sixteen of them, and never fewer than ten trials each, which is
    what it draws at random before it starts to model.
    """
    if sampler == "random":
        return None
    return max(10, math.ceil(trials / 16))


def check_engine(wanted: str) -> None:
    """Raises UsageError unless it is one of `ENGINES`."""
    _raise_all(_one_of("--engine", wanted, ENGINES))


def _whole(name: str, value: Any, low: int, high: int | None = None) -> list[str]:
    fits = isinstance(value, int) and not isinstance(value, bool) and value >= low
    if fits and (high is None or value <= high):
        return []
    bounds = f"of at least {low}" if high is None else f"from {low} to {high}"
    return [f"{name} {value!r}: must be a whole number {bounds}."]


def _one_of(name: str, value: Any, choices: tuple[str, ...]) -> list[str]:
    if value in choices:
        return []
    return [f"{name} {value!r}: must be one of {', '.join(choices)}."]


def _raise_all(faults: list[str]) -> None:
    if faults:
        raise UsageError("\n".join(faults))
