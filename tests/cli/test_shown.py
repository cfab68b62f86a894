"""Hostile names, errors and workers: harmless in everything that the commands show."""

import csv
import io
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from markdown_it import MarkdownIt

import xortune
from tests.cli.commands import call
from tests.hostile import HOSTILE, steering
from tests.make import (
    SPEC,
    make_provenance,
    make_scores,
    make_settings,
    make_trial,
    make_weights,
)
from xortune.cli.options import FORMATS
from xortune.ledger import Ledger
from xortune.paths import StudyPaths
from xortune.report import columns
from xortune.space import load_space
from xortune.trial import FinishedTrial, Outcome

TEXT_COLUMNS = ("state", "loss_fn", "worker", "error")
# Those that a folder can be named.
NAMES = tuple(text for text in HOSTILE if "/" not in text)
SCORES = make_scores(train_loss=0.1 + 0.2, mse=1e-300, bce=5e-324, accuracy=0.25)


def hostile_study(folder: Path) -> Path:
    """A finished study: one trial for every hostile text, as its worker and its error."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    settings = make_settings(space=load_space("smoke", SPEC).parameters, trials=len(HOSTILE))
    trials = [
        make_trial(n, lr=1e-3 / 3, epochs=50 + n, seed=n, loss_fn="bce")
        for n in range(len(HOSTILE))
    ]
    outcomes = [Outcome("FAIL", error=text, worker=text) for text in HOSTILE]
    outcomes[-1] = Outcome(
        "COMPLETE", SCORES, weights=make_weights([0.5] * 9), duration_s=-0.5, worker=HOSTILE[-1]
    )
    with Ledger.create(StudyPaths(folder), settings, make_provenance()) as ledger:
        ledger.add_trials(trials)
        ledger.finish_trials([FinishedTrial(t, o) for t, o in zip(trials, outcomes)])
    return folder


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Path:
    return hostile_study(tmp_path_factory.mktemp("hostile") / "a\x1b[31m\u202e[red]<b>\nb")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("how", ["printed", "output"])
def test_no_format_lets_control_characters_through(capsys, tmp_path, hostile, name, how) -> None:
    if how == "printed":
        answer = call(capsys, "report", hostile, "--format", name, "--top", 99)
        text = answer.out
    else:
        file = tmp_path / "file"
        answer = call(capsys, "report", hostile, "--format", name, "--top", 99, "--output", file)
        text = file.read_bytes().decode()
    assert (answer.code, answer.err) == (0, "")
    assert steering(text) == []
    if name in ("csv", "markdown"):
        assert len(text.splitlines()) == len(HOSTILE) + (1 if name == "csv" else 2)
    if name == "table":
        assert text.startswith(r"study a\x1b[31m\u202e[red]<b>\nb: ")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "options", [["--by", "worker,error"], ["--columns", "worker,error,curve", "--sort", "worker"]]
)
def test_no_selection_lets_control_characters_through(capsys, hostile, name, options) -> None:
    answer = call(capsys, "report", hostile, "--format", name, "--top", 99, *options)
    assert (answer.code, answer.err) == (0, "")
    assert steering(answer.out) == []
    longest = max(map(len, answer.out.splitlines()[1:]))
    assert longest <= 80 or name != "table"


@pytest.mark.parametrize("form", ["table", "json"])
def test_one_trial_and_a_comparison_let_none_through(capsys, tmp_path, hostile, form) -> None:
    other = hostile_study(tmp_path / hostile.name)
    answers = [call(capsys, "best", hostile, "--trial", n, "--format", form) for n in range(12)]
    answers.append(call(capsys, "best", hostile, "--format", form))
    answers.append(call(capsys, "compare", hostile, other, "--format", form))
    for answer in answers:
        assert (answer.code, answer.err) == (0, "")
        assert steering(answer.out) == []


def check_csv(text: str) -> None:
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == len(HOSTILE)
    for row in rows:
        for column in TEXT_COLUMNS:
            assert row[column].isprintable()
            assert not re.match(r"\s*[=+@\-\uff1d]", row[column])
    formula = rows[1 + HOSTILE.index("-1+1")]
    assert formula["worker"] == formula["error"] == "'-1+1"
    number = rows[0]
    assert number["duration_s"] == "-0.5"
    assert float(number["train_loss"]) == 0.1 + 0.2
    assert float(number["lr"]) == 1e-3 / 3
    assert (number["mse"], number["bce"]) == ("1e-300", "5e-324")


def test_no_cell_is_a_formula_and_no_number_is_touched(capsys, hostile) -> None:
    check_csv(call(capsys, "report", hostile, "--format", "csv").out)


def test_the_tables_of_the_folder(capsys, tmp_path) -> None:
    folder = hostile_study(tmp_path / "one")
    assert call(capsys, "resume", folder, "--runner", "inline").code == 0
    text = (folder / "trials.csv").read_bytes().decode()
    assert steering(text) == []
    check_csv(text)
    for frame in (pd.read_parquet(folder / "trials.parquet"), xortune.load(folder).trials):
        kept = frame.set_index("number")["worker"].sort_index()
        assert kept.tolist() == list(HOSTILE), "raw where nobody looks"


def test_json_keeps_every_text_and_shows_none(capsys, hostile) -> None:
    text = call(capsys, "report", hostile, "--format", "json").out
    assert text.isascii()
    assert not set("<>&\x7f\x1b") & set(text)
    report = json.loads(text)
    assert report["study"]["folder"] == str(hostile)
    workers = {row["number"]: row["worker"] for row in report["trials"]}
    assert [workers[number] for number in range(len(HOSTILE))] == list(HOSTILE)


def test_markdown_is_a_table_of_text_alone(capsys, hostile) -> None:
    text = call(capsys, "report", hostile, "--format", "markdown").out
    page = MarkdownIt("commonmark").enable("table").render(text)
    tags = set(re.findall(r"<[^>]*>", page))
    assert tags == {
        f"<{s}{t}>" for t in ("table", "thead", "tbody", "tr", "th", "td") for s in ("", "/")
    }
    assert page.count("<td>") == len(HOSTILE) * len(columns(SPEC))
    assert "http://" not in text
    assert "www.example" not in text


@pytest.mark.parametrize("name", NAMES)
def test_names_of_studies_in_messages(capsys, tmp_path, monkeypatch, name) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "study.db").write_bytes(b"hello")
    monkeypatch.chdir(tmp_path)
    for argv in (
        ["report"],
        ["best"],
        ["compare", "x"],
        ["predict", "0", "1"],
        ["resume", "--runner=inline"],
        ["tensorboard"],
    ):
        command, *rest = argv
        for study in (folder, "none" + name):
            answer = call(capsys, command, *rest, "--results", tmp_path, "--", study)
            assert (answer.code, answer.out) == (2, "")
            assert steering(answer.err) == []
            assert answer.err.startswith("xortune")
            assert "\nxortune" not in answer.err


@pytest.mark.parametrize("text", HOSTILE)
def test_arguments_in_messages(capsys, tmp_path, monkeypatch, text) -> None:
    monkeypatch.chdir(tmp_path)
    for argv in (
        ["search", f"--name={text}"],
        ["search", f"--trials=x{text}"],
        ["search", f"--sampler={text}"],
        ["search", f"--address={text}"],
        ["search", f"--results=/proc/{text}"],
        ["search", "--", text],
        ["search", "smoke", "--", text, text],
        ["report", "x", f"--{text}"],
        ["report", "x", f"--top=x{text}"],
        ["--", text],
    ):
        answer = call(capsys, *argv)
        assert (answer.code, answer.out) == (2, ""), argv
        assert steering(answer.err) == []
        assert "\nxortune" not in answer.err
    assert list(tmp_path.iterdir()) == []


def yaml_word(text: str) -> str:
    """A text as YAML's double-quoted scalar, spelled out so that the file may hold it."""
    return json.dumps(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_values_of_a_space_file_in_messages(capsys, tmp_path, text) -> None:
    word = yaml_word(text)
    for content in (
        f"parameters: {{lr: {{value: {word}}}}}",
        f"parameters: {{lr: {{{word}: 1}}}}",
        f"parameters: {{{word}: {{value: 1}}}}",
        f"{word}: 1\nparameters: {{lr: {{value: 1}}}}",
        f"parameters: {{loss_fn: {{values: [{word}, mse]}}}}",
        f"parameters: {{lr: {{distribution: {word}, min: 1, max: 2}}}}",
    ):
        file = tmp_path / "space.yaml"
        file.write_text(content)
        answer = call(capsys, "search", file, "--runner=inline", "--results", tmp_path)
        assert (answer.code, answer.out) == (2, "")
        assert steering(answer.err) == []
        assert "\nxortune" not in answer.err


def test_warnings(capsys, tmp_path) -> None:
    file = tmp_path / "a\x1b[31m\nxortune: b.yaml"
    file.write_text("parameters: {epochs: {value: 5}, lr: {value: 1}}")
    argv = ["search", file, "--runner=inline", "--trials=1", "--results", tmp_path / "r"]
    answer = call(capsys, *argv)
    assert answer.code == 0
    first, second, *_ = answer.err.splitlines()
    assert first.startswith("xortune: search space ")
    assert first.endswith(r"a\x1b[31m")
    assert second.startswith("  xortune: b.yaml omits")
    assert steering(answer.err) == []


@pytest.mark.parametrize(
    "name", ["plain", "it's $(touch pwned)", "\x1b[31m\u202e'\\\n$(touch pwned)"]
)
def test_commands_to_copy_can_be_pasted(capsys, tmp_path, monkeypatch, name) -> None:
    monkeypatch.chdir(tmp_path)
    argv = ["search", "smoke", "--trials=1", "--runner=inline", "--name=one", "--results"]
    done = call(capsys, *argv, Path("x") / name)
    assert done.code == 0
    assert steering(done.out + done.err) == []
    (line,) = [line for line in done.out.splitlines() if line.startswith("report ")]
    command = line.removeprefix("report ").strip()
    assert command.startswith("python -m xortune report ")
    command = shlex.quote(sys.executable) + command.removeprefix("python")
    pasted = subprocess.run(["bash", "-c", command], capture_output=True)
    assert pasted.returncode == 0, pasted.stderr
    assert pasted.stdout.startswith(b"study one: 1 trial")
    assert [path.name for path in Path().iterdir()] == ["x"]


def test_a_study_in_a_folder_that_looks_like_an_option(capsys, tmp_path, monkeypatch) -> None:
    argv = ["search", "smoke", "--trials=1", "--runner=inline", "--name=one", "--results=-x"]
    monkeypatch.chdir(tmp_path)
    done = call(capsys, *argv)
    commands = re.findall(r"python -m xortune (.*)", done.out)
    assert commands[0] == "report ./-x/one"
    assert call(capsys, *shlex.split(commands[0])).code == 0
    refused = call(capsys, *argv)
    assert "python -m xortune resume ./-x/one" in refused.err
