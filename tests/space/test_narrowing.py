"""Narrowing a space: by texts as on the command line, and by values."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.space.spaces import PROBLEMS, inside, load_xor
from tests.specs import NAMES, TEXTS
from xortune.errors import UsageError
from xortune.problems.xor.spec import SPEC
from xortune.space import Choice, Range, grid_bounds, load_space, narrowed
from xortune.space.vocabulary import spelled
from xortune.spec import Metric, Objective, Parameter, ProblemSpec

DEFAULT = load_xor("default")
LAYERS = ProblemSpec(
    problem="layers",
    parameters=(
        Parameter("width", "choice", 8, choices=(8, 16, 32, 64)),
        Parameter("bias", "choice", True, choices=(False, True)),
        Parameter("activation", "choice", "relu", choices=("relu", "8", "a,b")),
        Parameter("group", "choice", 1, choices=(1, 2, 3), ordered=False),
    ),
    metrics=(Metric("error", "loss"),),
    loss="error",
    objectives=(Objective("error"),),
)
EVERY_CHOICE = {p.name: Choice(p.choices) for p in LAYERS.parameters[1:]}
STEPPED = load_xor({"epochs": {"min": 100, "max": 900, "q": 100, "distribution": "q_uniform"}})


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("lr=0.1", 0.1, Choice((0.1,))),
        ("lr=1", 1, Choice((1.0,))),
        ("lr=1e-2..1", (1e-2, 1), Range(0.01, 1.0, log=True)),
        ("lr=.1,1", [0.1, 1], Choice((0.1, 1.0))),
        ("lr=2..2", (2, 2), Choice((2.0,))),
        ("epochs=500..2000", (500, 2000), Range(500, 2000, log=True)),
        ("epochs=1_000", np.int64(1000), Choice((1000,))),
        ("epochs=1e3..2e3", (1e3, 2e3), Range(1000, 2000, log=True)),
        ("seed= 1 , 2 ", np.array([1, 2]), Choice((1, 2))),
        ("loss_fn=mse", "mse", Choice(("mse",))),
        ("loss_fn=bce,mse", ["bce", "mse"], Choice(("bce", "mse"))),
    ],
)
def test_a_value_a_range_or_choices(text, value, expected):
    name = text.partition("=")[0]
    for narrowing in ([text], {name: value}):
        space = narrowed(DEFAULT, narrowing)
        assert repr(space.domains[name]) == repr(expected)
        others = [key for key in DEFAULT.domains if key != name]
        assert all(space.domains[key] == DEFAULT.domains[key] for key in others)
        assert load_xor(space.parameters).domains == space.domains


def test_several_at_once():
    space = narrowed(DEFAULT, ["lr=0.1", "epochs=500..2000", "loss_fn=mse,bce"])
    assert space.domains["seed"] == DEFAULT.domains["seed"]
    assert space.parameters["seed"] == DEFAULT.parameters["seed"]
    assert space.domains == narrowed(
        DEFAULT, {"lr": 0.1, "epochs": (500, 2000), "loss_fn": ["mse", "bce"]}
    ).domains  # fmt: skip


def test_a_range_keeps_its_step():
    assert narrowed(STEPPED, ["epochs=150..450"]).domains["epochs"] == Range(150, 450, step=100)


def test_a_range_keeps_the_choices_that_lie_in_it():
    lab = load_xor("your_turn")
    assert narrowed(lab, ["lr=0.05..0.5"]).domains["lr"] == Choice((0.1, 0.3))


def test_nothing_narrows_nothing():
    assert narrowed(DEFAULT, {}) == narrowed(DEFAULT, []) == DEFAULT


@pytest.mark.parametrize(
    ("space", "text", "fragments"),
    [
        (DEFAULT, "lr=20", ("20 is outside", "lr goes from 0.01 to 10", "another space")),
        (DEFAULT, "lr=0.001..1", ("reaches beyond", "lr goes from 0.01 to 10")),
        (DEFAULT, "lr=1..0.1", ("1 is above 0.1", "swap them")),
        (DEFAULT, "lr=..1", ("a bound is missing", "500..2000")),
        (DEFAULT, "lr=1..", ("a bound is missing",)),
        (DEFAULT, "lr=0.1...1", ("above 0 and up to 3.4e+38, found '0.1...1'",)),
        (DEFAULT, "lr=", ("above 0 and up to 3.4e+38, found ''",)),
        (DEFAULT, "lr=0.1,", ("above 0 and up to 3.4e+38, found ''",)),
        (DEFAULT, "lr=1,1.0", ("given twice", "remove one")),
        (DEFAULT, "lr=fast", ("above 0 and up to 3.4e+38, found 'fast'",)),
        (DEFAULT, "lr=nan", ("above 0 and up to 3.4e+38, found 'nan'",)),
        (DEFAULT, "lr=0..1", ("lr takes numbers above 0", "found 0")),
        (DEFAULT, "epochs=600.5", ("takes whole numbers", "found 600.5")),
        (DEFAULT, "epochs=0600", ("2147483647, found '0600'", "as a number: 600")),
        (DEFAULT, "epochs=1:30", ("2147483647, found '1:30'",)),
        (DEFAULT, "loss_fn=mae", ("loss_fn has no choice 'mae'", "mse, bce, bce_with_logits")),
        (DEFAULT, "loss_fn=bce..mse", ("has no order", "list some of mse, bce")),
        (DEFAULT, "lr", ("expected NAME=VALUE, NAME=LOWEST..HIGHEST or NAME=VALUE,VALUE",)),
        (DEFAULT, "learning_rate=1", ("no parameter 'learning_rate'", "did you mean 'lr'")),
        (DEFAULT, "=1", ("no parameter ''", "lr, epochs, seed, loss_fn")),
        (STEPPED, "epochs=150", ("150 is outside", "from 100 to 900 in steps of 100")),
        (STEPPED, "epochs=110..190", ("no multiple of 100", "widen it")),
        (STEPPED, "seed=1", ("1 is outside", "seed is 42")),
        (load_xor("your_turn"), "lr=0.5..0.9", ("none of the space's values", "0.01, 0.03")),
    ],
)
def test_a_fault_names_value_and_remedy(space, text, fragments):
    with pytest.raises(UsageError) as caught:
        narrowed(space, [text])
    message = str(caught.value)
    assert message.startswith(f"--set {text}: ")
    assert [fragment for fragment in fragments if fragment not in message] == []


def test_all_faults_are_named_at_once():
    with pytest.raises(UsageError) as caught:
        narrowed(DEFAULT, ["lr=20", "seed=1", "sed=1", "seed=2", "lr"])
    assert [line.partition(": ")[0] for line in str(caught.value).splitlines()] == [
        "--set lr",
        "--set sed=1",
        "--set lr=20",
        "--set seed=2",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [((1, 2, 3), "a tuple of the lowest and the highest"), ([], "at least one value"),
     (None, "from 1 to 2147483647, found nothing"), ({}, "from 1 to 2147483647, found {}"),
     (True, "from 1 to 2147483647, found True"), ([[1]], "from 1 to 2147483647, found [1]")],
)  # fmt: skip
def test_a_fault_in_python(value, text):
    with pytest.raises(UsageError) as caught:
        narrowed(DEFAULT, {"epochs": value})
    assert str(caught.value).startswith("narrow epochs=")
    assert text in str(caught.value)


def test_choices_of_numbers_texts_and_truths():
    space = load_space({"width": {"values": [8, 16, 32]}}, LAYERS)
    for narrowing, expected in [
        (["width=8..16"], Choice((8, 16))),
        ({"width": (10, 40)}, Choice((16, 32))),
        (["width=16.0,8"], Choice((16, 8))),
        (["bias=true"], Choice((True,))),
        (["bias=False"], Choice((False,))),
        ({"bias": np.bool_(False)}, Choice((False,))),
        (["activation=8"], Choice(("8",))),
        (["activation=a,b"], Choice(("a,b",))),
        (["activation=relu,8"], Choice(("relu", "8"))),
    ]:
        complete = replace(space, domains={**space.domains, **EVERY_CHOICE})
        (name,) = (n.partition("=")[0] for n in narrowing)
        domain = narrowed(complete, narrowing).domains[name]
        assert repr(domain) == repr(expected)


@pytest.mark.parametrize(
    ("narrowing", "fragments"),
    [
        (["bias=1"], ("bias has no choice 1; there are false, true",)),
        ({"bias": 0}, ("bias has no choice 0; there are false, true",)),
        ({"bias": "true"}, ("bias has no choice 'true' (write true without quotes)",)),
        ({"activation": 8}, ("activation has no choice 8 (did you mean '8'?)",)),
        (["activation=ReLu"], ("(did you mean 'relu'?); there are relu, 8, a,b",)),
        (["width=true"], ("width has no choice 'true'; there are 8, 16, 32, 64",)),
        ({"width": True}, ("width has no choice True; there are 8, 16, 32, 64",)),
        (["width=64"], ("64 is outside the space, where width is one of 8, 16, 32",)),
        (["width=9..15"], ("none of the space's values", "width is one of 8, 16, 32;")),
        (["width=8..x"], ("bounds that are numbers, found 'x'",)),
        (["bias=false..true"], ("bias has no order", "list some of false, true")),
        (["activation=8..relu"], ("activation has no order",)),
        (["group=1..2"], ("group has no order, so no range; list some of 1, 2, 3",)),
    ],
)
def test_a_fault_in_choices_names_value_and_remedy(narrowing, fragments):
    space = load_space({"width": {"values": [8, 16, 32]}}, LAYERS)
    with pytest.raises(UsageError) as caught:
        narrowed(space, narrowing)
    assert [fragment for fragment in fragments if fragment not in str(caught.value)] == []


@settings(deadline=None)
@given(PROBLEMS, st.floats(0, 1, exclude_max=True))
def test_every_value_of_a_space_can_be_set(problem, share):
    """As a text and as a value, and nothing else is then left."""
    spec, block = problem
    space = load_space(block, spec)
    for name, domain in space.domains.items():
        values = domain.values if isinstance(domain, Choice) else grid_bounds(domain)
        value = values[int(share * len(values))]
        value = float(value) if spec.parameter(name).kind == "float" else value
        for narrowing in ([f"{name}={spelled(value)}"], {name: value}):
            assert repr(narrowed(space, narrowing).domains[name]) == repr(Choice((value,)))


@settings(deadline=None)
@given(
    PROBLEMS,
    st.lists(
        st.tuples(
            st.sampled_from(["lr", "epochs", "seed", "loss_fn", *NAMES, "x"]),
            st.text(max_size=8)
            | st.from_regex(r"[-0-9.,e]{1,10}|(mse|bce)(,bce)?", fullmatch=True)
            | st.sampled_from(TEXTS),
        ).map("=".join)
        | st.text(max_size=5),
        max_size=3,
    ),
)
def test_whatever_the_texts_it_is_a_part_of_the_space_or_bad_input(problem, texts):
    spec, block = problem
    space = load_space(block, spec)
    try:
        part = narrowed(space, texts)
    except UsageError:
        return
    again = load_space(json.loads(json.dumps(part.parameters)), spec)
    assert repr(again.domains) == repr(part.domains)
    assert inside(part)
    for name, domain in part.domains.items():
        if isinstance(domain, Range):
            assert space.domains[name].low <= domain.low <= domain.high <= space.domains[name].high


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("lr=0.01-0.1", "for a range write lr=0.01..0.1."),
        ("epochs=500 - 900", "for a range write epochs=500..900."),
        ("lr", "Write lr=VALUE, without a space."),
    ],
)
def test_a_range_with_a_dash_and_a_missing_sign_get_a_hint(text, hint) -> None:
    with pytest.raises(UsageError) as caught:
        narrowed(load_space("default", SPEC), [text])
    assert str(caught.value).endswith(hint)


def test_an_exponent_is_no_range() -> None:
    narrowed(load_space("default", SPEC), ["lr=1e-1"])
