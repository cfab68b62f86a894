"""From a parameters block to domains, and every fault of one."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.space.spaces import PARAMETERS as BLOCKS
from xortune.errors import SpaceError, UsageError
from xortune.space import PARAMETERS, Choice, Domain, Range, SearchSpace, load_space
from xortune.space.entries import written_entry
from xortune.space.vocabulary import DISTRIBUTIONS, NOT_OFFERED


def domain(parameter: str, **entry: object) -> Domain:
    return load_space({parameter: entry}).domains[parameter]


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


def test_what_is_left_out_is_the_labs_and_said_to_be_so() -> None:
    space = load_space({"lr": {"value": 1.0}})
    assert tuple(space.domains) == PARAMETERS
    assert space.domains == {
        "lr": Choice((1.0,)),
        "epochs": Choice((10_000,)),
        "seed": Choice((42,)),
        "loss_fn": Choice(("mse",)),
    }
    (note,) = space.notes
    assert note.endswith("the lab's value is taken for epochs 10000, seed 42, loss_fn mse.")


def test_nothing_is_said_of_a_complete_space() -> None:
    complete = {name: {"value": 1} for name in ("lr", "epochs", "seed")}
    assert load_space({**complete, "loss_fn": {"value": "mse"}}).notes == ()


def test_keys_without_a_meaning_are_named() -> None:
    sweep = {"program": "train.py", "method": "bayes", "parameters": {"lr": {"value": 1.0}}}
    assert "mean nothing here: program, method." in load_space(sweep).notes[0]


def test_a_block_alone_and_a_whole_content_are_the_same() -> None:
    block = {"lr": {"min": 0.1, "max": 1.0}}
    assert load_space(block) == load_space({"parameters": block})


def test_all_faults_are_named_at_once() -> None:
    block = {
        "speed": {"value": 3},
        "lr": {"values": [-1, math.nan, 0.5, "x"]},
        "epochs": {"min": 0, "max": math.inf, "steps": 3},
        "seed": 4,
        "loss_fn": {"values": ["mse", "hinge"]},
    }
    with pytest.raises(SpaceError) as caught:
        load_space({"parameters": block, "methods": "grid"})
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
        load_space({"lr": {"value": -1}})
    assert str(caught.value).startswith("search space custom: parameters.lr.value: ")
    assert "\n" not in str(caught.value)


@settings(deadline=None)
@given(BLOCKS)
def test_every_valid_block_is_read_and_its_record_gives_the_same(block) -> None:
    space = load_space({"parameters": block})
    assert tuple(space.domains) == PARAMETERS
    assert set(space.parameters) == set(block)
    again = load_space(json.loads(json.dumps(space.parameters)))
    assert repr(again.domains) == repr(space.domains)


def inside(space: SearchSpace) -> bool:
    """Whether no domain reaches beyond what a trial can be."""
    limits = {"lr": (0, 3.4e38), "epochs": (1, 2**31 - 1), "seed": (0, 2**32 - 1)}
    ends = {
        name: d.values if isinstance(d, Choice) else (d.low, d.high)
        for name, d in space.domains.items()
    }
    return all(low <= end <= high for name, (low, high) in limits.items() for end in ends[name])


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


@settings(max_examples=250, deadline=None)
@given(st.dictionaries(st.sampled_from([*PARAMETERS, "epoch", 7]), ENTRIES | BOUNDED) | VALUES)
def test_whatever_the_content_it_is_a_space_or_bad_input(content) -> None:
    try:
        space = load_space({"parameters": content})
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
    space = load_space({"epochs": {"min": 5, "max": 9, "distribution": "q_log_uniform"}})
    assert space.parameters == {
        "epochs": {"distribution": "q_log_uniform_values", "min": 148, "max": 8103, "q": 1}
    }
    note = space.notes[-1]
    assert note.endswith(
        "q_log_uniform takes natural logarithms, so epochs lies between 148 and 8103."
    )
    assert load_space(space.parameters).domains == space.domains


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
        load_space({"lr": entry})
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
        load_space({"epochs": {"min": 5, "max": 9, "distribution": word}})
    hint = str(caught.value).partition("(did you mean ")[2].partition("?)")[0]
    assert never not in hint


@pytest.mark.parametrize("name", ["mae", "RMSE", "nll", "l1", "hinge"])
def test_no_hint_takes_another_loss_function_for_one_of_ours(name) -> None:
    with pytest.raises(SpaceError) as caught:
        load_space({"loss_fn": {"value": name}})
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "ours"),
    [("BCEWithLogitsLoss", "bce_with_logits"), ("MSELoss", "mse"), ("BCE", "bce")],
)
def test_a_loss_function_by_its_name_in_pytorch(name, ours) -> None:
    with pytest.raises(SpaceError, match=rf"\(did you mean '{ours}'\?\)"):
        load_space({"loss_fn": {"value": name}})


@given(BLOCKS)
def test_every_domain_can_be_written_and_read_again(block) -> None:
    for name, found in load_space(block).domains.items():
        entry = json.loads(json.dumps(written_entry(found)))
        assert load_space({name: entry}).domains[name] == found


NUMPY = {
    "lr": {"values": np.array([0.1, 1.0])},
    "epochs": {
        "min": np.int64(5), "max": np.int32(9), "q": np.float64(2), "distribution": "q_uniform"
    },
    "seed": {"values": (np.uint8(3), np.int16(4))},
    "loss_fn": {"value": np.str_("bce")},
}  # fmt: skip


def test_numbers_of_numpy_are_those_numbers() -> None:
    space = load_space(NUMPY)
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
    with pytest.raises(SpaceError, match=r"parameters\.seed\.value: expected (a|one) "):
        load_space({"seed": {"value": value}})


def test_a_space_is_not_changed_by_what_becomes_of_the_dictionary() -> None:
    values = [1, 2]
    space = load_space({"seed": {"values": values}})
    values.append(3)
    assert space.parameters == {"seed": {"values": [1, 2]}}


def test_a_dictionary_that_contains_itself() -> None:
    entry: dict = {"value": 1}
    entry["min"] = entry
    with pytest.raises(SpaceError, match="value, min together"):
        load_space({"seed": entry})


def test_a_parameter_by_another_usual_name():
    with pytest.raises(SpaceError, match=r"'learning_rate' \(did you mean 'lr'\?\)"):
        load_space({"learning_rate": {"value": 0.1}})
