"""What the commands do and print."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import xortune
from tests.cli.commands import COMMANDS, call, contents, rows_of, run
from xortune.cli.options import FORMATS
from xortune.cli.results import show_result
from xortune.cli.screen import Screen
from xortune.errors import Interrupted
from xortune.problems.xor.spec import SPEC
from xortune.report import as_markdown, columns, plain_rows


def test_search_leaves_a_study(searched, study) -> None:
    names = {path.name for path in study.iterdir() if not path.name.startswith(".")}
    assert names == {"study.db", "trials.csv", "trials.parquet", "tensorboard"}
    runs = sorted(path.name for path in (study / "tensorboard").iterdir())
    assert runs == [f"trial-{number:05}" for number in range(8)]
    frame = xortune.load(study).trials
    assert plain_rows(pd.read_parquet(study / "trials.parquet")) == plain_rows(frame)
    assert frame["number"].sort_values().tolist() == list(range(8))
    assert frame.set_index("number")["generation"].sort_index().tolist() == [0] * 4 + [1] * 4


def test_search_prints_summary_table_and_what_to_do_next(searched, study) -> None:
    assert searched.out.startswith("study one: 8 trials (8 COMPLETE)\n")
    assert "solved: " in searched.out
    assert "best" in searched.out
    for text in (
        str(study / "study.db"),
        str(study / "trials.csv"),
        str(study / "tensorboard"),
        f"python -m xortune report {study}",
        f"python -m xortune tensorboard {study}",
        f"python -m xortune resume {study} --trials 16",
    ):
        assert text in searched.out


def test_progress_is_plain_lines_where_there_is_no_terminal(searched) -> None:
    lines = searched.err.splitlines()
    assert lines[0].startswith("0/8 trials")
    assert re.match(r"8/8 trials  best \d", lines[-1])
    assert all(re.match(r"\d/8 trials", line) for line in lines)
    assert "\x1b" not in searched.err + searched.out
    assert "\r" not in searched.err + searched.out


def test_report_prints_the_same_as_search(capsys, searched, study) -> None:
    report = call(capsys, "report", study)
    assert report.code == 0
    assert report.err == ""
    assert searched.out.startswith(report.out)


def test_the_table_is_the_ranking(capsys, study) -> None:
    frame = xortune.load(study).trials
    rows = rows_of(call(capsys, "report", study).out)
    assert [row[0] for row in rows] == [str(place) for place in range(1, 9)]
    assert [int(row[1]) for row in rows] == frame["number"].tolist()
    assert [row[5] for row in rows] == frame["loss_fn"].tolist()
    assert [row[6] for row in rows] == [f"{loss:.3e}" for loss in frame["final_loss"]]


def test_table_and_summary_fit_80_columns(capsys, study) -> None:
    out = call(capsys, "report", study).out
    assert [line for line in out.splitlines() if len(line) > 80] == []
    assert "…" not in out


def test_csv_is_clean_and_whole(capsys, study) -> None:
    report = call(capsys, "report", study, "--format", "csv")
    assert (report.code, report.err) == (0, "")
    assert report.out == (study / "trials.csv").read_text()
    rows = list(csv.DictReader(io.StringIO(report.out)))
    assert list(rows[0]) == list(columns(SPEC))
    frame = xortune.load(study).trials
    assert [float(row["final_loss"]) for row in rows] == frame["final_loss"].tolist()


def test_json_is_clean_and_whole(capsys, study) -> None:
    report = call(capsys, "report", study, "--format", "json")
    assert (report.code, report.err) == (0, "")
    loaded = xortune.load(study)
    content = json.loads(report.out)
    assert content["study"]["name"] == "one"
    assert content["study"]["trials"] == 8
    assert content["study"]["generation"] == 4
    assert content["summary"] == loaded.summary()
    assert content["trials"] == plain_rows(loaded.trials)


def test_markdown_is_clean_and_whole(capsys, study) -> None:
    report = call(capsys, "report", study, "--format", "markdown")
    assert (report.code, report.err) == (0, "")
    assert report.out == as_markdown(xortune.load(study).trials)
    header, _, *lines = report.out.splitlines()
    assert [cell.strip() for cell in header.strip("|").split("|")] == list(columns(SPEC))
    assert len(lines) == 8


@pytest.mark.parametrize(
    ("name", "lines"), [("csv", 1 + 3), ("markdown", 2 + 3), ("json", None), ("table", None)]
)
def test_top(capsys, study, name, lines) -> None:
    report = call(capsys, "report", study, "--format", name, "--top", "3")
    assert report.code == 0
    if name == "json":
        content = json.loads(report.out)
        assert [row["rank"] for row in content["trials"]] == [1, 2, 3]
        assert content["summary"]["trials"] == 8
    elif name == "table":
        assert [row[0] for row in rows_of(report.out)] == ["1", "2", "3"]
    else:
        assert len(report.out.splitlines()) == lines


def test_top_beyond_all(capsys, study) -> None:
    whole = call(capsys, "report", study, "--format", "csv")
    assert call(capsys, "report", study, "--format", "csv", "--top", "99") == whole


@pytest.mark.parametrize("name", FORMATS)
def test_output(capsys, study, tmp_path, name) -> None:
    file = tmp_path / "table"
    file.write_text("before " * 10_000)
    printed = call(capsys, "report", study, "--format", name)
    assert call(capsys, "report", study, "--format", name, "--output", file) == (0, "", "")
    assert file.read_text() == printed.out


def test_report_writes_nothing_into_the_study(capsys, study) -> None:
    before = contents(study)
    for name in FORMATS:
        call(capsys, "report", study, "--format", name)
    call(capsys, "predict", study, "0", "1")
    assert contents(study) == before


@pytest.mark.parametrize("by", ["name", "folder"])
def test_a_study_goes_by_name_or_folder(capsys, study, results, by) -> None:
    words = ["one", "--results", results] if by == "name" else [study]
    assert call(capsys, "report", *words).out.startswith("study one: 8 trials")


def answer_of(study, number: int, inputs: list[float]) -> str:
    from xortune.problems.xor.model import predict

    return f"{predict(xortune.load(study).model(number), inputs):.6g}\n"


@pytest.mark.parametrize("inputs", [["0", "0"], ["0", "1"], ["-0.5", "1e3"], ["-1e-3", "-.5"]])
def test_predict_asks_the_best_trial(capsys, study, inputs) -> None:
    best = int(xortune.load(study).best["number"])
    predicted = call(capsys, "predict", study, *inputs)
    assert predicted == (0, answer_of(study, best, [float(x) for x in inputs]), "")
    assert 0 < float(predicted.out) < 1


@pytest.mark.parametrize("number", [0, 7])
def test_predict_asks_any_trial(capsys, study, number) -> None:
    predicted = call(capsys, "predict", study, "1", "0", "--trial", number)
    assert predicted == (0, answer_of(study, number, [1.0, 0.0]), "")


def test_resume_of_a_finished_study_changes_no_table(capsys, study) -> None:
    before = (study / "trials.csv").read_bytes()
    resumed = call(capsys, "resume", study, "--runner", "inline")
    assert resumed.code == 0
    assert resumed.out.startswith("study one: 8 trials (8 COMPLETE)\n")
    said = "xortune: study one is finished already: there was nothing to do."
    assert resumed.err.splitlines()[-1] == said
    assert (study / "trials.csv").read_bytes() == before


def test_only_a_finished_study_is_offered_a_larger_total(capsys, tmp_path) -> None:
    folder = tmp_path / "half"
    with pytest.raises(Interrupted):
        xortune.search(
            "smoke", name="half", results=tmp_path, trials=20, generation=5, runner="inline",
            on_progress=lambda progress: progress.done and signal.raise_signal(signal.SIGINT),
        )  # fmt: skip
    capsys.readouterr()
    show_result(xortune.load(folder), Screen())
    assert capsys.readouterr().out.endswith(f"python -m xortune resume {folder}\n")
    xortune.resume(folder, runner="inline")
    show_result(xortune.load(folder), Screen())
    assert capsys.readouterr().out.endswith(f"resume {folder} --trials 40\n")


def test_exist_ok(capsys, study, results) -> None:
    words = ["search", "smoke", "--name", "one", "--results", results, "--runner", "inline"]
    again = [*words, "--trials", "8", "--generation", "4", "--exist-ok"]
    assert call(capsys, *again).code == 0
    refused = call(capsys, *words, "--trials", "9", "--study-seed", "1", "--exist-ok")
    assert refused.code == 2
    assert "--name 'one': " in refused.err
    assert "--trials is 8 there and 9 here; --study-seed is 0 there and 1 here" in refused.err


@pytest.fixture
def one_rate(tmp_path) -> Path:
    """A space with something to be said about it."""
    space = tmp_path / "space.yaml"
    space.write_text("method: grid\nparameters:\n  lr: {value: 1.0}\n  epochs: {value: 5}\n")
    return space


def test_set_narrows_the_space(capsys, tmp_path) -> None:
    words = ["search", "smoke", "--set", "lr=0.5,5", "--set=epochs=50..60", "--set", "seed=7"]
    words += ["--runner", "inline", "--trials", "9", "--name", "n", "--results", tmp_path]
    assert call(capsys, *words).code == 0
    study = xortune.load("n", tmp_path)
    assert set(study.trials["lr"]) == {0.5, 5.0}
    assert study.trials["epochs"].between(50, 60).all()
    assert study.settings.space["seed"] == {"value": 7}


def test_a_space_without_more_points_prints_no_resume_command(capsys, tmp_path) -> None:
    words = ["search", "smoke", "--set", "lr=0.5,5", "--set=epochs=50", "--set", "seed=7..8"]
    words += ["--runner", "inline", "--name", "n", "--results", tmp_path]
    some = call(capsys, *words, "--trials", "7")
    assert f"python -m xortune resume {tmp_path / 'n'} --trials 12\n" in some.out
    everything = call(capsys, "resume", tmp_path / "n", "--runner", "inline", "--trials", "12")
    assert everything.out.startswith("study n: 12 trials (12 COMPLETE)\n")
    assert "resume" not in everything.out


def test_quiet_prints_nothing(tmp_path, one_rate) -> None:
    words = ["search", one_rate, "--runner", "inline", "--trials", "2", "--name", "two", "-q"]
    assert run(*words, folder=tmp_path) == (0, "", "")
    assert (tmp_path / "results" / "two" / "study.db").exists()


def test_quiet_resume_prints_nothing(capsys, results, study) -> None:
    words = ["resume", "one", "--results", results, "--runner", "inline", "-q"]
    assert call(capsys, *words) == (0, "", "")


def test_the_notes_of_a_space_are_logged(capsys, caplog, tmp_path, one_rate) -> None:
    words = ["search", one_rate, "--runner", "inline", "--trials", "1", "--results", tmp_path]
    assert call(capsys, *words).code == 0
    assert "that xortune ignores: method." in caplog.text
    assert "the default is used for seed 42, loss_fn mse." in caplog.text


def test_a_study_without_a_name_gets_the_date_and_time(capsys, tmp_path) -> None:
    words = ["search", "smoke", "--runner", "inline", "--trials", "1", "-q", "--results"]
    assert call(capsys, *words, tmp_path / "results") == (0, "", "")
    (folder,) = (tmp_path / "results").iterdir()
    assert re.fullmatch(r"xor-\d{8}-\d{6}", folder.name)


def test_a_stopped_search_prints_the_resume_command(tmp_path) -> None:
    command = [sys.executable, "-m", "xortune", "search", "smoke", "--runner", "inline"]
    command += ["--trials", "2000", "--generation", "1", "--name", "one"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=tmp_path) as child:
        assert child.stderr is not None
        assert child.stderr.readline().startswith("0/2000 trials")
        child.send_signal(signal.SIGINT)
        out, err = child.communicate()
    folder = Path("results") / "one"
    assert child.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == (
        "xortune: stopped; what was finished is kept. "
        f"Resume with: python -m xortune resume {folder}"
    )
    assert "Traceback" not in err
    assert (tmp_path / folder / "trials.csv").exists()


def test_a_reader_that_closes_the_pipe_early(study) -> None:
    command = f"{sys.executable} -m xortune report {study} --format csv | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (",".join(columns(SPEC)) + "\n", "")


@pytest.mark.parametrize("command", ["best", "report"])
def test_a_command_whose_reader_has_enough_ends_well(study, command) -> None:
    # The reader has gone before the first line.
    reader, writer = os.pipe()
    os.close(reader)
    words = [sys.executable, "-m", "xortune", command, str(study)]
    done = subprocess.run(words, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(capsys, command) -> None:
    for argv in ([command, "--help"], [command, "-h"]):
        answer = call(capsys, *argv)
        assert (answer.code, answer.err) == (0, "")
        assert answer.out.startswith(f"usage: xortune {command} ")
        assert [line for line in answer.out.splitlines() if len(line) > 80] == []


def test_the_help_names_every_command(capsys) -> None:
    answer = call(capsys, "--help")
    assert (answer.code, answer.err) == (0, "")
    assert tuple(re.findall(r"^    ([a-z][a-z-]*)", answer.out, re.MULTILINE)) == COMMANDS


def test_the_version(capsys) -> None:
    assert call(capsys, "--version") == (0, f"xortune {xortune.__version__}\n", "")
    assert run("--version") == (0, f"xortune {xortune.__version__}\n", "")


HELP = """
import contextlib, io, sys
from xortune.cli import main

for command in sys.argv[1:]:
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        main([command, "--help"] if command else ["--help"])
print(*sorted(sys.modules), sep="\\n")
"""


def test_help_imports_nothing_heavy() -> None:
    command = [sys.executable, "-c", HELP, "", *COMMANDS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    heavy = {"torch", "ray", "optuna", "pandas", "numpy", "tensorboard", "rich", "yaml", "shtab"}
    heavy |= {"html", "tempfile"}  # each a fiftieth of the time of `--help`
    assert "xortune.cli.arguments" in done.stdout
    assert heavy & set(done.stdout.split()) == set()
