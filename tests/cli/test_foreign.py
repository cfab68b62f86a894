"""Habits from Optuna, Ray Tune, W&B and scikit-learn: options, values and commands."""

import pytest

from tests.cli.commands import call, contents
from xortune.ledger import Ledger
from xortune.paths import StudyPaths

SEARCH = ("search", "smoke", "--runner", "inline", "--trials", "2")
WORDS = {
    "--trials": ("num-samples", "num_samples", "n-samples", "count", "run-cap"),
    "--name": ("study-name", "project", "experiment"),
    "the command resume": ("resume", "restore"),
    "--exist-ok or the command resume": ("load-if-exists",),
    "--timeout": ("time-budget", "time-budget-s"),
    "--pruner": ("pruning", "scheduler", "early-terminate", "early_terminate"),
    "--results": ("storage", "storage-path", "out", "output-dir"),
    "--aggregate": ("average",),
    "--rungs or --rung-epochs": ("grace-period", "reduction-factor", "min-resource"),
    "--folds": ("cv", "kfold", "n-folds"),
    "--replicates": ("seeds", "n-seeds", "num-seeds", "repeats"),
    "--workers": ("n-jobs", "max-concurrent-trials", "concurrency"),
    "--objective NAME:max": ("direction", "mode", "goal"),
    "--sampler": ("method",),
}


def refusal(capsys, place, *argv) -> str:
    """The message of a command that was refused, and wrote nothing."""
    answer = call(capsys, *argv)
    assert (answer.code, answer.out) == (2, "")
    assert contents(place) == {}
    return answer.err


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The folder that commands run in: empty, so that whatever is written shows."""
    folder = tmp_path / "place"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    ("word", "ours"), [(word, ours) for ours, words in WORDS.items() for word in words]
)
def test_an_option_of_another_tool(capsys, place, word, ours) -> None:
    for argv in ([f"--{word}", "5"], [f"--{word}=5"]):
        message = refusal(capsys, place, "search", *argv)
        assert f"no option --{word}. Did you mean {ours}? See xortune search --help.\n" in message


@pytest.mark.parametrize("word", ["patience", "early-stopping", "early_stop"])
def test_stopping_early_means_the_search_or_a_training(capsys, place, word) -> None:
    message = refusal(capsys, place, "search", f"--{word}", "5")
    assert f"no option --{word}. --plateau ends a search. For a table, early_stopping is" in message


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (
            ["--pruner", "median"],
            "resume: --pruner is recorded with the study, and a resume cannot",
        ),
        (["--replicates", "3"], "resume: --replicates is recorded with the study, and a resume"),
        (["--study_seed=3"], "resume: --study-seed is recorded with the study, and a resume"),
        (["--scheduler", "asha"], "no option --scheduler. --pruner is recorded with the study"),
        (["--grace-period", "3"], "--rungs and --rung-epochs are recorded with the study, and a"),
        (["--restore"], "no option --restore. It is not needed: a resume does that. See"),
        (["--num-samples", "9"], "no option --num-samples. Did you mean --trials? See"),
        (["--n-jobs", "9"], "no option --n-jobs. Did you mean --workers? See"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_a_resume_cannot_change(capsys, place, argv, words) -> None:
    assert words in refusal(capsys, place, "resume", "x", *argv)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["submit", "--restore"], "Did you mean --resume?"),
        (["report", "x", "--storage", "y"], "Did you mean --results?"),
        (["report", "x", "--direction", "y"], "no option --direction. See xortune report --help."),
    ],
    ids=lambda value: " ".join(value[:1]) if isinstance(value, list) else "",
)
def test_only_options_that_the_command_has_are_proposed(capsys, place, argv, words) -> None:
    assert words in refusal(capsys, place, *argv)


@pytest.mark.parametrize(
    ("option", "value", "ours"),
    [
        ("pruner", "asha", "halving"),
        ("pruner", "sha", "halving"),
        ("pruner", "successive_halving", "halving"),
        ("pruner", "MedianPruner", "median"),
        ("pruner", "hyperbandpruner", "hyperband"),
        ("pruner", "nop", "none"),
        ("sampler", "bayes", "tpe"),
    ],
)
@pytest.mark.parametrize("command", ["search", "submit"])
def test_a_value_of_another_tool(capsys, place, command, option, value, ours) -> None:
    message = refusal(capsys, place, command, f"--{option}", value)
    assert f"invalid choice: '{value}'" in message
    assert message.endswith(f"Did you mean {ours}? See xortune {command} --help.\n")


@pytest.mark.parametrize(
    ("ours", "words"),
    [("search", ["optimize", "tune", "sweep", "run"]), ("list", ["ls", "studies"])],
)
def test_a_command_of_another_tool(capsys, place, ours, words) -> None:
    for word in words:
        message = refusal(capsys, place, word, "--lr", "3")
        assert f"no command '{word}'. Did you mean {ours}? Commands: search, " in message


@pytest.mark.parametrize("seeds", [0, 1, -3, 10_001])
def test_luck_says_the_same_bounds_of_every_bad_number_of_seeds(capsys, study, seeds) -> None:
    answer = call(capsys, "report", study, "--luck", "0", "--seeds", seeds)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"xortune: --seeds {seeds}: must be a whole number from 2 to 10000.\n"


def test_a_search_takes_none_for_no_limit(capsys, tmp_path) -> None:
    limits = ("timeout", "stop-at", "plateau", "epoch-budget", "confirm")
    options = [word for limit in limits for word in (f"--{limit}", "None")]
    place = ["--results", tmp_path, "--name", "one"]
    assert call(capsys, *SEARCH, "--quiet", *options, *place).code == 0
    assert call(capsys, "resume", tmp_path / "one", "--quiet", "--timeout", "none").code == 0
    with Ledger.read(StudyPaths(tmp_path / "one")) as ledger:
        recorded = ledger.settings()
    assert (recorded.stop_at, recorded.plateau, recorded.epoch_budget) == (None, None, None)
    assert recorded.confirm == ()
