"""The spec of a module: its keywords, the parameters of training, its metrics, and faults."""

import pytest

from tests.declared_modules import SPACE, gap, made, model
from xortune.errors import UsageError
from xortune.problems.module.spec import module_spec
from xortune.problems.table.spec import table_spec
from xortune.space import inferred_parameters, load_space
from xortune.spec import Objective, Parameter, ProblemSpec

LARGEST = 2**53


def spec_of(space=SPACE, **declared):
    return module_spec(made(**declared), "mine", inferred_parameters(space))


def said(space=SPACE, **declared):
    with pytest.raises(UsageError) as caught:
        spec_of(space, **declared)
    return str(caught.value)


def test_the_models_keywords_come_first_and_then_what_a_table_has():
    spec = spec_of(loss=["mse", "mae", "huber"])
    table = table_spec("regression")
    assert spec.names == ("width", *table.names[4:])
    assert spec.parameters[1:] == table.parameters[4:]
    assert "loss_fn" not in spec_of().names
    assert (spec.cost, spec.compared, spec.curve) == (table.cost, table.compared, table.curve)
    assert ProblemSpec.from_dict(spec.to_dict()) == spec


def test_metrics_are_the_losses_the_users_and_the_best_epoch():
    spec = spec_of(metrics={"gap": gap}, objective="gap")
    assert spec.metric_names == ("train_loss", "mse", "gap", "best_epoch")
    assert (spec.loss, spec.losses, spec.objectives) == ("mse", ("mse",), (Objective("gap"),))


def test_a_keyword_has_the_kind_of_its_entry_or_of_its_default():
    def model(width=16, gain=1.5, bias=True, activation="Tanh", sizes=(3, 4)):
        return None

    spec = spec_of({"width": {"min": 1, "max": 9}}, model=model)
    assert spec.parameters[:4] == (
        Parameter("width", "int", 1, -LARGEST, LARGEST),
        Parameter("gain", "float", 1.5, spec.parameter("gain").low, spec.parameter("gain").high),
        Parameter("bias", "choice", True, choices=(True,), ordered=False),
        Parameter("activation", "choice", "Tanh", choices=("Tanh",), ordered=False),
    )
    assert spec.names[4] == "lr"
    wider = spec_of({"sizes": {"values": ["3-4", "5"]}}, model=model)
    assert wider.parameter("sizes").choices == ("3-4", "5")


def test_a_model_with_any_keywords_takes_what_the_space_has():
    def model(inputs, width, **others):
        return None

    spec = spec_of({**SPACE, "depth": {"value": 3}, "seed": {"value": 1}}, model=model)
    assert spec.names[:3] == ("width", "depth", "lr")


def test_a_problems_own_defaults_count_where_a_space_leaves_parameters_out():
    spec = spec_of({"lr": {"value": 0.1}}, defaults={"epochs": 7, "width": 9, "weight_decay": 1})
    assert (spec.defaults["epochs"], spec.defaults["width"]) == (7, 9)
    assert spec.defaults["weight_decay"] == 1.0
    space = load_space({"lr": {"value": 0.1}}, spec)
    assert space.domains["epochs"].values == (7,)


@pytest.mark.parametrize(
    ("space", "declared", "fault"),
    [
        (
            {"widht": {"value": 1}}, {},
            "parameter 'widht': is no keyword of the model model, and no parameter of the "
            "training; there are width, lr, batch_size, epochs, seed, optimizer, weight_decay, "
            "schedule, early_stopping. Did you mean width?",
        ),
        ({"inputs": {"value": 1}}, {}, "parameter 'inputs': the data says it. Take it out"),
        ({"loss_fn": {"value": "mse"}}, {}, "parameter 'loss_fn': there is one loss. For a choice"),
        ({"state": {"value": 1}}, {}, "parameter 'state': xortune's tables have a column of that"),
        ({"a b": {"value": 1}}, {}, "parameter 'a b': a name consists of letters"),
        ({"mse": {"value": 1}}, {}, "parameter 'mse': a metric has the same name; rename one."),
        ({"lr": {"value": 1}}, {"model": lambda width: 1}, "width has no default, and the search"),
        (SPACE, {"defaults": {"widht": 3}}, "defaults: there is no parameter 'widht'. Did you"),
        (SPACE, {"defaults": {"lr": -1.0}}, "lr cannot be -1.0; it takes numbers above 0."),
        (SPACE, {"defaults": {"optimizer": "lbfgs"}}, "optimizer cannot be 'lbfgs'; it takes"),
        (SPACE, {"metrics": {"width": gap}}, "model: width is the name of a metric, too; rename"),
    ],
    ids=str,
)  # fmt: skip
def test_names_and_defaults_that_cannot_be_are_said(space, declared, fault):
    assert fault in said(space, **declared)


def test_kinds_of_the_training_are_its_own_whatever_the_space_says():
    spec = spec_of({"lr": {"min": 1, "max": 3}, "seed": {"values": [1, 2]}})
    assert (spec.parameter("lr").kind, spec.parameter("seed").kind) == ("float", "int")
    assert spec.seed == "seed"
    assert model is made().model
