"""Tables in the documents say what there is, and leave nothing out."""

import inspect
import json
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import xortune
from tests.cli.commands import call
from tests.documents.data import write_wines
from tests.documents.markdown import (
    GUIDES,
    SPACES,
    STUDIES,
    blocks,
    named,
    quoted,
    read,
    table,
    tables,
    tracked,
)
from xortune.errors import UsageError
from xortune.problems.table.rows import TASKS
from xortune.problems.table.spec import LOSS_FNS, METRICS, table_spec
from xortune.problems.xor.spec import SPEC
from xortune.report import grouped, where
from xortune.settings import RUNGS, RunOptions
from xortune.space import count_points, load_space


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """One small study that the tables are compared with."""
    results = tmp_path_factory.mktemp("results")
    return xortune.search("smoke", trials=4, runner="inline", results=results, name="first")


@pytest.fixture(scope="module")
def table_study(tmp_path_factory):
    """One small study of a table."""
    folder = tmp_path_factory.mktemp("table")
    write_wines(folder)
    space = {"epochs": {"value": 2}, "lr": {"min": 0.001, "max": 0.01}}
    return xortune.search(
        space, data=folder / "wine.csv", target="quality", trials=2, results=folder, name="wine"
    )


def options_of(command, capsys, monkeypatch):
    """The options of a command with their defaults, as its --help has them."""
    monkeypatch.setenv("COLUMNS", "1000")
    shown = call(capsys, command, "--help").out
    options = {}
    for words, text in re.findall(r"^  ((?:-\w, )?--[\w-]+.*?)(?:  |\n) *(.*)$", shown, re.M):
        default = re.search(r"\(default: (.*)\)$", text)
        options[re.sub(r"^-\w, ", "", words)] = default[1] if default else ""
    assert options.pop("--help") == ""
    return options


OPTIONS = {
    match[1]: rows[1:]
    for name in GUIDES
    for rows in tables(name)
    if (match := re.fullmatch(r"option of `([\w-]+)`", rows[0][0]))
}


@pytest.mark.parametrize("command", OPTIONS)
def test_the_options_of_a_command_are_those_of_its_help(command, capsys, monkeypatch):
    written = {quoted(option)[0]: default for option, default, _ in OPTIONS[command]}
    there = options_of(command, capsys, monkeypatch)
    if command != "search":
        shared = options_of("search", capsys, monkeypatch)
        # Those that are the same may be left out.
        there = {n: value for n, value in there.items() if shared.get(n) != value or n in written}
    if command in ("status", "logs", "fetch"):
        # As the sentence above their tables says.
        del there["--address URL"], there["--proxy URL"]
    assert written == there


def test_every_command_with_options_of_its_own_has_a_table():
    listed = {"search", "resume", "report", "predict", "tensorboard", "submit", "status", "logs"}
    listed |= {"check"}
    listed |= {"list", "best", "compare", "draw", "export-model", "dashboard", "export", "fetch"}
    assert set(OPTIONS) == listed


def test_plain_defaults_of_the_help_are_those_of_the_code(study):
    """What the help repeats by hand: numbers and single words."""
    names = {
        quoted(row[0])[0].split()[0][2:].replace("-", "_"): row[1] for row in OPTIONS["search"]
    }
    defaults = {**study.settings.to_dict(), **vars(RunOptions())}
    compared = {}
    for name, written in names.items():
        if re.fullmatch(r"\w[\w.]*", written) and defaults.get(name) not in (None, ""):
            compared[name] = written
    del compared["trials"]  # the study here has four
    assert int(compared.pop("rungs")) == RUNGS  # of which a study records the epochs
    assert {"sampler", "study_seed", "cuda_share", "runner", "retries"} < set(compared)
    assert names["log_every"].startswith(f"{SPEC.log_every} for the lab's problem")
    for name, written in compared.items():
        assert type(defaults[name])(written) == defaults[name], name


def test_the_columns_are_those_of_the_table(study):
    assert named(STUDIES, "column") == list(study.trials.columns)


@pytest.mark.parametrize("task", TASKS)
def test_the_columns_of_a_table_are_those_of_its_task(task):
    metrics = [metric.name for metric in table_spec(task).metrics]
    listed = named(STUDIES, "column of a table")
    assert set(metrics) <= set(listed)
    known = {metric.name for metrics in METRICS.values() for metric in metrics}
    assert set(listed) == known | {"final_loss", "train_loss", "best_epoch"}
    rows = [quoted(row[0]) for row in table(SPACES, "metric of a table") if task in row[1]]
    assert {name for row in rows for name in row} == {metric.name for metric in METRICS[task]}


