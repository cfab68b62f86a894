"""Other programs that look at study.db: what they leave there, and the locks they hold."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import optuna
import pytest

import xortune
from tests.faults.driver.whole_study import check_whole
from xortune.cli import main
from xortune.errors import Interrupted, UsageError, XortuneError
from xortune.ledger import Ledger, opening, waiting
from xortune.ledger.schema import TABLES
from xortune.paths import StudyPaths

READ = """
import sqlite3, sys

connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute(sys.argv[2])
connection.execute("SELECT * FROM seal").fetchall()
print("reading", flush=True)
sys.stdin.read()
"""
LEAVE_A_LOG = """
import os, sqlite3, sys

connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("CREATE TABLE other (a)")
os.kill(os.getpid(), 9)
"""
SETTINGS = {"trials": 8, "generation": 4, "runner": "inline"}


def edit(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "study.db", isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def call(capsys, *argv: object) -> tuple[int, str, str]:
    capsys.readouterr()
    return (main([str(word) for word in argv]), *capsys.readouterr())


def objects(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / "study.db")) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


def mode(folder: Path) -> bytes:
    return (folder / "study.db").read_bytes()[18:20]


def check_used(capsys, folder: Path, undisturbed, *others: str) -> None:
    """The study is read and resumed as if nothing else were in its file; the rest stays."""
    expected = (folder / "trials.csv").read_text()
    assert call(capsys, "report", folder, "--format", "csv") == (0, expected, "")
    assert call(capsys, "resume", folder, "--runner=inline", "--quiet") == (0, "", "")
    check_whole(folder, undisturbed[0])
    grown = call(capsys, "resume", folder, "--runner=inline", "--quiet", "--trials=9")
    assert grown == (0, "", "")
    assert len(xortune.load(folder).trials) == 9
    assert objects(folder) >= {*TABLES, *others}


def lying_index() -> list[str]:
    """An index that has no entry for any row of the table that it is on."""
    return [
        "CREATE TABLE empty (key, value)",
        "CREATE INDEX lying ON empty (key, value)",
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET tbl_name = 'setting',"
        " sql = 'CREATE INDEX lying ON setting (key, value)' WHERE name = 'lying'",
    ]


@pytest.mark.parametrize(
    ("statements", "name"),
    [
        (["ANALYZE"], "sqlite_stat1"),
        (["CREATE VIEW other AS SELECT * FROM trial"], "other"),
        (["CREATE VIEW pragma_index_list AS SELECT 1"], "pragma_index_list"),
        (["CREATE TABLE other (a INTEGER PRIMARY KEY AUTOINCREMENT, b UNIQUE)"], "other"),
        (["CREATE TABLE [an other] (a)", "CREATE UNIQUE INDEX u ON [an other] (a)"], "an other"),
        (["CREATE INDEX other ON trial (worker DESC, state COLLATE NOCASE)"], "other"),
        (["CREATE INDEX other ON curve (points)", "CREATE INDEX more ON run (wall)"], "more"),
        (["CREATE TABLE other (a REFERENCES trial ON DELETE CASCADE)"], "other"),
        (
            ["CREATE TABLE other (a CHECK (a > 0))", "PRAGMA ignore_check_constraints = ON",
             "INSERT INTO other VALUES (-1)"],
            "other",
        ),
        (
            ["ANALYZE", "CREATE INDEX other ON setting (value, key)",
             "INSERT INTO sqlite_stat1 VALUES ('setting', 'other', '1 1 1'),"
             " ('trial', NULL, '99999999999999999999'), ('seal', 'x', x'ff'), (NULL, 7, 'sz=-1')"],
            "other",
        ),
        (lying_index(), "lying"),
    ],
    ids=lambda value: value[0][:40] if isinstance(value, list) else value,
)  # fmt: skip
def test_what_others_add_is_left_alone(a_copy, capsys, undisturbed, statements, name):
    edit(a_copy, *statements)
    check_used(capsys, a_copy, undisturbed, name)


def test_optuna_may_add_its_tables(a_copy, capsys, undisturbed):
    with pytest.raises(KeyError):
        optuna.load_study(study_name="one", storage=f"sqlite:///{a_copy / 'study.db'}")
    assert "alembic_version" in objects(a_copy)
    check_used(capsys, a_copy, undisturbed, "alembic_version", "trials")


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (
            ["CREATE TRIGGER other AFTER UPDATE ON seal BEGIN DELETE FROM trial; END"],
            "holds a trigger that is not xortune's, other: it changes the study as trials are "
            "written. Remove it: sqlite3 {ledger} 'DROP TRIGGER other'",
        ),
        (
            ["CREATE UNIQUE INDEX other ON trial (number, worker)"],
            "holds a unique index that is not xortune's, other: it restricts or computes what is "
            "written to table trial. Remove it: sqlite3 {ledger} 'DROP INDEX other'",
        ),
        (
            ["CREATE INDEX other ON trial (state) WHERE duration_s > 0"],
            "Remove it: sqlite3 {ledger} 'DROP INDEX other'",
        ),
        (
            ["CREATE INDEX other ON trial (duration_s + 1)"],
            "Remove it: sqlite3 {ledger} 'DROP INDEX other'",
        ),
        (
            ["CREATE TABLE other (a, b AS (a || a))"],
            "Remove it: sqlite3 {ledger} 'DROP TABLE other'",
        ),
        (
            ["CREATE VIRTUAL TABLE other USING fts5(a)"],
            "Remove it: sqlite3 {ledger} 'DROP TABLE other'",
        ),
    ],
    ids=lambda value: value[0][:40] if isinstance(value, list) else "",
)
def test_what_is_refused_can_be_removed_as_it_says(
    a_copy, capsys, undisturbed, statements, message
):
    edit(a_copy, *statements)
    for argv in (["report", a_copy], ["resume", a_copy, "--runner=inline"]):
        code, _, err = call(capsys, *argv)
        assert code == 2
        assert message.format(ledger=a_copy / "study.db") in err
        assert "damaged" not in err
    edit(a_copy, err.rpartition("'DROP")[2].join(["DROP", ""]).rstrip("'\n"))
    check_used(capsys, a_copy, undisturbed)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "ALTER TABLE trial ADD COLUMN more",
            "has a table trial that is not as xortune created it",
        ),
        ("ALTER TABLE run RENAME TO runs", "has no table run: another program removed or renamed"),
        ("DROP TABLE curve", "has no table curve: another program removed or renamed it"),
    ],
)
def test_a_change_of_a_table_of_ours_is_said_to_be_one(a_copy, capsys, statement, words):
    edit(a_copy, statement)
    code, _, err = call(capsys, "report", a_copy)
    assert (code, words in err, "damaged" in err) == (2, True, False)


def test_a_name_that_steers_is_not_part_of_the_remedy(a_copy, capsys):
    edit(a_copy, 'CREATE TRIGGER "a\'; \x1b[2J" AFTER UPDATE ON seal BEGIN SELECT 1; END')
    code, _, err = call(capsys, "report", a_copy)
    assert code == 2
    assert "Remove it with SQLite's DROP TRIGGER." in err
    assert "\x1b" not in err


@contextmanager
def reader(folder: Path, begin: str = "BEGIN") -> Iterator[subprocess.Popen[str]]:
    """Another process that reads the ledger until it is killed."""
    command = [sys.executable, "-c", READ, str(folder / "study.db"), begin]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "reading\n"
            yield child
        finally:
            child.kill()


@contextmanager
def at_a_warning(act: Callable[[str], object]) -> Iterator[None]:
    """While entered, every warning of xortune's is handed to a function as it is made."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            act(record.getMessage())

    handler = Handler()
    logging.getLogger("xortune").addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger("xortune").removeHandler(handler)


