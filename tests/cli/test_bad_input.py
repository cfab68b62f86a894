"""Bad input: exit code 2, one message that helps, and nothing written."""

import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.bad_spaces import BAD_SPACES
from tests.cli.commands import COMMANDS, call, contents, run
from xortune.ledger import Ledger
from xortune.paths import StudyPaths

SEARCH = ("search", "smoke", "--runner", "inline", "--trials", "2")


def complaint(answer) -> str:
    """The one message of a command that refused its input."""
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.startswith("xortune")
    assert answer.err.endswith("\n")
    assert answer.err.count("\nxortune") == 0
    assert "Traceback" not in answer.err
    return answer.err


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """The folder that commands run in: empty, so that whatever is written shows."""
    folder = tmp_path / "place"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("fault", BAD_SPACES)
def test_a_faulty_file(capsys, place, tmp_path, fault) -> None:
    text, fragments = BAD_SPACES[fault]
    file = tmp_path / "file.yaml"
    file.write_text(text)
    message = complaint(call(capsys, "search", file, "--runner", "inline"))
    assert message.startswith(f"xortune: search space {file}")
    assert [fragment for fragment in fragments if fragment not in message] == []
    assert contents(place) == {}


def test_all_faults_of_a_file_are_named(capsys, place, tmp_path) -> None:
    file = tmp_path / "file.yaml"
    file.write_text(
        "parameters:\n"
        "  lr: {value: 0}\n"
        "  epochs: {min: 9, max: 3}\n"
        "  loss_fn: {value: hinge}\n"
        "  lrr: {value: 1}\n"
    )
    message = complaint(call(capsys, "search", file))
    assert f"{file} has 4 faults:" in message
    assert [line for line in (2, 3, 4, 5) if f"(line {line})" not in message] == []


@pytest.mark.parametrize("content", [b"\xff\xfe\0\0", b"\x7fELF\x02\x01\x01\0"])
def test_a_binary_file(capsys, place, tmp_path, content) -> None:
    file = tmp_path / "file.yaml"
    file.write_bytes(content)
    assert str(file) in complaint(call(capsys, "search", file))
    assert contents(place) == {}


@pytest.mark.parametrize(
    ("space", "text"),
    [
        ("none.yaml", "no search space 'none.yaml': neither a file nor a shipped name."),
        ("smoek", "Did you mean 'smoke'? Shipped: default, lab, smoke, table, your_turn."),
        (".", "cannot be read: Is a directory."),
        ("n" * 5000, "search space"),
    ],
)
def test_a_missing_space(capsys, place, space, text) -> None:
    assert text in complaint(call(capsys, "search", space, "--runner", "inline"))
    assert contents(place) == {}


def test_an_unreadable_file(place, tmp_path, unprivileged) -> None:
    file = tmp_path / "file.yaml"
    file.write_text("parameters:\n  lr: {value: 1}\n")
    file.chmod(0)
    message = complaint(run("search", file, before=unprivileged, folder=place))
    assert message == f"xortune: search space {file}: cannot be read: Permission denied.\n"
    assert contents(place) == {}


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        (["--trials", "0"], ["--trials 0: must be a whole number of at least 1"]),
        (["--trials", "-3"], ["--trials -3: must be a whole number of at least 1"]),
        (["--trials", "x"], ["--trials", "'x'", "search --help"]),
        (["--trials", "1.5"], ["--trials", "'1.5'", "search --help"]),
        (["--trials"], ["--trials", "search --help"]),
        (["--name", "a/b"], ["--name 'a/b'", "Use --results"]),
        (["--name", ".."], ["--name '..'", "Use --results"]),
        (["--name", ""], ["--name ''", "Use --results"]),
        (["--name", "a b"], ["--name 'a b'", "letters, digits"]),
        (["--name", "n" * 101], ["at most 100 characters"]),
        (["--address", "x"], ["--address x", "the inline runner trains in this process alone"]),
        (["--sampler", "grid"], ["--sampler", "'grid'", "tpe", "random"]),
        (["--study-seed", "-1"], ["--study-seed -1", "from 0 to 4294967295"]),
        (["--data", "and"], ["--data", "'and'", "xor", "lab"]),
        (["--metric", "f1"], ["--metric", "'f1'", "mse", "bce"]),
        (["--generation", "0"], ["--generation 0: must be a whole number of at least 1"]),
        (["--log-every", "0"], ["--log-every 0: must be a whole number of at least 1"]),
        (["--workers", "0"], ["--workers 0: must be a whole number of at least 1"]),
        (["--pack-size", "0"], ["--pack-size 0: must be a whole number of at least 1"]),
        (["--retries", "-1"], ["--retries -1: must be a whole number of at least 0"]),
        (["--gpus-per-worker", "nan"], ["--gpus-per-worker nan", "at most 1"]),
        (["--engine", "fast"], ["--engine", "'fast'", "auto", "eager", "compiled"]),
        (["--device", "tpu"], ["--device", "'tpu'", "auto", "cpu", "cuda"]),
        (["--quiet", "--verbose"], ["not allowed with"]),
        (["--trails", "3"], ["--trails", "--help"]),
        (["other.yaml"], ["other.yaml", "--help"]),
        (["--set", "lr=99"], ["--set lr=99: 99 is outside", "lr goes from"]),
        (["--set", "lr"], ["--set lr: expected NAME=VALUE"]),
        (["--set", "lr=1", "--set", "lr=2"], ["--set lr=2: lr is set twice"]),
        (["--set", "rate=1", "--trials", "0"], ["no parameter 'rate'", "--trials 0"]),
        (["--trials", "0", "--log-every", "0"], ["--trials 0", "--log-every 0"]),
        (["--trials", "0", "--workers", "0"], ["--trials 0", "--workers 0"]),
    ],
    ids=lambda value: " ".join(value)[:40],
)
def test_bad_options(capsys, place, options, texts) -> None:
    message = complaint(call(capsys, *SEARCH, *options))
    assert [text for text in texts if text not in message] == []
    assert contents(place) == {}


