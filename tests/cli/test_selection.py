"""`report` with conditions, orders, columns and groups."""

import csv
import io
import json
import os
import subprocess
import sys

import pytest

import xortune
from tests.cli.commands import call, contents, rows_of
from xortune.report import as_markdown, grouped, plain_rows, rows_as_json, sort, where

CONDITION = "epochs > 100 and loss_fn != 'mse'"


@pytest.fixture
def frame(study):
    return xortune.load(study).trials


def test_rows_that_match_come_in_the_order_that_is_asked_for(capsys, study, frame):
    chosen = sort(where(frame, CONDITION), "lr:desc")
    assert 1 < len(chosen) < len(frame)
    out = call(capsys, "report", study, "--where", CONDITION, "--sort", "lr:desc").out
    assert out.splitlines()[:3] == [
        "study one: 8 trials (8 COMPLETE)",
        f"{len(chosen)} of 8 trials match",
        "ordered by lr:desc",
    ]
    assert [int(row[1]) for row in rows_of(out)] == chosen["number"].tolist()
    shown = call(capsys, "report", study, "--where", CONDITION, "--sort", "lr:desc", "--top", 1).out
    assert [int(row[1]) for row in rows_of(shown)] == chosen["number"].tolist()[:1]


def test_machines_get_the_same_rows_and_columns(capsys, study, frame, tmp_path):
    options = ["--where", CONDITION, "--sort", "epochs,number", "--columns", "number,lr,state"]
    chosen = sort(where(frame, CONDITION), "epochs")[["number", "lr", "state"]]
    report = call(capsys, "report", study, *options, "--format", "csv")
    assert (report.code, report.err) == (0, "")
    rows = [*csv.DictReader(io.StringIO(report.out))]
    assert [(int(r["number"]), float(r["lr"]), r["state"]) for r in rows] == [
        (r["number"], r["lr"], r["state"]) for r in plain_rows(chosen)
    ]
    content = json.loads(call(capsys, "report", study, *options, "--format", "json").out)
    assert content["trials"] == plain_rows(chosen)
    assert content["summary"] == xortune.load(study).summary()
    file = tmp_path / "rows.md"
    done = call(capsys, "report", study, *options, "--format", "markdown", "--output", file)
    assert done == (0, "", "")
    assert file.read_text() == as_markdown(chosen)


def test_nothing_that_matches_is_said_and_no_error(capsys, study):
    found = call(capsys, "report", study, "--where", "lr > 1e6")
    assert found == (0, "study one: 8 trials (8 COMPLETE)\n0 of 8 trials match\n", "")
    assert call(capsys, "report", study, "--where", "lr > 1e6", "--format", "json").code == 0


def test_groups_are_those_of_the_trials_that_match(capsys, study, frame):
    loaded = xortune.load(study)
    found = grouped(where(frame, "epochs > 100"), loaded.space, ["loss_fn"])
    out = call(capsys, "report", study, "--where", "epochs > 100", "--by", "loss_fn").out
    assert "groups by loss_fn; ordered by the median of mse, the best first" in out
    rows = rows_of(out)
    assert [row[0] for row in rows] == found["loss_fn"].tolist()
    assert [row[1:4:2] for row in rows] == [
        [str(c), str(t)] for c, t in zip(found["complete"], found["trials"])
    ]
    assert [int(row[-1]) for row in rows] == found["best_trial"].tolist()
    options = ["--where", "epochs > 100", "--by", "loss_fn", "--format", "json"]
    assert call(capsys, "report", study, *options).out == rows_as_json(found)
    columns = ["--by", "loss_fn", "--sort", "complete:desc", "--columns", "loss_fn,complete"]
    fewer = rows_of(call(capsys, "report", study, *columns, "--top", 1).out)
    assert fewer == [["loss_fn"[:0] + row["loss_fn"], str(row["complete"])] for row in plain_rows(
        sort(grouped(frame, loaded.space, ["loss_fn"]), "complete:desc").head(1)
    )]  # fmt: skip


@pytest.mark.parametrize("options", [
    ["--by", "loss_fn,lr,epochs"],
    ["--columns", "rank,number,lr,epochs,seed,loss_fn,final_loss,curve,train_loss,mse,bce,worker"],
    ["--where", "lr > 0", "--sort", "worker"],
])  # fmt: skip
def test_every_selection_fits_80_columns(capsys, study, options):
    out = call(capsys, "report", study, *options).out
    assert [line for line in out.splitlines() if len(line) > 80] == []
    assert "…" not in out


