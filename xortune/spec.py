"""The spec of a problem: plain data that is recorded with every study.

Like Vizier's `ProblemStatement`, it holds the parameters, metrics and objectives that a search
needs, and nothing about training.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

from xortune.trial import Params, Scores, Value

ParameterKind = Literal["float", "int", "choice"]
MetricKind = Literal["loss", "share", "count", "number"]
Direction = Literal["minimize", "maximize"]
_UNRECORDED = ("aliases", "log_every")
# What replicates and rungs add to the metrics of a training; see `ProblemSpec.extended`.
STD, REPLICATES, SOLVED_SHARE = "final_loss_std", "replicates", "solved_share"
PRUNED_EPOCH, PRUNED_LOSS = "pruned_epoch", "pruned_loss"
ADDED = (STD, REPLICATES, SOLVED_SHARE, PRUNED_EPOCH, PRUNED_LOSS)
# The columns of every table of trials, besides the spec's.
STUDY_COLUMNS = (
    "rank", "number", "state", "final_loss", "solved", "duration_s", "generation", "worker",
    "error",
)  # fmt: skip


@dataclass(frozen=True)
class Parameter:
    """A hyperparameter."""

    name: str  # as in search spaces, tables and code
    kind: ParameterKind  # a choice is one of numbers, texts or booleans
    default: Value  # if a search space omits it
    low: float | int | None = None  # the lowest value that training can take; None for choices
    high: float | int | None = None  # the highest; likewise
    above_low: bool = False  # whether `low` itself is excluded
    choices: tuple[Value, ...] = ()  # every value of a choice
    # Whether neighbouring values train alike. A number without an order, such as a seed, is
    # drawn but never modelled.
    ordered: bool = True

    @property
    def modelled(self) -> bool:
        """Whether a sampler can learn about it from trials."""
        return self.kind == "choice" or self.ordered

    @property
    def is_seed(self) -> bool:
        """Whether it is a whole number without an order."""
        whole = self.kind == "int" or {*map(type, self.choices)} == {int}
        return whole and not self.ordered

    @property
    def value_type(self) -> type[float] | type[int] | type[bool] | type[str]:
        """The type of its column: float for mixed ints and floats, str for other mixtures."""
        if self.kind != "choice":
            return int if self.kind == "int" else float
        types = {type(choice) for choice in self.choices}
        if len(types) == 1:
            return types.pop()
        return float if types <= {int, float} else str

    def takes(self, value: object) -> bool:
        """Whether training can take a value, of Python's own types."""
        if self.kind == "choice":
            return any(value == c and type(value) is type(c) for c in self.choices)
        if type(value) is not (int if self.kind == "int" else float):
            return False
        low, high = self.low, self.high
        if low is not None and (value < low or (self.above_low and value == low)):
            return False
        return high is None or bool(value <= high)


class Metric(NamedTuple):
    """A number measured for every trained model.

    A `loss`, on validation data, can be the final loss; a `share`, from 0 to 1, is shown as a
    percentage; a `count` is whole.
    """

    name: str  # as in tables and code
    kind: MetricKind = "number"
    better: Literal["lower", "higher"] | None = None  # None: higher for a share, else lower

    @property
    def direction(self) -> Direction:
        """The direction in which it is optimised unless the user says otherwise."""
        better = self.better or ("higher" if self.kind == "share" else "lower")
        return "maximize" if better == "higher" else "minimize"


class Objective(NamedTuple):
    """A metric to optimise."""

    metric: str
    direction: Direction = "minimize"


class Goal(NamedTuple):
    """The value at which a metric makes a trial solved."""

    metric: str
    value: float


class Series(NamedTuple):
    """One line of a trial's curve."""

    name: str  # in `Study.curves`
    tag: str  # in TensorBoard


