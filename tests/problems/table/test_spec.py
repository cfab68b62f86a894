"""A table as plain data."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xortune.problems.table.rows import TASKS
from xortune.problems.table.spec import LOSS_FNS, table_spec
from xortune.spec import ProblemSpec

NAMES = (
    "width", "depth", "activation", "dropout", "lr", "batch_size", "epochs", "seed", "optimizer",
    "weight_decay", "schedule", "loss_fn", "early_stopping",
)  # fmt: skip
HEAVY = (
    "import sys, xortune.problems.table.spec; print({'torch', 'numpy', 'pandas'} & {*sys.modules})"
)


@pytest.mark.parametrize("task", TASKS)
def test_a_spec_is_recorded_and_read_back(task):
    spec = table_spec(task, "wine.csv")
    assert ProblemSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
    assert spec.names == NAMES


@pytest.mark.parametrize(
    ("task", "metrics", "losses"),
    [
        ("regression", ("mse", "mae", "rmse", "r2"), ("mse", "mae")),
        ("binary", ("log_loss", "accuracy", "auc"), ("log_loss",)),
        ("classes", ("log_loss", "accuracy", "balanced_accuracy"), ("log_loss",)),
    ],
)
def test_the_metrics_of_each_task(task, metrics, losses):
    spec = table_spec(task)
    assert spec.metric_names == ("train_loss", *metrics, "best_epoch")
    assert spec.losses == losses
    assert spec.loss == spec.objectives[0].metric == losses[0]


@pytest.mark.parametrize(
    ("name", "direction"),
    [("rmse", "minimize"), ("r2", "maximize"), ("mae", "minimize")],
)
def test_a_metric_as_objective_has_its_own_direction(name, direction):
    spec = table_spec("regression").with_objective(name)
    assert spec.objectives[0].direction == direction
    assert spec.loss == ("mae" if name == "mae" else "mse")


@pytest.mark.parametrize("task", TASKS)
def test_every_alias_names_a_parameter_or_a_choice_of_the_task(task):
    spec = table_spec(task)
    known = {*spec.names, ""} | {str(c) for p in spec.parameters for c in p.choices}
    assert {*spec.aliases.values()} <= known
    assert spec.aliases["learning_rate"] == "lr"
    assert ("l1_loss" in spec.aliases) == (task == "regression")
    assert spec.parameter("loss_fn").choices == LOSS_FNS[task]
    assert not {*spec.aliases} & ({*spec.names} | known - {""})


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("wine.csv", "wine"),
        ("my data.parquet", "my_data"),
        ("2024.csv", "table_2024"),
        ("class.tar.gz", "class_tar"),
        ("ärger.csv", "rger"),
        ("", "table"),
        (".csv", "table"),
    ],
)
def test_the_problem_is_called_like_its_data(name, problem):
    assert table_spec("binary", name).problem == problem


@given(st.text())
def test_any_name_of_data_makes_a_spec_that_is_read_back(name):
    spec = table_spec("binary", name)
    assert ProblemSpec.from_dict(spec.to_dict()) == spec


def test_a_spec_imports_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", HEAVY], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