def test_the_parts_of_a_report_in_json_are_those_listed(table_study, capsys):
    out = call(capsys, "report", table_study.paths.folder, "--format", "json").out
    parts = json.loads(out)
    rows = {quoted(row[0])[0]: row[1] for row in table(STUDIES, "part")}
    assert list(rows) == list(parts)
    assert {"best", "test"} <= set(quoted(rows["summary"])) <= set(parts["summary"])
    assert set(quoted(rows["study"])) <= set(parts["study"])


def test_the_columns_of_predictions_are_those_listed(table_study):
    predictions = table_study.predict(0, table_study.paths.folder.parent / "new.csv")
    assert list(predictions.columns) == named(STUDIES, "column of predictions")[:1]


def test_the_words_of_the_time_are_those_of_a_report(study, capsys):
    out = call(capsys, "report", study.paths.folder).out
    (line,) = (line for line in out.splitlines() if line.startswith("time "))
    assert named(STUDIES, "word") == re.findall(r"[a-z]{3,}", line)


def test_the_files_are_those_of_a_study(study):
    (tree,) = (block.text for block in blocks(STUDIES, "text"))
    there = {f"{p.name}/" if p.is_dir() else p.name for p in study.paths.folder.iterdir()}
    assert set(re.findall(r"^  (\S+)", tree, re.MULTILINE)) == there
    runs = sorted(path.name for path in study.paths.tensorboard.iterdir())
    assert re.findall(r"trial-\d+", tree) == runs[:2]


def test_the_tags_are_those_of_a_run(study):
    (file,) = study.paths.run(0).iterdir()
    tags = EventAccumulator(str(file)).Reload().Tags()
    assert sorted(named(STUDIES, "tag")) == sorted(tags["scalars"])
    assert tags["graph"]


def test_the_conditions_are_those_of_a_report(study):
    conditions = named(STUDIES, "condition")
    assert len(conditions) > 8
    for condition in conditions:
        assert len(where(study.trials, condition)) <= 4


def test_the_columns_of_groups_are_those_of_a_report(study, table_study):
    rows = {quoted(row[0])[0]: quoted(row[0]) for row in table(STUDIES, "column of groups")}
    for found, without in ((study, "mean"), (table_study, "solved_share")):
        groups = grouped(found.trials, found.space, ["state"])
        listed = [name for key, names in rows.items() if key != without for name in names]
        assert listed == [*groups.columns[1:]]


def test_the_attributes_of_the_parquet_file_are_there(study):
    named_there = re.findall(r'attrs\["(\w+)"\]', read(STUDIES))
    found = pd.read_parquet(study.paths.trials_parquet).attrs
    assert set(named_there) <= set(found)
    assert found["study"] == study.name
    assert found["space"] == study.settings.space


def refusal(space):
    """What a search says of a space that it refuses."""
    with pytest.raises(UsageError) as error:
        xortune.search(space, trials=1, name="refused", results="/nonexistent")
    return str(error.value)


def test_the_parameters_are_those_of_the_problem():
    message = refusal({"nothing": {"value": 1}})
    names = [quoted(row[0])[0] for row in table(SPACES, "parameter")]
    assert message.endswith(f"there are {', '.join(names)}")


@pytest.mark.parametrize("row", table(SPACES, "parameter"), ids=lambda row: row[0])
def test_a_parameter_that_is_left_out_has_its_default(row, tmp_path):
    name, _, default = (cell.strip("`") for cell in row)
    others = {"epochs": {"value": 10}} if name != "epochs" else {"lr": {"value": 0.5}}
    study = xortune.search(others, trials=1, name="one", results=tmp_path, runner="inline")
    assert str(study.trials.loc[0, name]) == default


def test_the_parameters_of_a_table_are_those_of_its_spec():
    spec = table_spec("regression")
    rows = table(SPACES, "parameter of a table")
    assert [quoted(row[0])[0] for row in rows] == [*spec.names]
    for parameter, (_, values, default, _) in zip(spec.parameters, rows):
        if parameter.name == "loss_fn":
            assert quoted(values) == [name for names in LOSS_FNS.values() for name in names]
            continue
        assert default.strip("`") == str(parameter.default)
        if parameter.kind == "choice":
            assert quoted(values) == [*parameter.choices]
            continue
        assert ("whole" in values) is (parameter.kind == "int")
        assert ("above" in values) is parameter.above_low
        bounds = [float(text) for text in re.findall(r"\d[\de.]*", values)]
        assert bounds == [parameter.low, parameter.high]