def test_a_curve_is_a_line_and_falls_as_the_curve_does(capsys, study, frame):
    out = call(capsys, "report", study, "--columns", "number,curve", "--sort", "number").out
    assert "\ncurve: validation, from " in out
    rows = rows_of(out)
    loaded = xortune.load(study)
    for number, line in rows:
        values = loaded.curves(int(number))["validation"]
        assert len(line) == min(8, len(values))
        falls = bool(values.iloc[0] > values.iloc[-1])
        assert line[0] == line[-1] or (line[0] > line[-1]) is falls
    cells = csv.DictReader(
        io.StringIO(call(capsys, "report", study, "--columns", "curve", "--format", "csv").out)
    )
    assert all(set(row["curve"]) <= set("▁▂▃▄▅▆▇█") for row in cells)


def test_a_study_without_curves_has_none(capsys, tmp_path):
    space = {"x": {"min": 0.0, "max": 1.0}}
    problem = xortune.Problem(lambda config, report: config["x"], space=space)
    xortune.search(problem=problem, trials=2, name="one", results=tmp_path, runner="inline")
    columns = ["report", tmp_path / "one", "--columns", "number,curve"]
    assert {row[1] for row in rows_of(call(capsys, *columns).out)} == {"-"}
    assert call(capsys, *columns, "--format", "csv").out.splitlines()[0] == "number,curve"
    assert "curve" not in call(capsys, "best", tmp_path / "one").out


def test_a_terminal_without_such_characters_gets_plain_ones(study):
    command = [sys.executable, "-m", "xortune", "report", str(study), "--columns", "curve"]
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, env=env, check=True)
    assert done.stdout.isascii()
    assert b"\\u" not in done.stdout


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        (["--where", "loss_fn > 3"], ["--where: loss_fn is a text, and 3 is a number.",
                                      "\n    loss_fn > 3\n            ^\n"]),
        (["--where", "lrr > 3"], ["there is no column lrr. Did you mean lr?"]),
        (["--where", ""], ["--where: a column, a number or a text in quotes is missing here."]),
        (["--where", "__import__('os')"], ["the word and, or the word or, is missing here."]),
        (["--sort", "epoch"], ["--sort: there is no column 'epoch'. Did you mean epochs?"]),
        (["--sort", "lr:up"], ["--sort lr:up: sorts by asc or desc."]),
        (["--columns", "number,nothing"], ["--columns: there is no column 'nothing'. Columns: "]),
        (["--by", "lossfn"], ["--by: there is no column 'lossfn'. Did you mean loss_fn?"]),
        (["--by", "loss_fn", "--sort", "lr"], ["--sort: there is no column 'lr'. Columns: "]),
        (["--by", "x_", "--where", "lr >", "--columns", "y_"], ["--by:", "--where:", "--columns:"]),
        (["--luck", "0", "--by", "lr"], ["--by lr: is for the ranking, and not for --luck."]),
        (["--replicates-of", "0", "--where", "solved"], ["and not for --replicates-of."]),
        (
            ["--html", "--where", "solved", "--by", "lr"],
            ["--where solved: is not for --html. Leave it out.", "--by lr: is not for --html."],
        ),
        (["--wehre", "solved"], ["Did you mean --where?"]),
    ],
    ids=lambda value: " ".join(value)[:40],
)  # fmt: skip
def test_what_cannot_be_chosen_is_refused(capsys, study, options, texts):
    before = contents(study)
    answer = call(capsys, "report", study, *options)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("xortune")
    assert answer.err.count("\nxortune") == 0
    assert [text for text in texts if text not in answer.err] == []
    assert contents(study) == before


def test_pruned_trials_show_their_rung_and_their_loss_there(capsys, tmp_path):
    study = xortune.search(
        "smoke", trials=30, generation=30, pruner="halving", runner="inline", name="one",
        results=tmp_path,
    )  # fmt: skip
    pruned = study.trials.query("state == 'PRUNED'")
    out = call(capsys, "report", tmp_path / "one", "--where", "state == 'PRUNED'", "--top", 5).out
    for row, expected in zip(rows_of(out), pruned.itertuples()):
        epoch, loss = expected.pruned_epoch, expected.pruned_loss
        assert " ".join(row).endswith(f" pruned at {epoch}: {loss:.2g} -")
    assert [line for line in out.splitlines() if len(line) > 80] == []
