"""The keywords of `search` and `resume`, as type checkers, editors and `help()` see them."""

import inspect
import subprocess
import sys
from dataclasses import fields

import pytest

import xortune
from xortune.settings import RunOptions, StudySettings
from xortune.studies.options import RESUME_KEYWORDS, RUN_KEYWORDS, SEARCH_KEYWORDS
from xortune.studies.searches import resume, search

_DECIDED = {"spec", "space", "device", "starts"}


def test_every_setting_has_a_keyword():
    assert set(RUN_KEYWORDS) == {f.name for f in fields(RunOptions)}
    settings = {f.name for f in fields(StudySettings)} - _DECIDED
    assert set(SEARCH_KEYWORDS) - set(RUN_KEYWORDS) == settings | {
        *("objective", "metric", "target", "task", "split", "split_seed", "include"),
        *("drop", "text", "rung_epochs"),
    }


@pytest.mark.parametrize(
    ("function", "keywords"), [(search, SEARCH_KEYWORDS), (resume, RESUME_KEYWORDS)]
)
def test_help_shows_keywords_and_defaults(function, keywords):
    shown = inspect.signature(function).parameters
    assert shown.keys() >= set(keywords)
    assert shown["retries"].default == RunOptions.retries
    if function is search:
        assert shown["trials"].default == StudySettings.trials
    else:
        assert shown["trials"].default is None


def test_help_is_the_public_function(capsys):
    help(xortune.search)
    assert "study_seed=0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("xortune.search(trials=50, sampler='tpe', workers=2, metric='bce')", ""),
        ("xortune.resume('s', trials=5, runner='inline')", ""),
        ("xortune.search(replicates=8, confirm=(5, 64), rung_epochs=[5, 9], timeout='9m')", ""),
        ("xortune.resume('s', plateau='none', confirm='5:64', timeout=90)", ""),
        ("xortune.resume('s', replicates=2)", "replicates"),
        ("xortune.search(trails=50)", "trails"),
        ("xortune.search(trials='50')", "trials"),
        ("xortune.resume('s', sampler='tpe')", "sampler"),
        ("xortune.search(sampler='grid')", "sampler"),
    ],
)
@pytest.mark.long
def test_a_type_checker_refuses_what_is_wrong(tmp_path, line, fault):
    file = tmp_path / "script.py"
    file.write_text(f"import xortune\n\n{line}\n")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode == 0) == (not fault)
    assert fault in done.stdout
