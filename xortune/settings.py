"""The settings of a search: those that decide its result, and those that do not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from xortune.errors import UsageError
from xortune.plain_numbers import brief, real_number, whole_number
from xortune.spec import ProblemSpec
from xortune.wording import likely_choice, option

SamplerName = Literal["tpe", "random"]
PrunerName = Literal["none", "halving", "hyperband", "median"]
Aggregate = Literal["mean", "median", "max"]
RunnerName = Literal["auto", "ray", "inline"]
DeviceName = Literal["auto", "cpu", "cuda", "both"]
SAMPLERS: tuple[SamplerName, ...] = ("tpe", "random")
PRUNERS: tuple[PrunerName, ...] = ("none", "halving", "hyperband", "median")
AGGREGATES: tuple[Aggregate, ...] = ("mean", "median", "max")
RUNNERS: tuple[RunnerName, ...] = ("auto", "ray", "inline")
DEVICES: tuple[DeviceName, ...] = ("auto", "cpu", "cuda", "both")
# Since version 2 no point is asked for twice; since 3 many parameters are modelled one by one.
SAMPLER_VERSION = 3

_LARGEST = 2**53  # Integers up to this are exact in JSON and in floats.
_MAX_SEED = 2**32 - 1
_MOST_TRIALS = 10_000_000  # More do not fit into a driver's memory.
_OPEN = {
    "device": "auto",
    "generation": None,
    "confirm": None,
}  # values that match any recorded one
# Settings that studies of earlier versions lack.
_ADDED = (
    "problem", "outdated", "replicates", "folds", "aggregate", "confirm", "pruner", "rungs",
    "starts", "stop_at", "plateau", "epoch_budget", "mixed", "training", "padding",
    "other_references",
)  # fmt: skip
_LISTS = ("confirm", "rungs", "starts")  # those of them that are tuples
_LEAST_LEARNT = 10  # of TPE, which models nothing before
_LEAST_PRUNED = 27  # trials of a generation, so that three rungs of a third each leave one
_MOST_REPLICATES = 10_000
_MOST_RUNGS = 1000
_TOP = "top:"
RUNGS = 3  # of a pruner, unless a search asks for more or fewer


@dataclass(frozen=True)
class StudySettings:
    """The settings that alone decide a study's ranked table."""

    spec: ProblemSpec
    space: Mapping[str, Mapping[str, Any]]  # the `parameters` block, as in the space's file
    trials: int = 50
    sampler: SamplerName = "tpe"
    study_seed: int = 0  # of the sampler, 0 to 2**32 - 1
    data: str = ""  # the name of the problem's data
    generation: int | None = None  # trials asked together; None for all
    # Epochs between two points of a curve; None for so many that a trial has up to 50.
    log_every: int | None = None
    device: str = "cpu"  # where packs are trained: `cpu`, `cuda`, or `both`
    cuda_share: float = 0.5  # the share of the trials that CUDA trains, on `both`
    # What the problem is made of beyond its spec, as plain values: for a table its columns, their
    # preparation and the data's digest; for a function its file's name, text and digest.
    problem: Mapping[str, Any] = field(default_factory=dict)
    replicates: int = 1  # trainings of each trial
    folds: int | None = None  # parts of the rows, each of which validates in turn
    aggregate: Aggregate = "mean"  # of the replicates' objectives; `max` is the worst of them
    # How many of the best trials are trained again, and on how many further seeds; empty for none.
    # None follows from the work, and is replaced before it is recorded.
    confirm: tuple[int, ...] | None = ()
    pruner: PrunerName = "none"
    rungs: tuple[int, ...] = ()  # the epochs at which a generation is compared, ascending
    # The trials with which a generation began because the study was extended; only with rungs.
    starts: tuple[int, ...] = ()
    stop_at: float | None = None  # the search ends once an objective is as good as this
    plateau: int | None = None  # or after so many trials without a better one
    epoch_budget: int | None = None  # or once its trials have trained so many epochs
    mixed: bool = False  # whether processors may train that round differently from the first one

    def __post_init__(self) -> None:
        _make_plain(self, "trials", "study_seed", "generation", "log_every", "cuda_share")
        _make_plain(self, "replicates", "folds", "stop_at", "plateau", "epoch_budget")
        faults = [
            *_whole("trials", self.trials, 1, _MOST_TRIALS),
            *one_of("sampler", self.sampler, SAMPLERS),
            *_whole("study_seed", self.study_seed, 0, _MAX_SEED),
            *_whole("generation", self.generation, 1, optional=True),
            *_whole("log_every", self.log_every, 1, optional=True),
            *_share("cuda_share", self.cuda_share, "CUDA trains a share of the trials"),
            *_whole("replicates", self.replicates, 1, _MOST_REPLICATES),
            *_whole("folds", self.folds, 2, _MOST_REPLICATES, optional=True),
            *one_of("aggregate", self.aggregate, AGGREGATES),
            *one_of("pruner", self.pruner, PRUNERS),
            *_whole("plateau", self.plateau, 1, optional=True),
            *_whole("epoch_budget", self.epoch_budget, 1, optional=True),
            *truth("mixed", self.mixed),
        ]
        if self.stop_at is not None and not math.isfinite(_number(self.stop_at)):
            faults.append(f"{option('stop_at')} {brief(self.stop_at)}: must be a finite number.")
        for name in _LISTS:
            numbers = getattr(self, name) or ()
            if not all(type(n) is int and n > 0 for n in numbers) or len(numbers) > _MOST_RUNGS:
                faults.append(f"{option(name)} {brief(numbers)}: must be positive whole numbers.")
        if faults:
            raise UsageError("\n".join(faults))
        object.__setattr__(self, "mixed", bool(self.mixed))  # NumPy has its own.

    def device_of(self, number: int) -> str:
        """Where a trial is trained: a function of its number, so that timing has no influence.

        CUDA's share is spread evenly over the numbers.
        """
        if self.device != "both":
            return self.device
        share = self.cuda_share
        return "cuda" if math.floor((number + 1) * share) > math.floor(number * share) else "cpu"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for `from_dict`."""
        return {**vars(self), "spec": self.spec.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> StudySettings:
        """Recorded settings; ignores other keys.

        Raises:
            KeyError, TypeError, ValueError, UsageError: they are invalid.
        """
        known = {f.name: values[f.name] for f in fields(cls) if f.name not in _ADDED}
        added = (f.name for f in fields(cls) if f.name in _ADDED)
        known |= {name: values[name] for name in added if name in values}
        known |= {name: tuple(known[name]) for name in _LISTS if name in known}
        return cls(**{**known, "spec": ProblemSpec.from_dict(values["spec"])})


@dataclass(frozen=True)
class Provenance:
    """The software behind a study's numbers: recorded, and compared when it is resumed."""

    engine: str  # the name of the training code; others may round differently
    # Of the libraries that propose and train trials, by name.
    versions: Mapping[str, str] = field(default_factory=dict)
    sampler_version: int = SAMPLER_VERSION  # of the code that turns proposals into trials
    # The digest of the engine's reference pack by device, once it was trained.
    reference: Mapping[str, str] = field(default_factory=dict)
    forced: bool = False  # whether the study was ever resumed with other software
    # Trials of an earlier version of the user's code, which no longer rank: the first and the
    # last number of each run of them.
    outdated: tuple[tuple[int, int], ...] = ()
    # How the engine trains, and why it was chosen, in words; empty where its name says that.
    training: str = ""
    # What the engine's lanes need for equal bits: a multiple of so many in a stack, and at least
    # so many; None for engines whose lanes need nothing.
    padding: tuple[int, int] | None = None
    # By device, the digests of the reference pack on further kinds of processor that have trained.
    other_references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for `from_dict`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Provenance:
        """Recorded provenance; ignores other keys, and raises KeyError for a missing one."""
        known = {f.name: values[f.name] for f in fields(cls) if f.name not in _ADDED}
        padding, others = values.get("padding"), values.get("other_references", {})
        return cls(
            **known,
            outdated=tuple((first, last) for first, last in values.get("outdated", ())),
            training=values.get("training", ""),
            padding=None if padding is None else (padding[0], padding[1]),
            other_references={device: tuple(digests) for device, digests in others.items()},
        )

    def outdated_numbers(self) -> frozenset[int]:
        return frozenset(n for first, last in self.outdated for n in range(first, last + 1))


