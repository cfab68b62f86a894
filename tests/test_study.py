"""The Python face."""

import re
import shlex
import subprocess
import sys

import pytest
import torch
from optuna.trial import TrialState

import xortune
from xortune.cli import main
from xortune.cli.arguments import parse
from xortune.errors import UsageError, XortuneError


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return xortune.search(
        "smoke", trials=8, runner="inline", name="s", results=tmp_path_factory.mktemp("results")
    )


def test_importing_the_package_imports_nothing_heavy():
    script = (
        "import sys, xortune\n"
        "heavy = {'torch', 'ray', 'optuna', 'pandas', 'tensorboard', 'rich', 'yaml'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


def test_search_stays_a_function(study):
    import xortune.search_loop

    assert callable(xortune.search)


def test_load_by_name_and_by_path(study):
    results = study.paths.folder.parent
    for loaded in (
        xortune.load("s", results),
        xortune.load(study.paths.folder),
        xortune.load(str(study.paths.folder)),
    ):
        assert loaded.trials.equals(study.trials)
        assert loaded.settings == study.settings


def test_the_best_is_the_first(study):
    assert study.best.equals(study.trials.iloc[0])
    assert study.best["rank"] == 1


def test_a_study_without_a_complete_trial_has_no_best(tmp_path):
    space = {
        "lr": {"value": 3e38},
        "epochs": {"value": 30},
        "loss_fn": {"value": "bce_with_logits"},
    }
    failed = xortune.search(space, trials=1, runner="inline", name="f", results=tmp_path)
    assert failed.summary()["states"] == {"FAIL": 1}
    with pytest.raises(XortuneError, match="no complete trial"):
        _ = failed.best
    with pytest.raises(UsageError, match="not finite at epoch"):
        failed.model(0)


def test_curves_end_with_the_train_loss(study):
    for row in study.trials.itertuples():
        curve = study.curves(row.number)
        assert curve.columns.tolist() == ["epoch", "training", "validation"]
        assert curve["epoch"].iloc[[0, -1]].tolist() == [0, row.epochs]
        assert curve["training"].iloc[-1] == row.train_loss


def test_models_score_what_the_table_says(study):
    from xortune.lab import load_data
    from xortune.lab.loop import score

    for row in study.trials.itertuples():
        model = study.model(row.number)
        assert isinstance(model, torch.nn.Module)
        scores = score(model, load_data("xor").validation, row.train_loss)
        assert scores.mse == pytest.approx(row.mse, rel=1e-4)
        assert scores.bce == pytest.approx(row.bce, rel=1e-4)
        assert scores.accuracy == row.accuracy


def test_a_trial_that_is_not_there(study):
    with pytest.raises(UsageError, match="no trial 99; its trials: 0 to 7"):
        study.curves(99)


def test_optuna_gets_every_trial(study):
    optuna_study = study.optuna()
    assert [trial.number for trial in optuna_study.trials] == list(range(8))
    assert all(trial.state == TrialState.COMPLETE for trial in optuna_study.trials)
    assert optuna_study.best_trial.number == study.best["number"]
    assert optuna_study.best_value == study.best["final_loss"]


def test_a_misspelt_setting(tmp_path):
    with pytest.raises(UsageError, match="unknown setting 'trails'. Did you mean 'trials'"):
        xortune.search("smoke", trails=3, results=tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_a_space_leaves_out_is_said(tmp_path, caplog):
    xortune.search({"epochs": {"value": 10}}, trials=1, runner="inline", name="x", results=tmp_path)
    assert "the lab's value is taken for lr 0.1, seed 42, loss_fn mse" in caplog.text


def test_resuming_a_finished_study_changes_nothing(study):
    before = study.trials
    assert xortune.resume(study.paths.folder, runner="inline").trials.equals(before)


def test_a_larger_total_is_recorded(tmp_path):
    study = xortune.search("smoke", trials=2, runner="inline", name="x", results=tmp_path)
    grown = xortune.resume(study.paths.folder, trials=5, runner="inline")
    assert grown.settings.trials == 5
    assert len(grown.trials) == 5


def test_printed_commands_can_be_pasted(tmp_path, capsys):
    results = tmp_path / "with a space"
    assert main(["search", "smoke", "--trials=2", "--runner=inline", f"--results={results}"]) == 0
    commands = re.findall(r"python -m xortune .*", capsys.readouterr().out)
    assert len(commands) == 3
    for command in commands:
        assert parse(shlex.split(command)[3:]).study == str(next(results.iterdir()))
