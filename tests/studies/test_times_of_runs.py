"""The times of runs: kept in the ledger, added up, and shown in the report."""

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict, fields

import pytest

import xortune
from tests.make import make_provenance, make_settings
from xortune.cli import main
from xortune.cli.tables import summary_lines
from xortune.errors import Interrupted
from xortune.ledger import Ledger
from xortune.loop.clock import Clock
from xortune.paths import StudyPaths
from xortune.report import summarise_time
from xortune.run_time import RunTime

NAMES_OF_RUN = tuple(field.name for field in fields(RunTime))
NAMES = ("wall", "start_up", "sampler", "training", "queue", "writing", "idle")
RUN = RunTime(8.0, 1.0, 2.0, 0.5, 2, 6.5, 0.25, 0.125)


@pytest.fixture
def paths(tmp_path):
    """A study whose ledger has no runs."""
    paths = StudyPaths(tmp_path / "one")
    Ledger.create(paths, make_settings(), make_provenance()).close()
    return paths


def test_runs_are_kept_in_their_order(paths):
    second = RunTime(*(0.1 * number for number in range(4)), 3, 1e-300, 1e300, 0.0)
    with Ledger.open(paths) as ledger:
        for run in (RUN, second, RUN):
            ledger.add_run(run)
        assert ledger.runs() == [RUN, second, RUN]
    with Ledger.read(paths) as ledger:
        assert ledger.runs() == [RUN, second, RUN]


def test_a_new_ledger_has_no_runs(paths):
    with Ledger.read(paths) as ledger:
        assert ledger.runs() == []


def test_the_table_holds_what_a_run_has(paths):
    with Ledger.open(paths) as ledger:
        ledger.add_run(RUN)
    with closing(sqlite3.connect(paths.ledger)) as connection:
        connection.row_factory = sqlite3.Row
        (row,) = connection.execute("SELECT * FROM run")
    assert {name: row[name] for name in NAMES_OF_RUN} == asdict(RUN)


def search(results, **options):
    return xortune.search(
        "smoke", trials=4, runner="inline", name="one", results=results, **options
    )


def test_the_trainings_of_a_confirmation_are_training(tmp_path):
    study = search(tmp_path, confirm="2:4")
    (run,) = study.runs()
    assert run.training > study.trials["duration_s"].sum()


def test_every_run_of_a_study_is_added_up(tmp_path):
    study = search(tmp_path, confirm="none")
    (first,) = study.runs()
    assert first.workers == 1
    assert 0 < first.training < first.wall
    assert first.training == pytest.approx(study.trials["duration_s"].sum())
    assert min(first.start_up, first.sampler, first.writing) > 0
    study = xortune.resume(study.paths.folder, trials=9, runner="inline")
    runs = study.runs()
    assert runs[0] == first
    assert len(runs) == 2
    assert sum(run.training for run in runs) == pytest.approx(study.trials["duration_s"].sum())
    time = study.summary()["time"]
    assert tuple(time) == NAMES
    assert time == {name: sum(getattr(run, name) for run in runs) for name in NAMES}


def test_a_resume_with_nothing_to_train_is_no_run(tmp_path):
    study = search(tmp_path)
    assert xortune.resume(study.paths.folder, runner="inline").runs() == study.runs()


def test_the_tables_are_written_by_the_clock(tmp_path, monkeypatch):
    folder = search(tmp_path).paths.folder
    now = [0.0]

    def tabulate(*_):
        now[0] += 100

    monkeypatch.setattr("xortune.studies.resuming.Clock", lambda: Clock(lambda: now[0]))
    monkeypatch.setattr("xortune.report.tabulate", tabulate)
    last = xortune.resume(folder, trials=9, runner="inline").runs()[-1]
    assert (last.wall, last.writing) == (100, 100)


def test_an_interrupted_run_is_kept(tmp_path):
    def interrupt(progress):
        if progress.done == 2:
            raise Interrupted(2)

    with pytest.raises(Interrupted):
        search(tmp_path, pack_size=2, on_progress=interrupt)
    (run,) = xortune.load(tmp_path / "one").runs()
    assert run.training > 0


def test_no_run_leaves_no_time(tmp_path):
    assert summarise_time([]) == {}
    summary = {"trials": 0, "states": {}, "solved": 0, "best": {}, "time": {}}
    assert summary_lines("one", summary, 0) == ["study one: 0 trials (none yet)"]
    assert set(NAMES) == {field.name for field in fields(RunTime)} - {"workers"}


def test_times_are_said_in_one_line():
    summary = {"trials": 0, "states": {}, "solved": 0, "best": {}}
    for run, line in (
        (RUN, "time 8.0s: start 1.0s, ask 2.0s, train 6.5s, queue 0.2s, write 0.5s, idle 0.1s"),
        (
            RunTime(1e6, 9.94, 9.96, 999.4, 2, 999.6, 6e4, 0.04),
            "time 278h: start 9.9s, ask 10s, train 17m, queue 17h, write 999s, idle 0.0s",
        ),
    ):
        lines = summary_lines("one", {**summary, "time": summarise_time([run])}, 0)
        assert lines[1:] == [line]


def test_the_report_has_the_line_and_json_the_seconds(tmp_path, capsys):
    study = search(tmp_path)
    folder = str(study.paths.folder)
    assert main(["report", folder]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("time ")]
    assert len(line) <= 80
    assert line in summary_lines("one", study.summary(), study.settings.trials)
    assert main(["report", folder, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["summary"]["time"] == study.summary()["time"]
    for name in ("csv", "markdown"):
        assert main(["report", folder, "--format", name]) == 0
        assert "time " not in capsys.readouterr().out
