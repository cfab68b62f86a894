"""`xortune.Problem` with a model: what it takes, and what it says of anything else."""

import functools

import pytest
from torch import nn

import xortune
from tests.declared_modules import data, gap, made, model
from xortune.errors import UsageError
from xortune.spec import Metric, Objective


class Net(nn.Module):
    def __init__(self, inputs, outputs, width=4):
        super().__init__()
        self.line = nn.Linear(inputs, outputs)

    def forward(self, x):
        return self.line(x)


def said(**declared):
    with pytest.raises(UsageError) as caught:
        made(**declared)
    return str(caught.value)


def test_the_final_loss_decides_the_rank_unless_another_metric_does():
    module = made(metrics={"gap": gap}).module
    assert module.objective == Objective("mse", "minimize")
    assert made(objective="gap", metrics={"gap": gap}).module.objective == Objective("gap")
    assert made(objective="train_loss").module.objective == Objective("train_loss")


@pytest.mark.parametrize(
    ("key", "direction"),
    [
        ("accuracy", "maximize"),
        ("gap", "minimize"),
        ("gain:max", "maximize"),
        ("f1:min", "minimize"),
    ],
)
def test_which_way_a_metric_is_better_follows_from_its_name_or_is_said(key, direction):
    module = made(metrics={key: gap}, objective=key.partition(":")[0]).module
    assert module.objective == Objective(key.partition(":")[0], direction)
    assert module.spec_metrics[2].direction == direction


def test_metrics_are_in_the_order_in_which_they_are_shown():
    names = [m.name for m in made(metrics={"b": gap, "a": gap}).module.spec_metrics]
    assert names == ["train_loss", "mse", "b", "a", "best_epoch"]
    assert made().module.spec_metrics[1] == Metric("mse", "loss")


def test_several_losses_are_choices_of_which_the_first_is_the_final_one():
    module = made(loss=["huber", gap, nn.L1Loss()]).module
    assert module.loss_fns == ("huber", "gap", "L1Loss")
    assert module.loss == "huber"
    assert made(loss="mse").module.loss_fns == ()
    assert made(loss=lambda output, target: 0).module.loss == "loss_function"


@pytest.mark.parametrize("model", [model, Net, functools.partial(model, width=3)])
def test_a_model_is_a_function_or_a_class(model):
    assert made(model=model).module.model is model


@pytest.mark.parametrize(
    ("declared", "fault"),
    [
        ({"train": print}, "train and model: give one of the two."),
        ({"model": None}, "train is missing: a function of two arguments"),
        ({"model": None, "train": print}, "loss 'mse': goes with a model, and there is none."),
        ({"model": 3}, "model 3: must be a class or a function that makes a module."),
        ({"model": nn.Linear(1, 1)}, "model Linear: is a module, and each trial needs one of its"),
        ({"model": lambda lr: 1}, "model <lambda>: lr is a parameter of the training"),
        ({"model": lambda batch_size=3: 1}, "batch_size is a parameter of the training"),
        ({"model": lambda loss_fn="a": 1}, "loss_fn is a parameter of the training"),
        ({"model": lambda rank=3: 1}, "xortune's tables have a column rank; rename the keyword."),
        ({"model": eval("lambda width, /: 1")}, "width cannot be given by name"),
        ({"data": data()}, "data: must be a function that returns the Split, not the Split itself"),
        ({"data": 3}, "data 3: must be a function that returns an xortune.Split."),
        ({"data": lambda seed: 1}, "data <lambda>: must take no arguments, and takes (seed)"),
        ({"loss": None}, "loss: missing. Give one of mse, mae, huber, bce_with_logits, cross_en"),
        ({"loss": "crossentropy"}, "loss 'crossentropy': must be one of mse, mae, huber, bce_with"),
        ({"loss": "crossentropy"}, "Did you mean cross_entropy?"),
        ({"loss": 3}, "loss 3: must be a name, or a function of output and target."),
        ({"loss": []}, "loss []: is empty"),
        ({"loss": ["mse", "mse"]}, "loss: mse is there twice."),
        ({"loss": lambda output: 1}, "loss <lambda>: must take two arguments, output and target"),
        ({"loss": nn.MSELoss}, "loss MSELoss: is a class; make an object of it: MSELoss()."),
        ({"metrics": ["gap"]}, "metrics ['gap']: of a model, must be functions of output and tar"),
        ({"metrics": {"gap": 3}}, "metrics gap: 3 must be a function of output and target."),
        ({"metrics": {"a b": gap}}, "metrics: 'a b' is not a name"),
        ({"metrics": {"gap:up": gap}}, "metrics: 'gap:up' is not a name"),
        ({"metrics": {"gap": gap, "gap:max": gap}}, "metrics: gap is there twice."),
        ({"metrics": {"train_loss": gap}}, "metrics: 'train_loss' is a name that xortune uses"),
        ({"metrics": {"mse": gap}}, "metrics: mse is the name of a loss, too; rename one."),
        ({"metrics": {"gap": lambda output: 1}}, "metrics gap: must take two arguments, output"),
        ({"objective": "acuracy", "metrics": {"accuracy": gap}}, "Did you mean accuracy?"),
        ({"objective": "gap"}, "objective 'gap': is no metric; there are train_loss, mse, best_"),
        ({"objective": "gap:up"}, "objective 'gap:up': must be the name of a metric"),
        ({"defaults": [1]}, "defaults [1]: must be values of parameters by name"),
        ({"cost": "epochs"}, "cost: goes with a function; a model's is its epochs."),
        ({"space": {}}, "space {}: must be a mapping of at least one parameter"),
        ({"name": "my net"}, "name 'my net': must consist of letters"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_wrong_is_said(declared, fault):
    assert f"Problem: {fault}" in said(**declared) or fault in said(**declared)


def test_all_faults_are_said_at_once():
    message = said(model=3, data=4, loss=5, metrics=6, defaults=7, objective=8, space=9, name=1)
    assert message.count("Problem: ") == 8


def test_neither_file_nor_object_is_needed_to_declare_one():
    assert "Split" in dir(xortune)
    assert xortune.Split(1, 2, 3, 4).x_test is None
