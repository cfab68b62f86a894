"""`list`: the studies of a results folder."""

import csv
import io
import json
import shutil
from datetime import datetime, timedelta, timezone

import pytest

import xortune
from tests.cli.commands import call, rows_of
from tests.hostile import HOSTILE, steering
from xortune.cli.commands.list import _age


def test_a_study_is_a_row_with_its_best_objective(capsys, study, results):
    out = call(capsys, "list", "--results", results).out
    best = xortune.load(study).best["mse"]
    (row,) = rows_of(out)
    assert row[:-3] == ["one", "xor", "finished", "8/8", "mse", f"{best:.3g}"]
    assert row[-1] == "ago"


def test_machines_get_all_columns(capsys, study, results):
    loaded = xortune.load(study)
    (row,) = json.loads(call(capsys, "list", "--results", results, "--format", "json").out)
    changed = datetime.fromisoformat(row.pop("changed"))
    assert abs(changed - datetime.now(timezone.utc)) < timedelta(days=1)
    assert row == {
        "name": "one", "folder": str(study), "problem": "xor", "state": "finished", "finished": 8,
        "trials": 8, "objective": "mse", "direction": "minimize",
        "best": float(loaded.best["mse"]), "error": None,
    }  # fmt: skip
    rows = csv.DictReader(
        io.StringIO(call(capsys, "list", "--results", results, "--format", "csv").out)
    )
    assert [one["name"] for one in rows] == ["one"]
    assert "| one |" in call(capsys, "list", "--results", results, "--format", "markdown").out


def test_what_is_damaged_or_no_study_is_named_below(capsys, study, tmp_path):
    shutil.copytree(study, tmp_path / "sound")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "study.db").write_bytes(b"hello")
    (tmp_path / "notes").mkdir()
    answer = call(capsys, "list", "--results", tmp_path)
    assert answer.code == 0
    assert [row[0] for row in rows_of(answer.out)] == ["sound"]
    words = " ".join(answer.out.split())
    assert "damaged: broken: " in words
    assert "its first bytes are not those of one. Restore it from a copy." in words
    assert words.endswith("not studies: notes")
    rows = json.loads(call(capsys, "list", "--results", tmp_path, "--format", "json").out)
    assert {row["name"]: row["state"] for row in rows} == {"broken": "damaged", "sound": "finished"}


def test_names_of_folders_do_not_steer_the_terminal(capsys, study, tmp_path):
    for number, name in enumerate(name for name in HOSTILE if "/" not in name):
        folder = tmp_path / f"{number}{name}"
        if number % 3:
            folder.mkdir()
            continue
        shutil.copytree(study, folder, ignore=shutil.ignore_patterns("tensorboard"))
        if number % 2:
            (folder / "study.db").write_bytes(b"hello")
    for form in ("table", "csv", "json", "markdown"):
        answer = call(capsys, "list", "--results", tmp_path, "--format", form)
        assert answer.code == 0
        assert steering(answer.out) == []
    table = call(capsys, "list", "--results", tmp_path).out
    assert [line for line in table.splitlines() if "ago" in line and len(line) > 80] == []


def test_a_narrow_terminal_shows_names_and_objectives_in_full(capsys, study, tmp_path, monkeypatch):
    name = "a-name-of-fifty-characters-that-would-be-cut-short"
    shutil.copytree(study, tmp_path / name, ignore=shutil.ignore_patterns("tensorboard"))
    monkeypatch.setenv("COLUMNS", "50")
    out = call(capsys, "list", "--results", tmp_path).out
    assert "…" not in out
    first, second = rows_of(out)
    assert first[0] + second[0] == name
    assert first[-2:] == ["mse", f"{xortune.load(study).best['mse']:.3g}"]
    assert "left out to fit 50 characters: problem, state, trials, changed" in " ".join(out.split())


def test_an_empty_folder_has_no_studies_and_a_missing_one_is_refused(capsys, study, tmp_path):
    answer = call(capsys, "list", "--results", tmp_path)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("there are no studies in ")
    assert call(capsys, "list", "--results", tmp_path, "--format", "json") == (0, "[]\n", "")
    for folder, text in (
        (tmp_path / "none", "none: cannot be read: No such file or directory."),
        (study, f"is a study. Name the folder that holds it: --results {study.parent}."),
    ):
        refused = call(capsys, "list", "--results", folder)
        assert (refused.code, refused.out) == (2, "")
        assert text in refused.err


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0 s ago"), (59.9, "59 s ago"), (60, "1 min ago"), (7199, "1 h ago"),
     (86_400 * 3, "3 d ago"), (86_400 * 800, "2 y ago")],
)  # fmt: skip
def test_an_age_has_one_unit(seconds, text):
    now = datetime(2026, 1, 1, tzinfo=timezone.utc)
    assert _age(now, now - timedelta(seconds=seconds)) == text