def weakened(settings: StudySettings, provenance: Provenance) -> str:
    """What is not promised of a study's bits since kinds of processor are mixed; or nothing."""
    if provenance.other_references:
        return "trained on several kinds of CPU: bits differ between them"
    if settings.mixed:
        return "may be trained on several kinds of CPU: bits would differ between them"
    return ""


def described(settings: StudySettings, provenance: Provenance) -> dict[str, Any]:
    """Everything that a study records but a function's text; the final loss is `metric`."""
    problem = {key: value for key, value in settings.problem.items() if key != "text"}
    recorded = {**settings.to_dict(), "problem": problem, **provenance.to_dict()}
    words = weakened(settings, provenance)
    return {"metric": settings.spec.loss, **recorded, **({"weakened": words} if words else {})}


@dataclass(frozen=True)
class RunOptions:
    """Options that may differ at every start and resume without changing the result."""

    # `auto` is `inline`, this process, if that finishes before Ray would have started.
    runner: RunnerName = "auto"
    workers: int | None = None  # how many train at once; None for as many as have room
    pack_size: int | None = None  # the most trials in a pack; None derives it
    address: str | None = None  # a Ray cluster's `host:port`, or `auto`; None starts one here
    device: DeviceName = "auto"  # `auto` chooses CUDA if there is a GPU; `both` adds the CPUs
    gpus_per_worker: float = 1.0  # each worker's share of a GPU, on CUDA
    retries: int = 3  # of a trial that lost its worker, alone in its pack
    # Seconds after which a pack's worker counts as hung; None derives it from the pack's work.
    pack_timeout: float | None = None
    trial_timeout: float | None = None  # seconds after which a function's trial fails
    timeout: float | None = None  # seconds after which the search ends; the rest can be resumed
    tensorboard: str = "all"  # the trials with a TensorBoard run; also `none`, `top:100`
    verbose: bool = False  # let Ray log, and users' code print

    def __post_init__(self) -> None:
        _make_plain(self, "workers", "pack_size", "gpus_per_worker", "retries", "pack_timeout")
        _make_plain(self, "trial_timeout", "timeout")
        faults = [
            *one_of("runner", self.runner, RUNNERS),
            *_whole("workers", self.workers, 1, optional=True),
            *_whole("pack_size", self.pack_size, 1, optional=True),
            *one_of("device", self.device, DEVICES),
            *_whole("retries", self.retries, 0),
            *_share("gpus_per_worker", self.gpus_per_worker, "a worker takes a share of one GPU"),
            *truth("verbose", self.verbose),
            *_runs_at_fault(self.tensorboard),
        ]
        for name in ("pack_timeout", "trial_timeout", "timeout"):
            timeout = getattr(self, name)
            if timeout is not None and not 0 < _number(timeout) < 1e9:
                faults.append(
                    f"{option(name)} {brief(timeout)}: must be a number of seconds, above 0 "
                    "and below 1e9."
                )
        if self.runner == "inline" and not faults:
            faults = [
                f"{option(name)} {value}: the inline runner trains in this process alone. "
                "Drop one of the two."
                for name in ("address", "workers", "gpus_per_worker")
                if (value := getattr(self, name)) not in (None, 1)
            ]
        if faults:
            raise UsageError("\n".join(faults))

    @property
    def best_with_runs(self) -> int | None:
        """How many of the best trials have a TensorBoard run; None for all trials."""
        _, top, count = self.tensorboard.partition(_TOP)
        return int(count) if top else None if self.tensorboard == "all" else 0


