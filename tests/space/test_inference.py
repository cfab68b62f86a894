"""Parameters inferred from a search space alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xortune.errors import SpaceError, UsageError
from xortune.space import Choice, Range, inferred_parameters, load_space
from xortune.space.entries import written_entry
from xortune.spec import Metric, Objective, ProblemSpec


def spec_of(parameters):
    return ProblemSpec("drawn", parameters, (Metric("gap", "loss"),), "gap", (Objective("gap"),))


def loaded(space):
    return load_space(space, spec_of(inferred_parameters(space)))


@pytest.mark.parametrize(
    ("entry", "kind", "domain"),
    [
        ({"value": 3}, "choice", Choice((3,))),
        ({"values": ["a", 2, 0.5, True]}, "choice", Choice(("a", 2, 0.5, True))),
        ({"min": 1, "max": 9}, "int", Range(1, 9)),
        ({"min": 1.0, "max": 9}, "float", Range(1.0, 9.0)),
        ({"distribution": "uniform", "min": 1, "max": 9}, "float", Range(1.0, 9.0)),
        ({"distribution": "int_uniform", "min": 1, "max": 9}, "int", Range(1, 9)),
        (
            {"distribution": "log_uniform_values", "min": 1, "max": 9},
            "float",
            Range(1.0, 9.0, True),
        ),
        ({"distribution": "log_uniform", "min": 0, "max": 0}, "float", Choice((1.0,))),
        ({"distribution": "q_uniform", "min": 1, "max": 9}, "int", Range(1, 9)),
        ({"distribution": "q_uniform", "min": 1, "max": 9, "q": 2}, "int", Range(1, 9, step=2)),
        (
            {"distribution": "q_uniform", "min": 1, "max": 9, "q": 0.5},
            "float",
            Range(1.0, 9.0, step=0.5),
        ),
        (
            {"distribution": "q_uniform", "min": 1.0, "max": 9, "q": 1},
            "float",
            Range(1.0, 9.0, step=1),
        ),
        ({"distribution": "q_log_uniform_values", "min": 1, "max": 9}, "int", Range(1, 9, True)),
        ({"distribution": "q_log_uniform", "min": 0, "max": 3.0}, "int", Range(1, 20, True)),
        ({"min": 2, "max": 2}, "int", Choice((2,))),
    ],
    ids=str,
)
def test_kinds_are_those_that_the_entries_describe(entry, kind, domain):
    space = loaded({"p": entry})
    assert space.spec.parameter("p").kind == kind
    assert space.domains["p"] == domain
    assert ProblemSpec.from_dict(space.spec.to_dict()) == space.spec


def test_limits_are_those_of_the_type():
    narrow, wide = (
        inferred_parameters({"p": {"min": 1, "max": most}, "q": {"min": 1.0, "max": float(most)}})
        for most in (2, 99)
    )
    assert narrow == wide


def test_a_seed_is_drawn_and_never_modelled():
    seed, size = inferred_parameters({"seed": {"min": 0, "max": 9}, "size": {"min": 0, "max": 9}})
    assert (seed.ordered, size.ordered) == (False, True)


def test_choices_of_texts_have_no_order():
    numbers, texts = inferred_parameters({"a": {"values": [1, 2.5]}, "b": {"values": [1, "x"]}})
    assert (numbers.ordered, texts.ordered) == (True, False)


def test_files_and_mappings_are_read_alike(tmp_path):
    path = tmp_path / "space.yaml"
    path.write_text("parameters:\n  a: {min: 1, max: 9}\n  b: {values: [x, y]}\n")
    mapping = {"a": {"min": 1, "max": 9}, "b": {"values": ["x", "y"]}}
    assert inferred_parameters(path) == inferred_parameters(mapping)
    assert inferred_parameters({"parameters": mapping}) == inferred_parameters(mapping)


def test_a_space_without_parameters_is_said(tmp_path):
    path = tmp_path / "space.yaml"
    path.write_text("method: random\n")
    with pytest.raises(SpaceError, match="it has no parameters; write parameters: "):
        inferred_parameters(path)
    with pytest.raises(UsageError, match="no search space"):
        inferred_parameters("nowhere.yaml")


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        (3, "expected a mapping, found 3"),
        ({}, "give value, values, or min and max"),
        ({"min": "a", "max": 3}, "p takes numbers, found 'a'"),
        ({"min": 1}, "max is missing"),
        ({"min": 1, "max": 3, "distribution": "normal"}, "W&B's normal is not offered here"),
        ({"values": []}, "expected a list of at least one value"),
        ({"values": 3}, "expected a list of at least one value, found 3"),
        ({"values": [1, 1]}, "a value is given twice"),
        (
            {"values": [None, 1]},
            "has no choice nothing (null is not a value; write a text, such as 'none')",
        ),
        ({"values": [float("nan"), 1]}, "has no choice nan"),
        (
            {"values": [[1], 1]},
            "has no choice [1]: a choice is a number, a text, or true or false. A function can "
            "take a text instead, such as '64-32', and split it",
        ),
        ({"value": {"a": 1}}, "has no choice {'a': 1}: a choice is a number, a text, or true or"),
        ({"values": [1, True]}, "a value is given twice in [1, True]"),
        ({"value": 2**60}, "has no choice"),
        ({"min": 1, "max": 2**60}, "p takes whole numbers, found"),
        ({"min": True, "max": 3}, "p takes numbers, found True"),
    ],
    ids=str,
)
def test_faults_of_entries_are_still_reported(entry, fault):
    with pytest.raises(SpaceError) as caught:
        loaded({"p": entry})
    assert fault in str(caught.value)


_NUMBERS = st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9)
_VALUES = st.one_of(_NUMBERS, st.booleans(), st.text(max_size=5))
_CHOICES = st.lists(_VALUES, min_size=1, max_size=5, unique=True).map(lambda v: {"values": v})
_INTS = st.tuples(st.integers(-99, 99), st.integers(0, 99)).map(
    lambda t: {"min": t[0], "max": t[0] + t[1]}
)
_FLOATS = st.tuples(st.floats(-99, 99), st.floats(0, 99)).map(
    lambda t: {"min": t[0], "max": t[0] + t[1]}
)


@given(st.dictionaries(st.sampled_from("abc"), _CHOICES | _INTS | _FLOATS, min_size=1))
def test_any_space_can_be_recorded_and_read_again(space):
    first = loaded(space)
    spec = ProblemSpec.from_dict(first.spec.to_dict())
    assert spec == first.spec
    assert load_space(first.parameters, spec).domains == first.domains
    written = {name: written_entry(domain) for name, domain in first.domains.items()}
    assert load_space(written, spec).domains == first.domains


_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["min", "max", "value", "values", "distribution", "q", "x"]), inner
        )
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.text(min_size=1, max_size=3), _JUNK, min_size=1, max_size=3))
def test_whatever_is_given_is_a_space_or_a_fault(space):
    try:
        found = loaded(space)
    except SpaceError:
        return
    assert all(found.spec.parameter(name).takes(found.spec.defaults[name]) for name in space)