@pytest.mark.parametrize(
    ("argv", "texts"),
    [
        (["serach"], ["no command 'serach'. Did you mean search?", *COMMANDS, "xortune --help"]),
        (["snap-shot"], ["no command 'snap-shot'. Commands: search, ", "xortune --help"]),
        (["--colour"], ["COMMAND", "xortune --help"]),
    ],
)
def test_no_command(capsys, place, argv, texts) -> None:
    message = complaint(call(capsys, *argv))
    assert [text for text in texts if text not in message] == []
    assert "snapshot" not in message
    assert contents(place) == {}


def test_an_empty_command_line_shows_the_help(capsys, place) -> None:
    answer = call(capsys)
    assert answer == (2, "", call(capsys, "--help").out)
    assert contents(place) == {}


@pytest.mark.parametrize(
    ("argv", "fix"),
    [
        (["--lr", "0.1"], "lr is a parameter of the search space. To fix a value: --set lr=0.1."),
        (["smoke", "--lr", "0.1"], "--set lr=0.1."),
        (["--lr=-1e-3", "--epochs", "500"], "--set lr=-1e-3 --set epochs=500."),
        (["--lr"], "--set lr=VALUE."),
        (["--lr", "-q"], "--set lr=VALUE."),
        (["--lr", "a b"], "--set lr='a b'."),
        (["-lr", "0.1"], "--set lr=0.1."),
        (["--learning-rate", "0.1"], "--set lr=0.1."),
        (["--learning_rate=1"], "--set lr=1."),
        (["--loss-fn", "mse"], "--set loss_fn=mse."),
        (["--seed", "3"], "--set seed=3; the sampler's own is --study-seed."),
        (["--seed=3", "--foo"], "--set seed=3;"),
    ],
)
@pytest.mark.parametrize("command", ["search", "submit"])
def test_an_option_named_like_a_parameter(capsys, place, command, argv, fix) -> None:
    message = complaint(call(capsys, command, *argv))
    assert fix in message
    assert message.endswith(f"See xortune {command} --help.\n")
    assert contents(place) == {}


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["search", "--trails", "5"], "no option --trails. Did you mean --trials? See xortune"),
        (["search", "--trial", "5"], "no option --trial. Did you mean --trials? See xortune"),
        (["search", "--study_seed=5"], "Did you mean --study-seed? See xortune search --help."),
        (["predict", "x", "0", "1", "--trail", "5"], "Did you mean --trial? See xortune predict"),
        (["resume", "x", "--lr", "5"], "no option --lr. See xortune resume --help."),
        (["report", "a", "b c"], "unexpected 'b c'. See xortune report --help."),
        (["fetch", "a", "--adress=x"], "Did you mean --address? See xortune fetch --help."),
    ],
)
def test_a_misspelled_option(capsys, place, argv, text) -> None:
    assert text in complaint(call(capsys, *argv))
    assert contents(place) == {}


