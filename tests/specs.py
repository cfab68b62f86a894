"""Small specs of any problem, for Hypothesis: every kind of parameter, none of XOR's names."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from xortune.spec import Metric, Objective, Parameter, ProblemSpec

NAMES = ("rate", "width", "depth", "momentum", "activation", "bias", "fold", "Alpha")
# Some of them look like what they are not.
TEXTS = ("relu", "tanh", "ReLU6", "8", "0.1", "true", "off", "a,b", "1..2", "", "é")
_BOUNDS = st.integers(-1000, 1000) | st.sampled_from([0, 1, 2**31 - 1, -(2**31)])


def _different(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Values of which no two are equal, or spelled alike."""
    ways = (lambda value: value, lambda value: str(value).lower())
    return st.lists(values, min_size=1, max_size=5, unique_by=ways).map(tuple)


_NUMBERS = st.integers(-100, 100) | st.floats(-100, 100).map(lambda value: value + 0.0)
CHOICES = st.one_of(
    _different(_NUMBERS),
    _different(st.sampled_from(TEXTS)),
    _different(st.booleans()),
    _different(st.booleans() | st.sampled_from(TEXTS) | st.integers(2, 9)),
)


@st.composite
def parameters(draw: st.DrawFn, name: str) -> Parameter:
    """A parameter of any kind, with its default inside its bounds."""
    kind = draw(st.sampled_from(["float", "int", "choice"]))
    ordered = draw(st.booleans())
    if kind == "choice":
        choices = draw(CHOICES)
        default = draw(st.sampled_from(choices))
        return Parameter(name, "choice", default, choices=choices, ordered=ordered)
    low = draw(_BOUNDS)
    high = low + draw(st.integers(1, 1000) | st.sampled_from([1, 2**31]))
    if kind == "int":
        return Parameter(name, "int", draw(st.integers(low, high)), low, high, ordered=ordered)
    above = draw(st.booleans())
    default = draw(st.floats(low, high, exclude_min=above)) + 0.0
    return Parameter(name, "float", default, float(low), float(high), above, ordered=ordered)


@st.composite
def specs(draw: st.DrawFn, most: int = 4) -> ProblemSpec:
    """A spec with up to `most` parameters, and an objective in either direction."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=most, unique=True))
    goal = draw(st.sampled_from(["error", "score"]))
    direction = draw(st.sampled_from(["minimize", "maximize"]))
    return ProblemSpec(
        problem="drawn",
        parameters=tuple(draw(parameters(name)) for name in names),
        metrics=(Metric("error", "loss"), Metric("score", "share")),
        loss="error",
        objectives=(Objective(goal, direction),),
        aliases={"lernrate": "rate", "swish": ""},
    )