def default_generation(settings: StudySettings, least: int) -> int | None:
    """The default number of trials asked together; None for all.

    A random sampler does not learn from results. TPE learns between generations: there are
    sixteen, or fewer if they would be smaller than `least`, which the engine sets; but four at
    least, unless those would be smaller than ten trials. Pruners compare the trials of a
    generation, and searches stop between two of them, whatever the sampler.
    """
    pruned = settings.pruner != "none"
    stops = {settings.stop_at, settings.plateau, settings.epoch_budget} != {None}
    if settings.sampler == "random" and not pruned and not stops:
        return None
    least = min(least, max(_LEAST_LEARNT, math.ceil(settings.trials / 4)))
    least = max(least, _LEAST_PRUNED) if pruned else least
    return max(least, math.ceil(settings.trials / 16))


def differences(found: StudySettings, wanted: StudySettings) -> list[str]:
    """Descriptions of the settings that differ between a recorded study and a new search.

    The device `auto`, the generation None and the confirmation None of the search match any.
    """
    import json  # only here; `--help` needs the names and defaults alone

    there, here = (json.loads(json.dumps(s.to_dict())) for s in (found, wanted))
    if wanted.replicates == 1:  # The seed is in the space, and earlier versions did not record it.
        for settings in (there, here):
            settings["problem"].pop("seed", None)
    spaces = [dict(settings["space"]) for settings in (there, here)]
    if (found.replicates > 1) != (wanted.replicates > 1):
        # Then just one of them has a seed, and the replicates are named below.
        for space in spaces:
            space.pop(found.spec.seed or wanted.spec.seed, None)
    different = ["the search space is another"] if spaces[0] != spaces[1] else []
    for settings in (there, here):
        if settings["problem"].get("kind") in ("function", "module"):
            settings["problem"].pop("file", None)  # Code is compared by its digest.
    if there["problem"] != here["problem"] and found.data == wanted.data:
        if wanted.problem.get("kind") in ("function", "module"):
            different.append(f"{option('problem')} has another content")
        elif there["problem"].get("digest") == here["problem"].get("digest"):
            different.append(f"{option('data')} is prepared or split in another way")
        else:
            different.append(f"{option('data')} has another content, or another {option('target')}")
    sides = (found.spec, wanted.spec)
    first, second = (_objective(spec) for spec in sides)
    if first != second:
        different.append(f"{option('objective')} is {first} there and {second} here")
    for key, value in here.items():
        if key in ("space", "spec", "problem", "starts"):
            continue
        if value not in (there[key], _OPEN.get(key, there[key])):
            first, second = (_written(key, one) for one in (there[key], value))
            name = option("rung_epochs" if key == "rungs" else key)
            different.append(f"{name} is {first} there and {second} here")
    return different


