"""Replicates, confirmation, rungs and stops of a search, and whether they fit its problem."""

import numpy as np
import pytest

import xortune
from xortune.errors import UsageError
from xortune.space import load_space
from xortune.studies.request import changed_settings, check_search
from xortune.wording import for_the_shell

_QUICK = {"lr": {"min": 0.1, "max": 1.0}, "epochs": {"value": 90}}


def settings_of(space=None, **keywords):
    return check_search(space, None, **keywords).settings


def refusal(space=None, **keywords):
    with pytest.raises(UsageError) as caught:
        check_search(space, None, **keywords)
    return str(caught.value)


def train(config, report):
    for epoch in range(1, 31):
        report(epoch, loss=config["x"] / epoch)


def a_function(cost=None, **space):
    return xortune.Problem(train, space={"x": {"min": 0.0, "max": 1.0}, **space}, cost=cost)


ROWS = {
    "x": [float(n) for n in range(40)], "z": [float(n * n % 7) for n in range(40)],
    "y": [n / 3 for n in range(40)],
}  # fmt: skip


def a_table():
    columns = np.array([ROWS["x"], ROWS["z"]]).T
    return columns, np.array(ROWS["y"])


def test_without_the_options_a_search_is_as_before():
    settings = settings_of()
    assert settings.spec.names == ("lr", "epochs", "seed", "loss_fn")
    assert settings.spec.metrics == settings.spec.measured
    assert (settings.replicates, settings.folds, settings.pruner) == (1, None, "none")
    assert (settings.rungs, settings.stop_at, settings.plateau) == ((), None, None)
    assert settings.confirm is None
    assert settings.space == load_space("default", settings.spec).parameters


def test_replicates_take_the_seed_out_of_the_space():
    settings = settings_of(replicates=8)
    assert settings.spec.names == ("lr", "epochs", "loss_fn")
    assert list(settings.space) == ["lr", "epochs", "loss_fn"]
    assert "final_loss_std" in settings.spec.metric_names
    assert load_space(settings.space, settings.spec).domains.keys() == {"lr", "epochs", "loss_fn"}


def test_nothing_is_said_of_a_seed_that_replicates_do_not_use(caplog):
    check_search({"lr": {"value": 0.1}, "epochs": {"values": [50, 90]}}, None, replicates=2)
    assert "the default is used for loss_fn mse." in caplog.text
    assert "seed" not in caplog.text


def test_a_seed_that_the_space_fixes_is_named(caplog):
    settings = check_search("lab", None, replicates=4, data="lab").settings
    assert "seed" not in settings.space
    assert (
        "seed 42 of the space is not used: with replicates 4 each training of a trial has a seed "
        "of its own." in caplog.text
    )


def test_a_seed_that_is_set_does_not_go_with_replicates():
    with for_the_shell():
        text = refusal(replicates=4, narrow=["seed=3"])
    assert text == (
        "seed is set, but with --replicates 4 each training of a trial has a seed of its own. "
        "Drop one of the two."
    )


def test_a_space_of_seeds_alone_has_nothing_to_search_with_replicates():
    assert "there is nothing to search" in refusal({"seed": {"min": 0, "max": 9}}, replicates=4)


def test_a_finite_space_without_its_seed_has_fewer_points():
    space = {"lr": {"values": [0.1, 1.0]}, "seed": {"min": 0, "max": 99}, "epochs": {"value": 9}}
    assert settings_of(space, trials=20).trials == 20
    assert settings_of(space, trials=20, replicates=3).trials == 2


def test_folds_alone_make_one_replicate_each():
    settings = settings_of(_of_a_table(), data=a_table(), folds=4)
    assert (settings.folds, settings.replicates) == (4, 4)
    settings = settings_of(_of_a_table(), data=a_table(), folds=4, replicates=8)
    assert (settings.folds, settings.replicates) == (4, 8)


def _of_a_table():
    return {"epochs": {"value": 3}, "lr": {"min": 0.001, "max": 0.01}}


def test_replicates_are_a_multiple_of_the_folds():
    text = refusal(_of_a_table(), data=a_table(), folds=4, replicates=6)
    assert "replicates 6: must be a multiple of folds 4" in text
    assert "must be a multiple of folds 4" in refusal(
        _of_a_table(), data=a_table(), folds=4, replicates=1
    )


def test_the_lab_has_no_folds():
    assert "folds 2: is for tables, functions and modules" in refusal(folds=2)