@pytest.fixture
def impatient(monkeypatch) -> None:
    """A wait is explained at once."""
    monkeypatch.setattr(waiting, "_SILENT_S", 0.0)


def grow(folder: Path, **settings) -> xortune.Study:
    return xortune.resume(folder, trials=12, runner="inline", **settings)


def test_a_search_waits_for_a_reader_and_names_it(a_copy, impatient):
    said = []
    with reader(a_copy) as child:

        def release(message: str) -> None:
            said.append(message)
            child.kill()
            child.wait()

        with at_a_warning(release):
            study = grow(a_copy)
    assert len(said) == 1
    assert f"{a_copy / 'study.db'} has been locked for " in said[0]
    assert f"(process {child.pid})" in said[0]
    assert len(study.trials) == 12
    assert "WAITING" not in set(study.trials["state"])


def test_a_report_waits_for_a_writer(a_copy, capsys, impatient):
    with reader(a_copy, "BEGIN EXCLUSIVE") as child:

        def release(message: str) -> None:
            child.kill()
            child.wait()

        with at_a_warning(release):
            assert call(capsys, "report", a_copy)[0] == 0
        assert child.returncode == -signal.SIGKILL


def test_ctrl_c_ends_the_wait(a_copy, capsys, impatient):
    before = xortune.load(a_copy).trials
    with (
        reader(a_copy),
        at_a_warning(lambda _: os.kill(os.getpid(), signal.SIGINT)),
        pytest.raises(Interrupted) as caught,
    ):
        grow(a_copy)
    assert caught.value.folder == a_copy
    assert f"xortune.resume({str(a_copy)!r})" in str(caught.value)
    assert xortune.load(a_copy).trials.equals(before)
    with reader(a_copy), at_a_warning(lambda _: os.kill(os.getpid(), signal.SIGINT)):
        assert call(capsys, "resume", a_copy, "--runner=inline", "--trials=12")[0] == 130
    grow(a_copy)