def test_a_taken_name(capsys, study, results) -> None:
    before = contents(results)
    message = complaint(call(capsys, *SEARCH, "--results", results, "--name", "one"))
    assert f"{study} exists already" in message
    assert f"python -m xortune resume {study}" in message
    assert contents(results) == before


@pytest.mark.parametrize("below", ["", "a", "a/b"])
def test_results_in_the_place_of_a_file(capsys, place, below) -> None:
    Path("file").write_text("mine")
    message = complaint(call(capsys, *SEARCH, "--results", Path("file") / below))
    assert f"--results {Path('file') / below}: nothing can be written in file: Not a" in message
    assert contents(place) == {place / "file": b"mine"}


@pytest.mark.skipif(sys.platform != "linux", reason="no /proc")
@pytest.mark.parametrize("folder", ["/proc/xortune-results", "/proc"])
def test_results_where_no_folder_can_be_made(capsys, place, folder) -> None:
    message = complaint(call(capsys, *SEARCH, "--results", folder, "--name", "one"))
    assert f"--results {folder}" in message
    assert "Choose another" in message
    assert contents(place) == {}


@pytest.mark.parametrize("below", ["", "a/b"])
def test_results_without_permission(place, unprivileged, below) -> None:
    closed = Path("closed")
    closed.mkdir(0o555)
    folder = closed / below
    message = complaint(run(*SEARCH, "--results", folder, before=unprivileged, folder=place))
    assert f"--results {folder}: nothing can be written in closed: Permission denied." in message
    assert contents(place) == {place / "closed": None}


@pytest.mark.parametrize("name", ["n" * 300, "loop/one"])
def test_results_with_a_name_the_file_system_refuses(capsys, place, name) -> None:
    Path("loop").symlink_to("loop")
    message = complaint(call(capsys, *SEARCH, "--results", name, "--name", "one"))
    assert f"--results {name}" in message
    assert [path.name for path in place.iterdir()] == ["loop"]


READING = [
    ["report"], ["resume", "--runner", "inline"], ["predict", "0", "1"], ["draw", "one.svg"],
    ["export-model", "one.pt"], ["tensorboard"],
]  # fmt: skip


@pytest.mark.parametrize("argv", READING, ids=lambda argv: argv[0])
def test_a_missing_study(capsys, place, argv) -> None:
    command, *rest = argv
    message = complaint(call(capsys, command, "two", *rest))
    assert "no study 'two'" in message
    assert "There are no studies in results yet; use --results" in message
    assert contents(place) == {}


@pytest.mark.parametrize("argv", READING, ids=lambda argv: argv[0])
def test_a_missing_study_among_others(capsys, place, study, results, argv) -> None:
    command, *rest = argv
    before = contents(results)
    message = complaint(call(capsys, command, "two", *rest, "--results", results))
    assert f"Studies in {results}: one." in message
    assert contents(results) == before
    assert contents(place) == {}


@pytest.mark.parametrize("argv", READING, ids=lambda argv: argv[0])
def test_a_folder_that_is_not_a_study(capsys, place, argv) -> None:
    folder = place / "two"
    folder.mkdir()
    (folder / "study.db").write_bytes(b"hello")
    command, *rest = argv
    message = complaint(call(capsys, command, "two", *rest))
    assert "study.db is not a study ledger" in message
    assert (folder / "study.db").read_bytes() == b"hello"


def test_a_study_without_permission(place, unprivileged) -> None:
    folder = place / "two"
    folder.mkdir()
    (folder / "study.db").touch()
    folder.chmod(0)
    answer = run("report", "two", before=unprivileged, folder=place)
    folder.chmod(0o755)
    assert "two" in complaint(answer)


@pytest.mark.parametrize("total", ["7", "1"])
def test_resume_below_what_was_asked(capsys, study, total) -> None:
    before = contents(study)
    message = complaint(call(capsys, "resume", study, "--runner", "inline", "--trials", total))
    assert f"--trials {total}: study one has 8 trials already" in message
    assert "Give a larger one, or leave it out." in message
    assert contents(study) == before


@pytest.mark.parametrize(
    "options", [["--trials", "0"], ["--trials", "x"], ["--address", "x"], ["--seed", "1"]]
)
def test_resume_with_bad_options(capsys, study, options) -> None:
    before = contents(study)
    complaint(call(capsys, "resume", study, "--runner", "inline", *options))
    assert contents(study) == before