def test_the_schedules_of_a_table_are_those_of_its_spec():
    assert named(SPACES, "schedule") == [*table_spec("binary").parameter("schedule").choices]


def test_the_arguments_of_a_problem_are_those_listed():
    arguments = inspect.signature(xortune.Problem).parameters
    rows = table(SPACES, "argument of `Problem`")
    assert [quoted(row[0])[0] for row in rows] == [*arguments]
    for name, cell, _ in rows:
        if quoted(cell):
            assert quoted(cell)[0] == f'"{arguments[quoted(name)[0]].default}"'


@pytest.mark.parametrize("row", table(SPACES, "parameter")[:3], ids=lambda row: row[0])
def test_the_bounds_of_a_parameter_are_inclusive_unless_they_are_said_not_to_be(row):
    name = quoted(row[0])[0]
    low, high = map(float, re.findall(r"\d[\de.]*", row[1]))
    if low.is_integer() and "whole" in row[1]:
        low, high = int(low), int(high)
        beyond, within = (low - 1, high + 1), (low, high)
    else:
        beyond, within = (low, 3.5e38), (1e-300, high)
    for value in beyond:
        assert f"parameters.{name}" in refusal({name: {"value": value}})
    # Refused for another reason, so that nothing is trained.
    for value in within:
        assert f"parameters.{name}" not in refusal({name: {"value": value}, "nothing": {}})


def test_the_keys_are_those_of_a_space():
    message = refusal({"lr": {"nothing": 1}})
    assert set(named(SPACES, "key")) == set(message.rpartition("there are ")[2].split(", "))


def test_the_distributions_are_those_of_a_space():
    message = refusal({"lr": {"distribution": "nothing", "min": 1, "max": 2}})
    listed = message.rpartition("there are ")[2].split(", ")
    assert sorted(named(SPACES, "distribution")) == sorted(listed)


@pytest.mark.parametrize("row", table(SPACES, "distribution"), ids=lambda row: row[0])
def test_a_distribution_goes_with_its_keys(row, tmp_path):
    name, keys = quoted(row[0])[0], quoted(row[1])
    given = {"value": 1, "values": [1, 2], "min": 1, "max": 2, "q": 1}
    entry = {"distribution": name, **{key: given[key] for key in keys}}
    space = {"lr": entry, "epochs": {"value": 1}}
    study = xortune.search(space, trials=1, name="one", results=tmp_path, runner="inline")
    assert study.trials.loc[0, "state"] == "COMPLETE"


@pytest.mark.parametrize("row", table(SPACES, "W&B's"), ids=lambda row: row[0])
def test_a_distribution_of_wandb_is_refused_with_its_remedy(row):
    (remedy,) = quoted(row[1])
    for name in quoted(row[0]):
        message = refusal({"lr": {"distribution": name}})
        assert re.search(rf"{name} is not offered here; use {remedy}\b", message)


def test_the_keys_that_are_ignored_are_ignored(caplog, tmp_path):
    sentence = read(SPACES).partition("W&B's other keys, such as ")[2].partition("are ignored")[0]
    keys = quoted(sentence)
    assert len(keys) == 5
    space = {**dict.fromkeys(keys, "x"), "parameters": {"epochs": {"value": 1}}}
    xortune.search(space, trials=1, name="one", results=tmp_path, runner="inline")
    assert all(key in caplog.text for key in keys)


def test_the_shipped_spaces_are_those_on_disk():
    rows = {quoted(row[0])[0]: row[1] for row in table(SPACES, "space")}
    files = tracked("search_spaces/*.yaml")
    assert sorted(rows) == sorted(Path(name).stem for name in files)
    for name, points in rows.items():
        spec = table_spec("regression") if name == "table" else SPEC
        assert points == str(count_points(load_space(name, spec)) or "infinite")


def test_the_first_space_of_the_guide_is_the_default_one(tmp_path):
    content = yaml.safe_load(blocks(SPACES, "yaml")[0].text)
    assert content == yaml.safe_load(read("search_spaces/default.yaml"))
