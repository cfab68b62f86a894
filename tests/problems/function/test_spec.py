"""The spec of a function: parameters, metrics, the final loss, the cost."""

import pytest

import xortune
from xortune.errors import UsageError
from xortune.problems.code.recorded import name_of_file
from xortune.problems.function.spec import (
    folds_at_fault,
    function_spec,
    notes_on,
    single_spec,
)
from xortune.space import inferred_parameters, load_space
from xortune.spec import ADDED, Metric, Objective, ProblemSpec

SPACE = {
    "rate": {"min": 0.0, "max": 1.0},
    "epochs": {"values": [1, 5]},
    "seed": {"min": 0, "max": 9},
}


def nothing(config, report):
    return None


def spec_of(space=SPACE, **declared):
    return function_spec(xortune.Problem(nothing, **declared), "mine", inferred_parameters(space))


def test_a_loss_is_the_final_loss():
    spec = spec_of(metrics=["accuracy"])
    assert spec.metrics == (Metric("loss", "loss"), Metric("accuracy", "number", "higher"))
    assert spec.loss == "loss"
    assert spec.objectives == (Objective("loss"),)
    assert [series.name for series in spec.curve] == ["loss", "accuracy"]
    assert ProblemSpec.from_dict(spec.to_dict()) == spec


def test_it_stays_that_where_something_else_decides_the_rank():
    spec = spec_of(objective="accuracy:max", metrics=["loss"])
    assert spec.metrics == (Metric("accuracy", "number", "higher"), Metric("loss", "loss"))
    assert spec.loss == "loss"
    assert spec.objectives == (Objective("accuracy", "maximize"),)


def test_a_minimised_objective_is_the_final_loss_where_there_is_no_loss():
    spec = spec_of(objective="gap:min")
    assert spec.metrics == (Metric("gap", "loss"),)
    assert spec.loss == "gap"


def test_metrics_are_maximised_by_their_names_where_a_search_ranks_by_them():
    spec = spec_of(metrics=["val_auc", "score", "gap", "underscore", "val_loss", "auctions"])
    rising = [m.name for m in spec.metrics if m.direction == "maximize"]
    assert rising == ["val_auc", "score"]
    assert spec.with_objective("val_auc").objectives == (Objective("val_auc", "maximize"),)
    assert spec.with_objective("gap").objectives == (Objective("gap", "minimize"),)


def test_what_the_objective_says_is_done_whatever_its_name():
    spec = spec_of(objective="accuracy:min")
    assert spec.metrics == (Metric("accuracy", "loss"),)
    assert spec.objectives == (Objective("accuracy"),)


def test_a_maximised_objective_is_not():
    spec = spec_of(objective="score:max")
    assert spec.loss is None
    assert ProblemSpec.from_dict(spec.to_dict()) == spec


def test_the_cost_is_a_number_even_where_the_space_lists_choices():
    spec = spec_of(cost="epochs")
    assert spec.parameter("epochs").kind == "int"
    space = load_space(SPACE, spec)
    assert space.domains["epochs"].values == (1, 5)
    assert spec.cost_of(spec.defaults) == 1
    assert ProblemSpec.from_dict(spec.to_dict()) == spec


@pytest.mark.parametrize(
    ("space", "declared", "fault"),
    [
        ({"a b": {"value": 1}}, {}, "parameter 'a b': a name consists of letters"),
        (
            {"state": {"value": 1}},
            {},
            "parameter 'state': xortune's tables have a column of that name",
        ),
        ({"loss": {"value": 1}}, {}, "parameter 'loss': a metric has the same name"),
        (
            SPACE,
            {"cost": "epoch"},
            "cost 'epoch': must be a parameter of the space; there are rate",
        ),
        ({"a": {"values": ["x"]}}, {"cost": "a"}, "cost 'a': must be a parameter whose values are"),
    ],
)
def test_names_that_cannot_be_are_said(space, declared, fault):
    with pytest.raises(UsageError) as caught:
        spec_of(space, **declared)
    assert fault in str(caught.value)


@pytest.mark.parametrize("name", ADDED)
def test_columns_that_replicates_and_pruning_add_are_no_names(name):
    with pytest.raises(UsageError, match=f"parameter '{name}': xortune's tables have a column"):
        spec_of({name: {"value": 1}})
    with pytest.raises(UsageError, match=f"metrics: '{name}' is a name that xortune uses"):
        spec_of(metrics=[name])


def test_parameters_that_would_hide_the_fold_are_faults_of_a_search_with_folds():
    spec = spec_of({"fold": {"value": 1}, "rate": {"value": 1}, "folds": {"value": 1}})
    assert folds_at_fault(spec, None) == []
    assert folds_at_fault(spec, 5) == [
        "folds 5: a function is told its fold as config['fold'], of config['folds'], and the space "
        f"has a parameter '{name}'. Rename the parameter."
        for name in ("fold", "folds")
    ]


@pytest.mark.parametrize("seed", [{"min": 0, "max": 9}, {"value": 3}])
def test_the_spec_of_one_training_has_the_seed_whatever_the_study_recorded(seed):
    single = spec_of({"seed": seed, "rate": {"value": 1}}, metrics=["gap"])
    study = single.extended(replicated=True, pruned=True)
    again = single_spec(study, "seed", is_extended=True)
    assert again.names == ("rate", "seed")
    assert (again.seed, again.metrics) == ("seed", single.metrics)
    assert single_spec(study, None, is_extended=True).names == ("rate",)
    pruned = single_spec(single.extended(replicated=False, pruned=True), "seed", is_extended=True)
    assert pruned == single
    assert single_spec(single, "seed", is_extended=False) is single


def test_a_metric_found_in_the_text_gives_way_to_a_parameter():
    def train(config, report):
        return {"loss": 1.0, "rate": config["rate"]}

    spec = function_spec(xortune.Problem(train), "mine", inferred_parameters(SPACE))
    assert spec.metric_names == ("loss",)


@pytest.mark.parametrize(
    ("file", "name"),
    [("mine.py", "mine"), ("my-net.py", "my_net"), ("2nd.py", "_2nd"), ("", "function")],
)
def test_the_name_comes_from_the_file(file, name):
    assert name_of_file(file, "function") == name
    assert spec_of(name="own").problem == "own"


def test_whole_numbers_that_were_hardly_meant_are_noted():
    space = {
        "lr": {"min": 1, "max": 10},
        "drop_rate": {"min": 0, "max": 1},
        "weight_decay": {"distribution": "int_uniform", "min": 0, "max": 1},
        "momentum": {"min": 0.0, "max": 1},
        "depth": {"min": 1, "max": 3},
        "separate": {"min": 1, "max": 3},
    }
    assert notes_on(space, inferred_parameters(space)) == [
        "lr takes whole numbers only, since min and max are whole; write 1.0 for fractions.",
        "drop_rate takes whole numbers only, since min and max are whole; write 0.0 for fractions.",
    ]
