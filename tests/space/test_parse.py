"""From a parameters block to domains, and every fault of one."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.space.spaces import PROBLEMS, inside, load_xor
from tests.specs import specs
from xortune.errors import SpaceError, UsageError
from xortune.problems.xor.spec import SPEC
from xortune.space import Choice, Domain, Range, count_points, load_space, point_at
from xortune.space.entries import written_entry
from xortune.space.parse import parse_space
from xortune.space.vocabulary import DISTRIBUTIONS, NOT_OFFERED
from xortune.space.yaml_text import parse_yaml
from xortune.spec import Parameter, ProblemSpec


def domain(parameter: str, **entry: object) -> Domain:
    return load_xor({parameter: entry}).domains[parameter]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"value": 1}, Choice((1.0,))),
        ({"value": 0.5, "distribution": "constant"}, Choice((0.5,))),
        ({"values": [3, 0.1]}, Choice((3.0, 0.1))),
        ({"values": (3, 0.1), "distribution": "categorical"}, Choice((3.0, 0.1))),
        ({"min": 0.1, "max": 2.0}, Range(0.1, 2.0)),
        ({"min": 1, "max": 2.5}, Range(1.0, 2.5)),
        ({"min": 1, "max": 3}, Range(1, 3)),
        ({"min": 1, "max": 3, "distribution": "uniform"}, Range(1.0, 3.0)),
        ({"min": 0.1, "max": 2, "distribution": "log_uniform_values"}, Range(0.1, 2.0, log=True)),
        ({"min": 1, "max": 2, "q": 0.5, "distribution": "q_uniform"}, Range(1.0, 2.0, step=0.5)),
        ({"min": 0.5, "max": 0.5}, Choice((0.5,))),
        ({"min": 0.3, "max": 0.3, "q": 0.1, "distribution": "q_uniform"}, Choice((0.3,))),
    ],
)
def test_learning_rates(entry, expected) -> None:
    assert repr(domain("lr", **entry)) == repr(expected)


@pytest.mark.parametrize("parameter", ["epochs", "seed"])
@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"value": 5}, Choice((5,))),
        ({"value": 1e2}, Choice((100,))),
        ({"values": [7, 5]}, Choice((7, 5))),
        ({"min": 5, "max": 9}, Range(5, 9)),
        ({"min": 5.0, "max": 9.0}, Range(5, 9)),
        ({"min": 5, "max": 9, "distribution": "int_uniform"}, Range(5, 9)),
        ({"min": 5, "max": 9, "distribution": "q_log_uniform_values"}, Range(5, 9, log=True)),
        ({"min": 5, "max": 9, "distribution": "q_uniform"}, Range(5, 9)),
        ({"min": 5, "max": 9, "q": 2, "distribution": "q_uniform"}, Range(5, 9, step=2)),
        (
            {"min": 5, "max": 9, "q": 2, "distribution": "q_log_uniform_values"},
            Range(5, 9, log=True, step=2),
        ),
        ({"min": 5, "max": 5}, Choice((5,))),
        ({"min": 5, "max": 9, "q": 1.0, "distribution": "q_uniform"}, Range(5, 9)),
        (
            {"min": 100, "max": 900, "q": 100.0, "distribution": "q_log_uniform_values"},
            Range(100, 900, log=True, step=100),
        ),
    ],
)
def test_whole_numbers(parameter, entry, expected) -> None:
    assert repr(domain(parameter, **entry)) == repr(expected)


def test_the_ends_of_what_is_allowed() -> None:
    assert domain("seed", min=0, max=2**32 - 1) == Range(0, 2**32 - 1)
    assert domain("epochs", min=1, max=2**31 - 1) == Range(1, 2**31 - 1)
    with pytest.raises(SpaceError, match="found 4294967296"):
        domain("seed", value=2**32)
    with pytest.raises(SpaceError, match="found 2147483648"):
        domain("epochs", value=2**31)


def test_loss_functions() -> None:
    assert domain("loss_fn", value="bce") == Choice(("bce",))
    assert domain("loss_fn", values=["mse", "bce_with_logits"]) == Choice(
        ("mse", "bce_with_logits")
    )


def test_what_is_left_out_takes_its_default_and_a_note_says_so() -> None:
    space = load_xor({"lr": {"value": 1.0}})
    assert tuple(space.domains) == SPEC.names
    assert space.domains == {
        "lr": Choice((1.0,)),
        "epochs": Choice((10_000,)),
        "seed": Choice((42,)),
        "loss_fn": Choice(("mse",)),
    }
    (note,) = space.notes
    assert note.endswith("the default is used for epochs 10000, seed 42, loss_fn mse.")


@settings(deadline=None)
@given(specs(), st.data())
def test_what_a_block_leaves_out_takes_the_default(spec, data) -> None:
    given = data.draw(st.sampled_from(spec.parameters))
    space = load_space({given.name: {"value": given.default}}, spec)
    assert point_at(space, 0) == spec.defaults
    assert count_points(space) == 1
    assert repr(list(space.domains.values())) == repr([Choice((v,)) for v in spec.defaults.row])


@settings(deadline=None)
@given(specs(), st.data())
def test_a_value_outside_a_parameter_names_what_it_takes(spec, data) -> None:
    parameter = data.draw(st.sampled_from(spec.parameters))
    value = data.draw(st.sampled_from([None, "x", math.nan, math.inf, 1e300, -1e300, 10**400, {}]))
    form = data.draw(st.sampled_from(["value", "values"]))
    with pytest.raises(SpaceError) as caught:
        load_space({parameter.name: {form: value if form == "value" else [value]}}, spec)
    (fault,) = caught.value.faults
    is_choice = parameter.kind == "choice"
    takes = f"{parameter.name} has no choice " if is_choice else f"{parameter.name} takes "
    assert fault.startswith(f"parameters.{parameter.name}.{form}: {takes}")


@pytest.mark.parametrize(
    ("low", "high", "above", "words"),
    [
        (0.0, 1.0, False, "numbers from 0 to 1,"),
        (0.0, 0.5, True, "numbers above 0 and up to 0.5,"),
        (None, -1.5, False, "numbers up to -1.5,"),
        (-2.0, None, False, "numbers from -2 up,"),
        (-2.0, None, True, "numbers above -2,"),
        (None, None, False, "numbers,"),
    ],
)
def test_the_bounds_of_a_parameter_in_words(low, high, above, words) -> None:
    parameter = Parameter("rate", "float", 0.0, low, high, above)
    with pytest.raises(SpaceError, match=f"rate takes {words} found 'x'"):
        load_space({"rate": {"value": "x"}}, replace(SPEC, parameters=(parameter,), cost=None))


TRUTHS = Parameter("bias", "choice", True, choices=(False, True))
SIZES = Parameter("width", "choice", 8, choices=(8, 16, 0.5, 1))
WORDS = Parameter("activation", "choice", "relu", choices=("relu", "8", "true"))
CHOOSING = replace(SPEC, parameters=(TRUTHS, SIZES, WORDS), cost=None, compared=None, aliases={})


def test_choices_of_truths_numbers_and_texts() -> None:
    text = (
        "parameters:\n  bias: {values: [true, False]}\n  width: {values: [16.0, 0.5, 1]}\n"
        "  activation: {values: ['true', relu, '8']}\n"
    )
    space = parse_space(CHOOSING, "text", "text", parse_yaml(text, "text"))
    assert repr(list(space.domains.values())) == repr(
        [Choice((True, False)), Choice((16, 0.5, 1)), Choice(("true", "relu", "8"))]
    )
    assert load_space({"bias": {"value": np.bool_(False)}}, CHOOSING).domains["bias"] == Choice(
        (False,)
    )


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("bias", 1, "bias has no choice 1; there are false, true"),
        ("bias", 0.0, "bias has no choice 0.0; there are false, true"),
        ("bias", "True", "bias has no choice 'True' (write true without quotes);"),
        ("width", True, "width has no choice True; there are 8, 16, 0.5, 1"),
        ("width", "8", "width has no choice '8' (write 8 without quotes);"),
        ("activation", 8, "activation has no choice 8 (did you mean '8'?);"),
        ("activation", True, "activation has no choice True (did you mean 'true'?);"),
        ("activation", "Relu", "activation has no choice 'Relu' (did you mean 'relu'?);"),
    ],
)
def test_a_choice_of_another_type_is_not_that_choice(name, value, hint) -> None:
    with pytest.raises(SpaceError) as caught:
        load_space({name: {"value": value}}, CHOOSING)
    assert caught.value.faults[0].startswith(f"parameters.{name}.value: {hint}")


def test_choices_have_no_bounds() -> None:
    with pytest.raises(SpaceError, match=r"not min and max; write values: \[8, 16, 0.5, 1\]"):
        load_space({"width": {"min": 8, "max": 16}}, CHOOSING)


def test_nothing_is_said_of_a_complete_space() -> None:
    complete = {name: {"value": 1} for name in ("lr", "epochs", "seed")}
    assert load_xor({**complete, "loss_fn": {"value": "mse"}}).notes == ()


def test_ignored_keys_are_named() -> None:
    sweep = {"program": "train.py", "method": "bayes", "parameters": {"lr": {"value": 1.0}}}
    assert "that xortune ignores: program, method." in load_xor(sweep).notes[0]


def test_a_block_alone_and_a_whole_content_are_the_same() -> None:
    block = {"lr": {"min": 0.1, "max": 1.0}}
    assert load_xor(block) == load_xor({"parameters": block})


def test_all_faults_are_named_at_once() -> None:
    block = {
        "speed": {"value": 3},
        "lr": {"values": [-1, math.nan, 0.5, "x"]},
        "epochs": {"min": 0, "max": math.inf, "steps": 3},
        "seed": 4,
        "loss_fn": {"values": ["mse", "hinge"]},
    }
    with pytest.raises(SpaceError) as caught:
        load_xor({"parameters": block, "methods": "grid"})
    faults = caught.value.faults
    assert [fault.split(": ")[0] for fault in faults] == [
        "methods",
        "parameters.speed",
        "parameters.lr.values",
        "parameters.lr.values",
        "parameters.lr.values",
        "parameters.epochs.steps",
        "parameters.epochs.max",
        "parameters.seed",
        "parameters.loss_fn.values",
    ]
    assert str(caught.value).startswith("search space custom has 9 faults:\n  - methods: ")
    assert all(fault in str(caught.value) for fault in faults)


def test_a_single_fault_stands_on_one_line() -> None:
    with pytest.raises(SpaceError) as caught:
        load_xor({"lr": {"value": -1}})
    assert str(caught.value).startswith("search space custom: parameters.lr.value: ")
    assert "\n" not in str(caught.value)


@settings(deadline=None)
@given(PROBLEMS)
def test_every_valid_block_is_read_and_its_record_gives_the_same(problem) -> None:
    spec, block = problem
    space = load_space({"parameters": block}, spec)
    assert tuple(space.domains) == spec.names
    assert inside(space)
    assert set(space.parameters) == set(block)
    again = load_space(json.loads(json.dumps(space.parameters)), spec)
    assert repr(again.domains) == repr(space.domains)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.binary(max_size=3),
    st.sampled_from([10**400, -(10**400), 5e-324, 1e308, "mse", "q_uniform", "uniform"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCALARS, inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(["value", "values", "min", "max", "q", "distribution", "vale", 3, None])
ENTRIES = st.dictionaries(KEYS, VALUES, max_size=5) | VALUES
BOUNDED = st.fixed_dictionaries(
    {"min": SCALARS, "max": SCALARS},
    optional={
        "q": SCALARS,
        "distribution": st.sampled_from(["q_uniform", "q_log_uniform_values", "uniform"]),
    },
)


def contents(spec: ProblemSpec) -> st.SearchStrategy[tuple[ProblemSpec, object]]:
    names = st.sampled_from([*spec.names, "epoch", 7])
    return st.tuples(st.just(spec), st.dictionaries(names, ENTRIES | BOUNDED) | VALUES)


@settings(max_examples=250, deadline=None)
@given((st.just(SPEC) | specs()).flatmap(contents))
def test_whatever_the_content_it_is_a_space_or_bad_input(content) -> None:
    spec, parameters = content
    try:
        space = load_space({"parameters": parameters}, spec)
    except UsageError:
        return
    assert inside(space)


@pytest.mark.parametrize("parameter", ["epochs", "seed"])
@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"min": 5, "max": 9}, Range(148, 8103, log=True)),
        ({"min": 5.0, "max": 9.0, "q": 1.0}, Range(148, 8103, log=True)),
        ({"min": 5, "max": 9, "q": 100}, Range(100, 8100, log=True, step=100)),
        ({"min": math.log(32), "max": math.log(256)}, Range(32, 256, log=True)),
        ({"min": 3.466, "max": 5.545}, Range(32, 256, log=True)),
        ({"min": 0, "max": 0.3}, Choice((1,))),
    ],
)
def test_q_log_uniform_takes_natural_logarithms(parameter, entry, expected) -> None:
    found = domain(parameter, **entry, distribution="q_log_uniform")
    assert repr(found) == repr(expected)


def test_log_uniform_takes_natural_logarithms() -> None:
    assert domain("lr", min=-5, max=0, distribution="log_uniform") == Range(
        math.exp(-5), 1.0, log=True
    )
    assert domain("lr", min=0.0, max=1, distribution="log_uniform") == Range(
        1.0, math.exp(1), log=True
    )
    assert domain("lr", min=-5, max=0, q=0.01, distribution="q_log_uniform") == Range(
        0.01, 1.0, log=True, step=0.01
    )


def test_what_was_a_logarithm_is_said_and_recorded_as_a_bound() -> None:
    space = load_xor({"epochs": {"min": 5, "max": 9, "distribution": "q_log_uniform"}})
    assert space.parameters == {
        "epochs": {"distribution": "q_log_uniform_values", "min": 148, "max": 8103, "q": 1}
    }
    note = space.notes[-1]
    assert note.endswith(
        "q_log_uniform takes natural logarithms, so epochs lies between 148 and 8103."
    )
    assert load_xor(space.parameters).domains == space.domains


@pytest.mark.parametrize(
    ("low", "high", "note"),
    [
        (
            0.001,
            10,
            "lr lies between 1.001 and 22026.5. If lr is meant to lie between 0.001 and 10",
        ),
        (0.01, 0.5, "lr lies between 1.01005 and 1.64872. If lr is meant to lie between 0.01 and"),
        (-5, 0, "so lr lies between 0.00673795 and 1."),
        (3.466, 5.545, "so lr lies between 32.0085 and 255.955."),
    ],
)
def test_logarithms_that_look_like_bounds_are_explained(low, high, note) -> None:
    notes = load_xor({"lr": {"min": low, "max": high, "distribution": "log_uniform"}}).notes
    assert note in notes[-1]
    remedy = "write distribution: log_uniform_values." in notes[-1]
    assert remedy == (low > 0 and low < 1)


# Those of W&B's documentation and of the schema of its sweeps package.
WANDB = {
    "constant", "categorical", "categorical_w_probabilities", "int_uniform", "uniform",
    "q_uniform", "log_uniform", "log_uniform_values", "q_log_uniform", "q_log_uniform_values",
    "inv_log_uniform", "inv_log_uniform_values", "normal", "q_normal", "log_normal",
    "q_log_normal", "beta", "q_beta",
}  # fmt: skip


def test_every_distribution_of_wandb_is_known() -> None:
    assert {*DISTRIBUTIONS, *NOT_OFFERED} == WANDB


@pytest.mark.parametrize("distribution", NOT_OFFERED)
def test_a_distribution_that_is_not_offered_says_what_to_use(distribution) -> None:
    entry = {"mu": 0, "sigma": 1, "min": 1, "max": 2, "distribution": distribution}
    with pytest.raises(SpaceError) as caught:
        load_xor({"lr": entry})
    (fault,) = caught.value.faults
    assert fault.startswith(
        f"parameters.lr.distribution: W&B's {distribution} is not offered here; use "
    )
    assert "did you mean" not in fault


@pytest.mark.parametrize(
    ("word", "never"),
    [
        ("loguniform", "'"),
        ("log-uniform", "'"),
        ("quniform", "log"),
        ("qloguniform", "'"),
        ("q_log_unifrom", "'"),
        ("inv_loguniform", "'"),
        ("lognormal", "uniform'"),
        ("randint", "uniform'"),
    ],
)
def test_no_hint_changes_the_meaning_of_a_distribution(word, never) -> None:
    """A logarithm or a grid is neither gained nor lost, nor are bounds taken for logarithms."""
    with pytest.raises(SpaceError) as caught:
        load_xor({"epochs": {"min": 5, "max": 9, "distribution": word}})
    hint = str(caught.value).partition("(did you mean ")[2].partition("?)")[0]
    assert never not in hint


@pytest.mark.parametrize("name", ["mae", "RMSE", "nll", "l1", "hinge"])
def test_no_hint_takes_another_loss_function_for_one_of_ours(name) -> None:
    with pytest.raises(SpaceError) as caught:
        load_xor({"loss_fn": {"value": name}})
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "ours"),
    [("BCEWithLogitsLoss", "bce_with_logits"), ("MSELoss", "mse"), ("BCE", "bce")],
)
def test_a_loss_function_by_its_name_in_pytorch(name, ours) -> None:
    with pytest.raises(SpaceError, match=rf"\(did you mean '{ours}'\?\)"):
        load_xor({"loss_fn": {"value": name}})


@given(PROBLEMS)
def test_every_domain_can_be_written_and_read_again(problem) -> None:
    spec, block = problem
    for name, found in load_space(block, spec).domains.items():
        entry = json.loads(json.dumps(written_entry(found)))
        assert repr(load_space({name: entry}, spec).domains[name]) == repr(found)


NUMPY = {
    "lr": {"values": np.array([0.1, 1.0])},
    "epochs": {
        "min": np.int64(5), "max": np.int32(9), "q": np.float64(2), "distribution": "q_uniform"
    },
    "seed": {"values": (np.uint8(3), np.int16(4))},
    "loss_fn": {"value": np.str_("bce")},
}  # fmt: skip


def test_numbers_of_numpy_are_those_numbers() -> None:
    space = load_xor(NUMPY)
    assert repr(dict(space.domains)) == repr(
        {
            "lr": Choice((0.1, 1.0)),
            "epochs": Range(5, 9, step=2),
            "seed": Choice((3, 4)),
            "loss_fn": Choice(("bce",)),
        }
    )
    assert repr(json.loads(json.dumps(space.parameters))) == repr(space.parameters)


@pytest.mark.parametrize(
    "values",
    [np.arange(3), range(3), pd.Series([0, 1, 2]), pd.Index([0, 1, 2]), (np.float32(0), 1, 2)],
    ids=["array", "range", "series", "index", "tuple"],
)
def test_values_from_elsewhere_are_lists(values) -> None:
    assert repr(domain("seed", values=values)) == "Choice(values=(0, 1, 2))"


@pytest.mark.parametrize(
    "value", [np.bool_(True), np.array([1, 2]), np.datetime64("2001-01-01"), np.array([[1]]), 1j]
)
def test_what_is_no_number_in_numpy_either(value) -> None:
    with pytest.raises(SpaceError, match=r"parameters\.seed\.value: (seed takes|expected one) "):
        load_xor({"seed": {"value": value}})


def test_a_space_is_not_changed_by_what_becomes_of_the_dictionary() -> None:
    values = [1, 2]
    space = load_xor({"seed": {"values": values}})
    values.append(3)
    assert space.parameters == {"seed": {"values": [1, 2]}}


def test_a_dictionary_that_contains_itself() -> None:
    entry: dict = {"value": 1}
    entry["min"] = entry
    with pytest.raises(SpaceError, match="value, min together"):
        load_xor({"seed": entry})


def test_a_parameter_by_another_usual_name():
    with pytest.raises(SpaceError, match=r"'learning_rate' \(did you mean 'lr'\?\)"):
        load_xor({"learning_rate": {"value": 0.1}})
