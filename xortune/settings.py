"""The settings of a search: those that decide the answer, and those that do not."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from xortune.errors import UsageError
from xortune.plain_numbers import brief, real_number, whole_number
from xortune.spec import ProblemSpec
from xortune.wording import option

SamplerName = Literal["tpe", "random"]
RunnerName = Literal["auto", "ray", "inline"]
DeviceName = Literal["auto", "cpu", "cuda", "both"]
SAMPLERS: tuple[SamplerName, ...] = ("tpe", "random")
RUNNERS: tuple[RunnerName, ...] = ("auto", "ray", "inline")
DEVICES: tuple[DeviceName, ...] = ("auto", "cpu", "cuda", "both")
# Version 2 asks for no point twice.
SAMPLER_VERSION = 2

# Up to there, JSON and floats are exact.
_LARGEST = 2**53
_MAX_SEED = 2**32 - 1
# What a driver can hold: some ten million trials.
_MOST_TRIALS = 10_000_000
# What a search may leave open.
_OPEN = {"device": "auto", "generation": None}


@dataclass(frozen=True)
class StudySettings:
    """What a search is asked for, and alone decides its ranked table.

    Attributes:
        spec: of the problem.
        space: the search space's `parameters`, as in its file.
        trials: how many trials the study has in all.
        sampler: which Optuna sampler proposes them.
        study_seed: seeds the sampler, 0 to 2**32 - 1.
        data: the name of the problem's data.
        generation: trials asked together; None takes all as one generation.
        log_every: epochs between two points of a curve.
        device: where packs are trained: `cpu`, `cuda`, or `both`.
        cuda_share: which share of the trials is trained on CUDA, if both are.
    """

    spec: ProblemSpec
    space: Mapping[str, Mapping[str, Any]]
    trials: int = 50
    sampler: SamplerName = "tpe"
    study_seed: int = 0
    data: str = ""
    generation: int | None = None
    log_every: int = 500
    device: str = "cpu"
    cuda_share: float = 0.5

    def __post_init__(self) -> None:
        _make_plain(self, "trials", "study_seed", "generation", "log_every", "cuda_share")
        faults = [
            *_whole("trials", self.trials, 1, _MOST_TRIALS),
            *one_of("sampler", self.sampler, SAMPLERS),
            *_whole("study_seed", self.study_seed, 0, _MAX_SEED),
            *(_whole("generation", self.generation, 1) if self.generation is not None else []),
            *_whole("log_every", self.log_every, 1),
            *_share("cuda_share", self.cuda_share, "CUDA trains a share of the trials"),
        ]
        _raise_all(faults)

    def device_of(self, number: int) -> str:
        """Where a trial is trained: a pure function of its number, so that no timing decides.

        Of any run of trials, `cuda_share` are on CUDA, evenly spread.
        """
        if self.device != "both":
            return self.device
        share = self.cuda_share
        return "cuda" if math.floor((number + 1) * share) > math.floor(number * share) else "cpu"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for `from_dict`."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**values, "spec": self.spec.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> StudySettings:
        """Settings as recorded; other keys are ignored.

        Raises:
            KeyError, TypeError, ValueError, UsageError: they are none.
        """
        known = {key: values[key] for key in (field.name for field in fields(cls))}
        return cls(**{**known, "spec": ProblemSpec.from_dict(values["spec"])})


@dataclass(frozen=True)
class Provenance:
    """What made a study's numbers, beside its settings: recorded, and compared at a resume.

    Attributes:
        engine: the name of the training code; another one may round differently.
        versions: of the libraries that propose and train trials, by name.
        sampler_version: of the code that turns a sampler's proposals into trials.
        reference: by device, the digest of the engine's reference pack; empty before a worker
            has trained it.
        forced: whether the study was ever resumed with something else.
    """

    engine: str
    versions: Mapping[str, str] = field(default_factory=dict)
    sampler_version: int = SAMPLER_VERSION
    reference: Mapping[str, str] = field(default_factory=dict)
    forced: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for `from_dict`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Provenance:
        """What was recorded; other keys are ignored.

        Raises:
            KeyError: something is missing.
        """
        return cls(**{key: values[key] for key in (field.name for field in fields(cls))})


def described(settings: StudySettings, provenance: Provenance) -> dict[str, Any]:
    """All that a study records, and its final loss under the name that a search is given."""
    return {"metric": settings.spec.loss, **settings.to_dict(), **provenance.to_dict()}


@dataclass(frozen=True)
class RunOptions:
    """What may differ at every start and resume without changing the answer.

    Attributes:
        runner: `ray`, or `inline` for this process; `auto` is inline where the search is done
            here sooner than a Ray would have started.
        workers: how many actors train at once; None takes what the cluster has.
        pack_size: the most trials in a pack; None chooses it from the generation.
        address: an existing Ray cluster's `host:port`, or `auto`; None starts a local one.
        device: `auto` takes CUDA where there is a GPU; `both` also the CPUs beside it.
        gpus_per_worker: share of a GPU that each worker holds, on CUDA.
        retries: how often a trial that loses its worker, alone in its pack, is tried again.
        pack_timeout: seconds after which a pack's worker counts as hung; None derives it
            from the pack's work.
        verbose: let Ray log.
    """

    runner: RunnerName = "auto"
    workers: int | None = None
    pack_size: int | None = None
    address: str | None = None
    device: DeviceName = "auto"
    gpus_per_worker: float = 1.0
    retries: int = 3
    pack_timeout: float | None = None
    verbose: bool = False

    def __post_init__(self) -> None:
        _make_plain(self, "workers", "pack_size", "gpus_per_worker", "retries", "pack_timeout")
        faults = [
            *one_of("runner", self.runner, RUNNERS),
            *(_whole("workers", self.workers, 1) if self.workers is not None else []),
            *(_whole("pack_size", self.pack_size, 1) if self.pack_size is not None else []),
            *one_of("device", self.device, DEVICES),
            *_whole("retries", self.retries, 0),
        ]
        faults += _share(
            "gpus_per_worker", self.gpus_per_worker, "a worker takes a share of one GPU"
        )
        timeout = self.pack_timeout
        if timeout is not None and not 0 < _number(timeout) < 1e9:
            faults.append(
                f"{option('pack_timeout')} {brief(timeout)}: must be a number of seconds, above 0 "
                "and below 1e9."
            )
        if self.runner == "inline" and not faults:
            faults += self._of_a_cluster()
        _raise_all(faults)

    def _of_a_cluster(self) -> list[str]:
        """The faults of options that only Ray has."""
        return [
            f"{option(name)} {value}: the inline runner trains in this process alone. "
            "Drop one of the two."
            for name in ("address", "workers", "gpus_per_worker")
            if (value := getattr(self, name)) not in (None, 1)
        ]


def default_generation(sampler: SamplerName, trials: int, least: int) -> int | None:
    """How many trials are asked together unless the user says.

    A random sampler learns nothing from results, so it takes everything as one. TPE learns
    between generations: sixteen of them, unless those were too small.

    Args:
        sampler: which sampler.
        trials: of the study.
        least: the fewest that the engine wants proposed together.
    """
    if sampler == "random":
        return None
    return max(least, math.ceil(trials / 16))


def differences(found: StudySettings, wanted: StudySettings) -> list[str]:
    """Which recorded settings are not those of a search, in words.

    Args:
        found: those of a study.
        wanted: those of the search. What it leaves open differs from nothing: `auto` for the
            device, None for the generation.
    """
    there, here = (json.loads(json.dumps(s.to_dict())) for s in (found, wanted))
    different = ["the search space is another"] if there["space"] != here["space"] else []
    if found.spec.loss != wanted.spec.loss:
        words = f"{brief(found.spec.loss)} there and {brief(wanted.spec.loss)} here"
        different.append(f"{option('metric')} is {words}")
    for key, value in here.items():
        if key not in ("space", "spec") and value not in (there[key], _OPEN.get(key, there[key])):
            different.append(f"{option(key)} is {brief(there[key])} there and {brief(value)} here")
    return different


def _make_plain(settings: object, *names: str) -> None:
    """Puts Python's own numbers in place of NumPy's; what is not a number stays for its fault."""
    for name in names:
        plain = real_number(getattr(settings, name))
        if plain is not None:
            object.__setattr__(settings, name, plain)


def _number(value: Any) -> float:
    plain = real_number(value)
    return math.nan if plain is None else plain


def _whole(name: str, value: Any, low: int, high: int | None = None) -> list[str]:
    whole = whole_number(value)
    most = _LARGEST if high is None else high
    if whole is not None and low <= whole <= most:
        return []
    too_large = whole is not None and whole > most
    bounds = f"from {low} to {most}" if too_large or most == _MAX_SEED else f"of at least {low}"
    return [f"{option(name)} {brief(value)}: must be a whole number {bounds}."]


def _share(name: str, value: Any, meaning: str) -> list[str]:
    if 0 < _number(value) <= 1:
        return []
    return [f"{option(name)} {brief(value)}: {meaning}, above 0 and at most 1."]


def one_of(name: str, value: Any, choices: tuple[str, ...]) -> list[str]:
    """The fault of a setting that is not one of some names; empty if it is."""
    if isinstance(value, str) and value in choices:
        return []
    return [f"{option(name)} {brief(value)}: must be one of {', '.join(choices)}."]


def _raise_all(faults: list[str]) -> None:
    if faults:
        raise UsageError("\n".join(faults))
