"""`xortune.Problem`: what it takes, and what it says of anything else."""

import functools

import pytest

import xortune
from xortune.errors import UsageError
from xortune.problems.function.mentioned import mentioned_metrics


def train(config, report):
    for epoch in range(3):
        report(epoch, loss=1.0, accuracy=0.5)
    helper(report)

    def inner():
        return {"hidden": 1}

    if inner():
        return {"loss": 1.0, "gap": 2.0, **config}
    return {"late": 0.0}


def helper(report):
    report(3, unseen=1.0)


class Callable:
    def __call__(self, config, tell):
        tell(0, height=1.0)
        tell(epoch=1, width=1.0)


def test_the_public_name_is_the_class():
    problem = xortune.Problem(train=train, space={"rate": {"value": 1}}, objective="loss")
    assert problem.objective_name == "loss"
    assert problem.direction == "minimize"
    assert "Problem" in dir(xortune)


def test_metrics_are_found_in_the_text_in_its_order():
    assert mentioned_metrics(train) == ("loss", "accuracy", "gap", "late")


@pytest.mark.parametrize(
    "wrapped",
    [Callable(), Callable().__call__, functools.partial(Callable())],
    ids=["object", "method", "partial"],
)
def test_metrics_are_found_in_whatever_can_be_called(wrapped):
    assert mentioned_metrics(wrapped) == ("height", "width")


def test_a_function_without_a_text_mentions_none():
    assert mentioned_metrics(eval("lambda config, report: report(0, loss=1)")) == ()


def test_the_objective_comes_first_and_declared_metrics_replace_found_ones():
    found = xortune.Problem(train, objective="accuracy:max")
    assert found.metric_names == ("accuracy", "loss", "gap", "late")
    assert found.direction == "maximize"
    declared = xortune.Problem(train, metrics=["gap", "loss", "gap"])
    assert declared.metric_names == ("loss", "gap")


def test_metrics_that_tables_have_columns_for_are_not_found():
    def odd(config, report):
        return {"loss": 1.0, "state": 2.0, "two words": 3.0, "replicates": 4, "folds": 5}

    assert xortune.Problem(odd).metric_names == ("loss",)


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"train": 3}, "train 3: must be a function of two arguments, (config, report)."),
        (
            {"train": lambda config: 1},
            "train <lambda>: must take two arguments, (config, report), and takes (config)",
        ),
        ({"space": [1]}, "space [1]: must be a mapping of at least one parameter"),
        ({"space": {}}, "space {}: must be a mapping of at least one parameter"),
        ({"objective": "loss:least"}, "objective 'loss:least': must be the name of a metric"),
        ({"objective": "loss:"}, "objective 'loss:': must be the name"),
        ({"objective": ""}, "objective '': must be the name"),
        ({"objective": 3}, "objective 3: must be the name"),
        (
            {"objective": "accuracy"},
            "objective 'accuracy': say which way is better: objective='accuracy:max' or "
            "'accuracy:min'.",
        ),
        ({"objective": "val_AUC"}, "objective 'val_AUC': say which way is better"),
        ({"objective": "test/f1"}, "objective 'test/f1': say which way is better"),
        ({"objective": "rank"}, "objective: 'rank' is a name that xortune uses"),
        ({"metrics": "loss"}, "metrics 'loss': must be a list of names"),
        ({"metrics": ["a b"]}, "metrics: 'a b' is not a name"),
        ({"metrics": ["gap", "fold"]}, "metrics: 'fold' is a name that xortune uses; give the"),
        ({"objective": "pruned_loss"}, "objective: 'pruned_loss' is a name that xortune uses"),
        ({"metrics": ["epoch"]}, "metrics: 'epoch' is a name that xortune uses"),
        ({"name": "my net"}, "name 'my net': must consist of letters"),
        ({"cost": 3}, "cost 3: must be the name of a parameter"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said(arguments, fault):
    with pytest.raises(UsageError) as caught:
        xortune.Problem(**{"train": train, **arguments})
    assert f"Problem: {fault}" in str(caught.value)


def test_async_functions_and_generators_are_refused():
    async def later(config, report):
        return 1.0

    def several(config, report):
        yield 1.0

    for function in (later, several):
        with pytest.raises(UsageError, match="neither async nor a generator"):
            xortune.Problem(function)


def test_all_faults_are_said_at_once():
    with pytest.raises(UsageError) as caught:
        xortune.Problem(None, space=1, objective=2, metrics=3, name=4, cost=5)
    assert str(caught.value).count("Problem: ") == 6
