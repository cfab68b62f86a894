"""The commands that repeat a study say all that decides its answer."""

import shlex
import shutil

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import xortune
from tests.documents.data import write_wines
from tests.documents.markdown import ROOT
from xortune.cli.arguments import parse
from xortune.space import load_space
from xortune.studies.reproduction import (
    SPACE_FILE,
    named_again,
    resume_command,
    search_command,
    space_text,
)
from xortune.studies.request import check_search

SPACE = {"lr": {"values": [0.5, 5.0]}, "epochs": {"min": 20, "max": 40}}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = TEXTS | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)


def settings_of(command):
    """The settings of the study that a command would begin."""
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "xortune"]
    given = vars(parse(words[3:]))
    for key in ("command", "run", "results"):
        given.pop(key, None)
    return check_search(given.pop("space"), given.pop("name"), **given).settings


@pytest.mark.parametrize(
    "asked",
    [
        {"trials": 3, "sampler": "random", "confirm": False},
        {"trials": 3, "replicates": 2, "aggregate": "median", "objective": "accuracy:max"},
        {"trials": 9, "pruner": "halving", "rung_epochs": (5, 15), "plateau": 9, "data": "lab"},
        {"trials": 3, "engine": "eager", "generation": 2, "log_every": 7, "study_seed": 11},
    ],
)
def test_a_search_is_repeated_with_the_same_settings(asked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = xortune.search(SPACE, name="a b".replace(" ", "-"), runner="inline", **asked)
    command, needs_file = search_command(study)
    assert needs_file
    (tmp_path / SPACE_FILE).write_text(space_text(study.settings.space))
    assert settings_of(command) == study.settings


def test_a_shipped_space_is_named(tmp_path):
    study = xortune.search("smoke", trials=2, runner="inline", results=tmp_path, name="one")
    command, needs_file = search_command(study)
    assert command.startswith("python -m xortune search smoke ")
    assert not needs_file
    assert settings_of(command) == study.settings


def test_a_study_of_a_table_is_repeated_with_the_same_settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_wines(tmp_path)
    space = {"epochs": {"value": 2}, "lr": {"values": [0.1, 0.2, 0.3, 0.4]}}
    study = xortune.search(
        space, data="wine.csv", target="quality", trials=2, drop=["acidity"], split="50/30/20",
        split_seed=3, runner="inline", name="wine", confirm=False,
    )  # fmt: skip
    (tmp_path / SPACE_FILE).write_text(space_text(study.settings.space))
    assert settings_of(search_command(study)[0]) == study.settings
    purpose, command = resume_command(study)
    assert purpose == "Extend it to 4 trials:"
    assert command == f"python -m xortune resume {study.paths.folder} --data wine.csv --trials 4"


def test_a_study_of_a_function_names_its_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "search_spaces/rosenbrock.py", tmp_path)
    study = xortune.search(
        problem="rosenbrock.py", trials=2, runner="inline", name="hill", confirm=False
    )
    command, needs_file = search_command(study)
    assert needs_file
    (tmp_path / SPACE_FILE).write_text(space_text(study.settings.space))
    assert settings_of(command) == study.settings
    assert " --problem rosenbrock.py" in resume_command(study)[1]


def test_names_are_quoted_for_the_shell(tmp_path):
    study = xortune.search(
        "smoke", trials=1, runner="inline", results=tmp_path / "a b; c", name="x"
    )
    _, command = resume_command(study, " --data 'my wine.csv'")
    assert shlex.split(command)[4:7] == [str(study.paths.folder), "--data", "my wine.csv"]
    assert named_again(study.settings) == ""


@given(st.dictionaries(st.sampled_from(["rate", "on", "No", "width"]),
                       st.dictionaries(TEXTS, VALUES | st.lists(VALUES))))  # fmt: skip
def test_the_text_of_a_space_is_yaml_in_printable_characters(parameters):
    text = space_text(parameters)
    assert all(line.isprintable() for line in text.split("\n"))
    read = yaml.load(text, Loader=yaml.SafeLoader)["parameters"] or {}
    assert _spelled(read) == _spelled(parameters)


def _spelled(value):
    """A value with floats as texts: YAML 1.1 takes 1e-3 for one, and xortune's reader does not."""
    if isinstance(value, dict):
        return {key: _spelled(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_spelled(one) for one in value]
    return repr(value) if isinstance(value, float) else value


def test_the_text_of_a_space_is_read_as_that_space(tmp_path):
    space = {
        "lr": {"distribution": "log_uniform_values", "min": 1e-5, "max": 0.5},
        "epochs": {"distribution": "q_log_uniform_values", "min": 10, "max": 500, "q": 10},
        "loss_fn": {"values": ["mse", "bce"]},
    }
    file = tmp_path / "space.yaml"
    spec = xortune.search(
        space, trials=1, runner="inline", results=tmp_path, name="one"
    ).settings.spec
    file.write_text(space_text(space))
    assert load_space(file, spec).parameters == load_space(space, spec).parameters