def test_resume_of_a_busy_study(capsys, study) -> None:
    with Ledger.open(StudyPaths(study)):
        before = contents(study)
        message = complaint(call(capsys, "resume", study, "--runner", "inline", "--trials", "9"))
        assert f"another driver is at work on it, process {os.getpid()} on " in message
        assert contents(study) == before


@pytest.mark.parametrize("output", ["missing/table", "folder", "file/table", ""])
def test_report_to_an_impossible_file(capsys, place, study, output) -> None:
    Path("folder").mkdir()
    Path("file").write_text("mine")
    before = contents(place)
    message = complaint(call(capsys, "report", study, "--output", output))
    assert f"--output {Path(output)}: cannot be written: " in message
    assert "Choose another file." in message
    assert contents(place) == before


def test_report_without_a_study_leaves_the_output_alone(capsys, place) -> None:
    Path("file").write_text("mine")
    complaint(call(capsys, "report", "two", "--output", "file"))
    assert Path("file").read_text() == "mine"


@pytest.mark.parametrize(
    "options", [["--top", "0"], ["--top", "-1"], ["--top", "x"], ["--format", "xml"]]
)
def test_report_with_bad_options(capsys, study, options) -> None:
    message = complaint(call(capsys, "report", study, *options))
    assert options[0] in message
    assert options[1] in message
    assert "report --help" in message


@pytest.mark.parametrize("inputs", [["nan", "1"], ["0", "inf"], ["1e999", "0"], ["zero", "1"]])
def test_predict_without_numbers(capsys, study, inputs) -> None:
    message = complaint(call(capsys, "predict", study, *inputs))
    assert any(word in message for word in inputs if word not in "01")
    assert "number" in message


@pytest.mark.parametrize("inputs", [[], ["0"], ["0", "1", "1"]])
def test_predict_with_another_number_of_inputs(capsys, study, inputs) -> None:
    message = complaint(call(capsys, "predict", study, *inputs))
    assert "takes 2 inputs" in message if inputs else "such as 0 1" in message


@pytest.mark.parametrize("number", ["999", "8", "-1", "9" * 30])
def test_predict_with_a_missing_trial(capsys, study, number) -> None:
    message = complaint(call(capsys, "predict", study, "0", "1", "--trial", number))
    assert f"study one has no trial {number}; its trials: 0 to 7." in message


@pytest.mark.parametrize("port", ["65536", "-1", "x"])
def test_tensorboard_at_no_port(capsys, study, port) -> None:
    message = complaint(call(capsys, "tensorboard", study, "--port", port))
    assert "--port" in message
    assert port in message


def test_errors_of_a_separate_process_are_the_same(place) -> None:
    (place / "file.yaml").write_text("parameters:\n  lr: {min: 2.0, max: 1.0}\n")
    message = complaint(run("search", "file.yaml", folder=place))
    assert message == (
        "xortune: search space file.yaml: parameters.lr (line 2): min 2.0 is above max 1.0; "
        "swap them\n"
    )
    assert "--trials 0" in complaint(run(*SEARCH, "--trials", "0", folder=place))
    assert [path.name for path in place.iterdir()] == ["file.yaml"]


@pytest.mark.parametrize("name", ["study.db", "trials.csv", "new.csv"])
def test_a_report_never_overwrites_a_study(capsys, study, name) -> None:
    before = contents(study)
    message = complaint(call(capsys, "report", study, "--output", study / name))
    assert "the study keeps its own files there. Choose another folder." in message
    assert contents(study) == before


def test_a_report_cannot_go_into_a_circle_of_links(capsys, study, tmp_path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    message = complaint(call(capsys, "report", study, "--output", tmp_path / "loop"))
    assert "cannot be written" in message


def test_a_report_that_fails_leaves_the_earlier_one(capsys, study, tmp_path) -> None:
    earlier = tmp_path / "mine.csv"
    earlier.write_text("earlier")
    copy = tmp_path / "copy"
    shutil.copytree(study, copy)
    with closing(sqlite3.connect(copy / "study.db")) as connection, connection:
        connection.execute("UPDATE trial SET state = 'FAIL' WHERE number = 0")
    complaint(call(capsys, "report", copy, "--format", "csv", "--output", earlier))
    assert earlier.read_text() == "earlier"


def test_a_setting_in_place_of_a_space_is_explained(capsys) -> None:
    message = complaint(call(capsys, "search", "lr=0.1"))
    assert "To narrow a space: --set lr=0.1, or narrow=['lr=0.1'] in Python." in message
