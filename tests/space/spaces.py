"""Valid `parameters` blocks for Hypothesis, in every form that a sweep file may give them."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from hypothesis import strategies as st

from tests.specs import specs
from xortune.problems.xor.spec import SPEC
from xortune.space import Choice, SearchSpace, load_space
from xortune.spec import Parameter, ProblemSpec

load_xor = partial(load_space, spec=SPEC)

Entry = st.SearchStrategy[dict[str, Any]]
# Beyond this, the bounds of entries are not drawn.
_MOST = 1e30


def sorted_pair(numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, Any]]:
    return st.tuples(numbers, numbers).map(lambda pair: (min(pair), max(pair)))


def choices(values: st.SearchStrategy[Any]) -> Entry:
    """`value` and `values`, with and without their distribution."""
    lists = st.lists(values, min_size=1, max_size=5, unique=True)
    return st.one_of(
        st.fixed_dictionaries({"value": values}, optional={"distribution": st.just("constant")}),
        st.fixed_dictionaries({"values": lists}, optional={"distribution": st.just("categorical")}),
    )


def ranges(numbers: st.SearchStrategy[Any], distributions: list[str]) -> Entry:
    """`min` and `max`; a distribution of None is left out."""
    return st.builds(
        lambda bounds, distribution: (
            {"min": bounds[0], "max": bounds[1]}
            | ({"distribution": distribution} if distribution else {})
        ),
        sorted_pair(numbers),
        st.sampled_from([None, *distributions]),
    )


@st.composite
def grids(draw, parameter: Parameter, steps: list[float]) -> dict[str, Any]:
    """`q_*`, with bounds that have multiples of q between them."""
    low, high = max(parameter.low, -_MOST), min(parameter.high, _MOST)
    fitting = [q for q in steps if first_multiple(parameter, q) * q <= high]
    if not fitting:
        return {"value": parameter.default}
    q = draw(st.sampled_from(fitting))
    first = first_multiple(parameter, q)
    last = min(math.floor(high / q), first + 2000)
    bounds = draw(sorted_pair(st.integers(first, last)))
    names = ["q_uniform", "q_log_uniform_values"] if bounds[0] > 0 else ["q_uniform"]
    minimum, maximum = (min(max(n * q, low), high) for n in bounds)
    return {"min": minimum, "max": maximum, "q": q, "distribution": draw(st.sampled_from(names))}


def first_multiple(parameter: Parameter, q: float) -> int:
    first = math.ceil(max(parameter.low, -_MOST) / q)
    return first + 1 if parameter.above_low and first * q <= parameter.low else first


def logarithms(distribution: str, low: float, high: float) -> Entry:
    """`min` and `max` are natural logarithms of bounds inside; a range has to be above 0."""
    first, last = math.log(low), math.log(high)
    whole = range(math.ceil(first), math.floor(last) + 1)
    numbers = st.floats(first, last) | (st.sampled_from(whole) if whole else st.nothing())
    return sorted_pair(numbers).map(
        lambda bounds: {"min": bounds[0], "max": bounds[1], "distribution": distribution}
    )


def floats(parameter: Parameter) -> Entry:
    low, high = max(parameter.low, -_MOST), min(parameter.high, _MOST)
    numbers = st.floats(low, high, exclude_min=parameter.above_low)
    above = max(low, 1e-30)
    forms = [
        choices(numbers),
        ranges(numbers, ["uniform"]),
        grids(parameter, [0.001, 0.1, 0.25, 1.0, 2]),
    ]
    whole = range(math.floor(low) + 1, min(math.floor(high), math.floor(low) + 100) + 1)
    if whole:
        forms += [choices(st.sampled_from(whole)), ranges(st.sampled_from(whole), ["int_uniform"])]
    if high > above:
        positive = st.floats(above, high, exclude_min=True)
        forms.append(ranges(positive, ["log_uniform_values"]))
    if high > 1.01 * above:
        forms.append(logarithms("log_uniform", above * 1.001, high / 1.001))
    return st.one_of(forms)


def whole(parameter: Parameter) -> Entry:
    low, high = parameter.low, parameter.high
    numbers = st.integers(low, high)
    forms = [
        choices(numbers | st.integers(low, min(high, low + 2**20)).map(float)),
        ranges(numbers, ["int_uniform"]),
        grids(parameter, [*range(1, 100, 7), 10.0, 100.0]),
    ]
    if high >= 1:
        forms.append(logarithms("q_log_uniform", max(low, 1), high))
    return st.one_of(forms)


def entries(parameter: Parameter) -> Entry:
    if parameter.kind == "choice":
        return choices(st.sampled_from(parameter.choices))
    return whole(parameter) if parameter.kind == "int" else floats(parameter)


def blocks(spec: ProblemSpec) -> st.SearchStrategy[dict[str, dict[str, Any]]]:
    """A `parameters` block that sets some of a spec's parameters."""
    optional = {parameter.name: entries(parameter) for parameter in spec.parameters}
    return st.fixed_dictionaries({}, optional=optional).filter(bool)


# XOR, or any other problem, with a block for it.
PROBLEMS = (st.just(SPEC) | specs()).flatmap(lambda spec: st.tuples(st.just(spec), blocks(spec)))


def inside(space: SearchSpace) -> bool:
    """Whether no domain reaches beyond what a trial can be."""
    for parameter in space.spec.parameters:
        domain = space.domains[parameter.name]
        ends = domain.values if isinstance(domain, Choice) else (domain.low, domain.high)
        as_taken = float if parameter.kind == "float" else lambda value: value
        if not all(parameter.takes(as_taken(end)) for end in ends):
            return False
    return True