def test_a_trigger_that_comes_meanwhile_ends_the_search_before_it_acts(tmp_path):
    edits = ["CREATE TRIGGER other AFTER UPDATE ON trial BEGIN DELETE FROM curve; END"]

    def add(progress) -> None:
        if progress.done and edits:
            edit(tmp_path / "x", edits.pop())

    with pytest.raises(XortuneError, match="the search cannot write: .*DROP TRIGGER") as caught:
        xortune.search("smoke", name="x", results=tmp_path, on_progress=add, **SETTINGS)
    assert not isinstance(caught.value, UsageError)
    edit(tmp_path / "x", "DROP TRIGGER other")
    resumed = xortune.resume(tmp_path / "x", runner="inline")
    assert all(len(resumed.curves(number)) for number in resumed.trials["number"])


def test_a_table_that_comes_meanwhile_disturbs_nothing(tmp_path):
    edits = ["CREATE TABLE other (a)", "ANALYZE", "CREATE INDEX more ON trial (parameters)"]

    def add(progress) -> None:
        while progress.done and edits:
            edit(tmp_path / "x", edits.pop())

    study = xortune.search("smoke", name="x", results=tmp_path, on_progress=add, **SETTINGS)
    assert len(study.trials) == 8
    assert objects(tmp_path / "x") >= {"other", "more", "sqlite_stat1"}


def test_a_study_in_wal_mode_is_read_and_brought_back(a_copy, capsys, undisturbed):
    edit(a_copy, "PRAGMA journal_mode = WAL")
    assert mode(a_copy) == b"\2\2"
    expected = (a_copy / "trials.csv").read_text()
    assert call(capsys, "report", a_copy, "--format", "csv") == (0, expected, "")
    check_used(capsys, a_copy, undisturbed)
    assert mode(a_copy) == b"\1\1"


def test_what_stands_in_a_log_alone_counts(a_copy, capsys, undisturbed):
    killed = subprocess.run([sys.executable, "-c", LEAVE_A_LOG, str(a_copy / "study.db")])
    assert killed.returncode == -signal.SIGKILL
    assert (a_copy / "study.db-wal").stat().st_size > 0
    check_used(capsys, a_copy, undisturbed, "other")
    assert mode(a_copy) == b"\1\1"
    assert not list(a_copy.glob("study.db-*"))


def test_a_search_outlives_a_change_to_wal_mode(tmp_path):
    edits = ["PRAGMA journal_mode = WAL"]

    def change(progress) -> None:
        if progress.done and edits:
            edit(tmp_path / "x", edits.pop())
            assert mode(tmp_path / "x") == b"\2\2"

    study = xortune.search("smoke", name="x", results=tmp_path, on_progress=change, **SETTINGS)
    assert len(study.trials) == 8
    assert mode(tmp_path / "x") == b"\1\1"
    assert not list((tmp_path / "x").glob("study.db-*"))


def test_a_driver_asks_for_wal_mode_to_be_left(a_copy, capsys, monkeypatch):
    monkeypatch.setattr(opening, "_MOST_SWITCH_S", 0.0)
    edit(a_copy, "PRAGMA journal_mode = WAL")
    with reader(a_copy) as child:
        assert call(capsys, "report", a_copy)[0] == 0
        code, _, err = call(capsys, "resume", a_copy, "--runner=inline")
        assert code == 2
        assert "was put into WAL mode by another program, and " in err
        assert f"(process {child.pid}) still has it open. Close it there" in err
    assert call(capsys, "resume", a_copy, "--runner=inline", "--quiet") == (0, "", "")


def test_wal_mode_in_a_read_only_folder(a_copy, unprivileged):
    edit(a_copy, "PRAGMA journal_mode = WAL")
    a_copy.chmod(0o555)
    command = [*unprivileged, sys.executable, "-m", "xortune", "report", str(a_copy)]
    done = subprocess.run(command, capture_output=True, text=True)
    a_copy.chmod(0o755)
    assert done.returncode == 2
    assert "Another program has put it into WAL mode" in done.stderr
    assert "read a copy of the folder in a place where you may write" in done.stderr


@pytest.mark.parametrize("ending", ["-wal", "-shm"])
def test_a_link_in_place_of_the_log(a_copy, capsys, tmp_path, ending):
    edit(a_copy, "PRAGMA journal_mode = WAL")
    (tmp_path / "precious").write_text("precious")
    (a_copy / f"study.db{ending}").symlink_to(tmp_path / "precious")
    for argv in (["report", a_copy], ["resume", a_copy, "--runner=inline"]):
        code, _, err = call(capsys, *argv)
        assert code == 2
        assert f"study.db{ending} is a link" in err
    assert (tmp_path / "precious").read_text() == "precious"


def test_a_copy_of_a_study_in_wal_mode_is_one_file(a_copy, undisturbed, tmp_path):
    edit(a_copy, "PRAGMA journal_mode = WAL")
    folder = tmp_path / "copy"
    folder.mkdir()
    with Ledger.read(StudyPaths(a_copy)) as ledger:
        ledger.copy_to(folder / "study.db")
    assert [path.name for path in folder.iterdir()] == ["study.db"]
    assert mode(folder) == b"\1\1"
    assert xortune.load(folder).trials.equals(undisturbed[0].trials)