@dataclass(frozen=True)
class ProblemSpec:
    """A problem as plain data."""

    problem: str  # its name
    parameters: tuple[Parameter, ...]  # in the order of the table's columns
    metrics: tuple[Metric, ...]  # likewise
    # The metric that is the final loss, the same for every trial of a study; None without one.
    loss: str | None
    objectives: tuple[Objective, ...]  # the first decides the rank
    curve: tuple[Series, ...] = ()
    cost: str | None = None  # the parameter that training time is proportional to
    solved: Goal | None = None
    compared: str | None = None  # a choice; reports name the best trial for each of its values
    # Epochs between two points of a curve; None for so many that a trial has up to 50. A default,
    # and not recorded here.
    log_every: int | None = field(default=None, compare=False, repr=False)
    # Other names of parameters and choices, in lower case; an empty text for words that only
    # look like one. Used in hints, and not recorded.
    aliases: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(parameter.name for parameter in self.parameters)

    @cached_property
    def metric_names(self) -> tuple[str, ...]:
        return tuple(metric.name for metric in self.metrics)

    @cached_property
    def defaults(self) -> Params:
        return self.params(parameter.default for parameter in self.parameters)

    @property
    def losses(self) -> tuple[str, ...]:
        """The metrics that can be the final loss."""
        return tuple(metric.name for metric in self.metrics if metric.kind == "loss")

    @cached_property
    def seed(self) -> str | None:
        """The parameter that seeds a training, which replicates vary; None without one."""
        return next((p.name for p in self.parameters if p.is_seed), None)

    @cached_property
    def measured(self) -> tuple[Metric, ...]:
        """The metrics of a training, without those that replicates and rungs add."""
        return tuple(metric for metric in self.metrics if metric.name not in ADDED)

    def extended(self, *, replicated: bool, pruned: bool) -> ProblemSpec:
        """The spec of a study whose trials are trained several times, or compared at rungs.

        Replicated trials have no seed of their own, and these metrics more: the standard
        deviation of the objective, how many replicates there were, and the share of them that is
        solved. Pruned ones have the epoch of their rung, and the objective there.
        """
        parameters, metrics = self.parameters, list(self.measured)
        if replicated:
            parameters = tuple(p for p in parameters if p.name != self.seed)
            metrics += [Metric(STD), Metric(REPLICATES, "count")]
            metrics += [Metric(SOLVED_SHARE, "share")] if self.solved else []
        if pruned:
            metrics += [Metric(PRUNED_EPOCH, "count"), Metric(PRUNED_LOSS)]
        return replace(self, parameters=parameters, metrics=tuple(metrics))

    def parameter(self, name: str) -> Parameter:
        return self.parameters[self.names.index(name)]

    def params(self, values: Iterable[Value | None]) -> Params:
        """An assignment, from values in the order of the parameters."""
        return Params(self.names, tuple(values))

    def assignment(self, values: Mapping[str, Value]) -> Params:
        """An assignment with defaults for missing parameters; KeyError for an unknown name."""
        for name in values:
            if name not in self.names:
                raise KeyError(name)
        return self.params(values.get(p.name, p.default) for p in self.parameters)

    def scores(self, values: Iterable[float]) -> Scores:
        """The metrics of a trial, from values in the order of the metrics."""
        return Scores(self.metric_names, tuple(values))

    def cost_of(self, params: Params) -> float:
        """The cost of training relative to other trials; 1 if the spec has no cost."""
        return 1 if self.cost is None else params[self.cost]  # type: ignore[return-value]

    def reaches(self, value: float) -> bool:
        """Whether a value of the goal's metric makes a trial solved: from above if lower is better.

        Only of a problem with a goal.
        """
        assert self.solved is not None
        name, goal = self.solved
        metric = self.metric(name)
        falls = metric.kind == "loss" or metric.better == "lower"
        falls = next(
            (o.direction == "minimize" for o in self.objectives if o.metric == name), falls
        )
        return value <= goal if falls else value >= goal

    def metric(self, name: str) -> Metric:
        return self.metrics[self.metric_names.index(name)]

    def with_objective(self, name: str, direction: Direction | None = None) -> ProblemSpec:
        """The same problem with another metric as objective; a loss is the final loss, too."""
        metric = self.metric(name)
        loss = name if metric.kind == "loss" else self.loss
        return replace(
            self, loss=loss, objectives=(Objective(name, direction or metric.direction),)
        )

    def aimed_as(self, study: ProblemSpec) -> ProblemSpec:
        """The same problem with the final loss and the objectives of a study's spec.

        Of a problem's own spec, this is the spec of one training, as engines take it.
        """
        return replace(self, loss=study.loss, objectives=study.objectives)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for `from_dict`."""
        names = (f.name for f in fields(self) if f.name not in _UNRECORDED)
        return {name: _plain(getattr(self, name)) for name in names}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ProblemSpec:
        """The recorded spec; raises ValueError if the values are not those of a spec."""
        try:
            spec = cls(
                problem=_text(values["problem"]),
                parameters=tuple(map(_parameter, values["parameters"])),
                metrics=tuple(
                    Metric(_text(m["name"]), m["kind"], m.get("better")) for m in values["metrics"]
                ),
                loss=None if values["loss"] is None else _text(values["loss"]),
                objectives=tuple(
                    Objective(_text(o["metric"]), o["direction"]) for o in values["objectives"]
                ),
                curve=tuple(Series(_text(s["name"]), _text(s["tag"])) for s in values["curve"]),
                cost=values["cost"],
                solved=None if values["solved"] is None else Goal(**values["solved"]),
                compared=values["compared"],
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"it does not describe a problem: {error!r}") from None
        spec._check()
        return spec

    def _check(self) -> None:
        """Raises ValueError if the parts of a recorded spec are inconsistent."""
        names, metrics = self.names, self.metric_names
        used = {*(o.metric for o in self.objectives)} | ({self.loss} if self.loss else set())
        used |= {self.solved.metric} if self.solved else set()
        fits = (
            names
            and self.objectives
            and len({*names, *metrics, *STUDY_COLUMNS})
            == len(names) + len(metrics) + len(STUDY_COLUMNS)
            and used <= {*metrics}
            and {self.cost, self.compared} <= {None, *names}
            and all(m.kind in ("loss", "share", "count", "number") for m in self.metrics)
            and all(m.better in (None, "lower", "higher") for m in self.metrics)
            and all(o.direction in ("minimize", "maximize") for o in self.objectives)
            and all(p.kind in ("float", "int", "choice") for p in self.parameters)
            and all(p.takes(p.default) for p in self.parameters)
            and (self.cost is None or self.parameter(self.cost).kind != "choice")
            and (self.compared is None or self.parameter(self.compared).kind == "choice")
            and all({type(p.above_low), type(p.ordered)} == {bool} for p in self.parameters)
            and all({*map(type, p.choices)} <= {int, float, str, bool} for p in self.parameters)
            and all(len({*p.choices}) == len(p.choices) < 2**15 for p in self.parameters)
            and all(p.kind == "choice" or None not in (p.low, p.high) for p in self.parameters)
            and (self.solved is None or type(self.solved.value) in (int, float))
        )
        if not fits:
            raise ValueError("its names and values are inconsistent")


class GraphNode(NamedTuple):
    """One node of a model's graph in TensorBoard."""

    name: str  # with a slash between groups
    op: str
    inputs: tuple[str, ...] = ()  # names of nodes
    shape: tuple[int, ...] = ()  # of the output


def _plain(value: Any) -> Any:
    """The classes of this file as dictionaries by name."""
    if isinstance(value, Parameter):
        return asdict(value)
    if hasattr(value, "_asdict"):
        return value._asdict()
    return tuple(map(_plain, value)) if isinstance(value, tuple) else value


def _parameter(values: Mapping[str, Any]) -> Parameter:
    choices: Sequence[Value] = values["choices"]
    return Parameter(**{**values, "name": _text(values["name"]), "choices": tuple(choices)})


def _text(value: object) -> str:
    if not isinstance(value, str) or not all(part.isidentifier() for part in value.split("/")):
        raise TypeError(f"{value!r:.60} is not a name")
    return value