@pytest.mark.parametrize(
    ("space", "options", "rungs"),
    [
        (None, {}, (370, 1111, 3333)),
        (None, {"rungs": 1}, (3333,)),
        (None, {"rungs": 5}, (41, 123, 370, 1111, 3333)),
        ({"epochs": {"value": 9}}, {}, (1, 3)),
        ({"epochs": {"value": 2}}, {}, (1,)),
        ({"epochs": {"values": [20, 90, 60]}}, {"rungs": 2}, (10, 30)),
        (None, {"rung_epochs": "500,1500"}, (500, 1500)),
        (None, {"rung_epochs": (500,)}, (500,)),
        (None, {"rung_epochs": 9999}, (9999,)),
    ],
)
def test_rungs_are_geometric_unless_their_epochs_are_given(space, options, rungs):
    assert settings_of(space, pruner="halving", **options).rungs == rungs


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"rungs": 2}, "--rungs 2: is for a pruner. Add --pruner halving, or leave it out."),
        ({"rung_epochs": "5,9", "pruner": "none"}, "--rung-epochs 5,9: is for a pruner."),
        (
            {"rungs": 2, "rung_epochs": "5,9", "pruner": "median"},
            "--rungs 2 and --rung-epochs 5,9: give one of the two.",
        ),
        ({"rungs": 0, "pruner": "median"}, "--rungs 0: must be a whole number from 1 to 20."),
        (
            {"rung_epochs": "500,10000", "pruner": "halving"},
            "--rung-epochs 500,10000: epochs is at most 10000, and the last rung has to come",
        ),
        ({"pruner": "best"}, "--pruner 'best': must be one of none, halving, hyperband, median."),
        ({"aggregate": "sum"}, "--aggregate 'sum': must be one of mean, median, max."),
        ({"timeout": "soon"}, "--timeout 'soon': must be a duration above 0, such as 90s, 10m or"),
        ({"stop_at": float("nan")}, "--stop-at nan: must be a finite number."),
        ({"plateau": 0}, "--plateau 0: must be a whole number of at least 1."),
        ({"epoch_budget": 1.5}, "--epoch-budget 1.5: must be a whole number of at least 1."),
        ({"replicates": 0}, "--replicates 0: must be a whole number of at least 1."),
        ({"confirm": "9"}, "--confirm '9': must be K:S, such as 32:256"),
    ],
)
def test_what_does_not_fit_is_refused(options, text):
    with for_the_shell():
        assert text in refusal(**options)


def test_a_single_epoch_leaves_no_rung():
    text = refusal({"epochs": {"value": 1}}, pruner="halving")
    assert text == (
        "pruner halving: epochs is at most 1, which leaves no epoch for a rung. Drop it, or train "
        "longer."
    )


def test_all_faults_are_named_at_once():
    text = refusal(
        trials=0, replicates=0, rungs=3, confirm="3", timeout="x", plateau=-1, retries=-1
    )
    assert {line.split()[0] for line in text.splitlines()} == {
        *("trials", "replicates", "rungs", "confirm", "timeout", "plateau", "retries")
    }


def test_a_function_without_a_cost_names_the_epochs_of_its_rungs():
    text = refusal(problem=a_function(), pruner="halving")
    assert "Give the epochs of the rungs: rung_epochs='10,30'." in text
    settings = settings_of(problem=a_function(), pruner="halving", rung_epochs="10,20")
    assert settings.rungs == (10, 20)
    costly = a_function("epochs", epochs={"values": [27, 9]})
    assert settings_of(problem=costly, pruner="halving", rungs=2).rungs == (3, 9)


def test_a_function_without_a_cost_has_no_budget_of_epochs():
    text = refusal(problem=a_function(), epoch_budget=100)
    assert "epoch_budget 100: the problem does not say which parameter is its epochs" in text
    costly = a_function("epochs", epochs={"value": 30})
    assert settings_of(problem=costly, epoch_budget=100).epoch_budget == 100


def test_a_function_is_not_replicated_and_pruned():
    text = refusal(problem=a_function(), pruner="halving", rung_epochs=10, replicates=2)
    assert "pruner halving: a function cannot wait for its other replicates" in text


def test_a_confirmation_of_more_trials_than_there_are_is_said_to_be_one_of_all(caplog):
    assert settings_of(_QUICK, trials=10, confirm="20:8").confirm == (20, 8)
    assert "confirm 20:8: the search has 10 trials, and all of them are confirmed." in caplog.text


@pytest.mark.parametrize(
    ("given", "taken"), [("none", ()), ("5:8", (5, 8)), ((5, 8), (5, 8)), (None, None)]
)
def test_the_confirmation_is_decided_later_unless_it_is_given(given, taken):
    assert settings_of(confirm=given).confirm == taken


def test_a_timeout_is_an_option_of_the_run():
    request = check_search(None, None, timeout="1h30m")
    assert request.options.timeout == 5400
    assert check_search(None, None, timeout=None).options.timeout is None


def test_what_a_resume_changes_is_read_as_by_a_search():
    assert changed_settings({"confirm": "5:8", "plateau": "none", "stop_at": 0.5}) == {
        "confirm": (5, 8),
        "plateau": None,
        "stop_at": 0.5,
    }
    with pytest.raises(UsageError) as caught:
        changed_settings({"confirm": "5", "plateau": 0, "epoch_budget": "x"})
    assert len(str(caught.value).splitlines()) == 3


def test_a_resume_with_bad_changes_says_so_before_it_looks_for_the_study(tmp_path):
    with pytest.raises(UsageError, match="plateau 0: must be a whole number"):
        xortune.resume("nowhere", results=tmp_path, plateau=0)
    with pytest.raises(UsageError, match="timeout 'x': must be a duration"):
        xortune.resume("nowhere", results=tmp_path, timeout="x")