def _written(name: str, value: Any) -> str:
    """A setting as it is given: lists as `20:256` and `500,1500`, and `none` for what is off."""
    if name in _LISTS:
        return (":" if name == "confirm" else ",").join(map(str, value or ())) or "none"
    return "none" if value is None else brief(value)


def _objective(spec: ProblemSpec) -> str:
    """The objective as a search takes it, such as `accuracy:max`."""
    metric, direction = spec.objectives[0]
    return f"{metric}:{direction[:3]}"


def _make_plain(settings: object, *names: str) -> None:
    """Replaces NumPy's numbers by Python's; leaves other values for the checks."""
    for name in names:
        plain = real_number(getattr(settings, name))
        if plain is not None:
            object.__setattr__(settings, name, plain)


def _number(value: Any) -> float:
    plain = real_number(value)
    return math.nan if plain is None else plain


def _whole(
    name: str, value: Any, low: int, most: int = _LARGEST, *, optional: bool = False
) -> list[str]:
    whole = whole_number(value)
    if (optional and value is None) or (whole is not None and low <= whole <= most):
        return []
    too_large = whole is not None and whole > most
    bounds = f"from {low} to {most}" if too_large or most == _MAX_SEED else f"of at least {low}"
    return [f"{option(name)} {brief(value)}: must be a whole number {bounds}."]


def _share(name: str, value: Any, meaning: str) -> list[str]:
    if 0 < _number(value) <= 1:
        return []
    return [f"{option(name)} {brief(value)}: {meaning}, above 0 and at most 1."]


def _runs_at_fault(value: Any) -> list[str]:
    """The fault of what says which trials have TensorBoard runs; empty if it is right."""
    text = value if isinstance(value, str) else ""
    count = text[len(_TOP) :] if text.startswith(_TOP) else ""
    fits = count.isascii() and count.isdigit() and len(count) < 9 and int(count) > 0
    if fits or text in ("all", "none"):
        return []
    return [
        f"{option('tensorboard')} {brief(value)}: must be all, none, or {_TOP}K for the K best "
        f"trials, such as {_TOP}100."
    ]


def one_of(name: str, value: Any, choices: tuple[str, ...]) -> list[str]:
    """The fault of a setting that is not one of these names; empty if it is."""
    if isinstance(value, str) and value in choices:
        return []
    hint = likely_choice(value, choices)
    return [f"{option(name)} {brief(value)}: must be one of {', '.join(choices)}.{hint}"]


def truth(name: str, value: Any) -> list[str]:
    """The fault of a setting that is neither True nor False; empty if it is."""
    if isinstance(value, bool) or str(getattr(value, "dtype", "")) == "bool":
        return []
    return [f"{option(name)} {brief(value)}: must be True or False."]
