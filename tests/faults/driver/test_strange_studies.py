"""A study folder from a stranger: nothing in it is trusted, nothing outside it is touched."""

from __future__ import annotations

import os
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.driver.forgery import forge
from tests.faults.driver.whole_study import check_whole
from tests.ledger.forged import BOMB, DEEP, SPECS, VALUES, alter, alter_spec, assigned, measured
from xortune.cli import main


def curve(*points: tuple[int, float, float]) -> bytes:
    columns = [value for column in zip(*points) for value in column]
    return struct.pack(f"<{len(points)}q{2 * len(points)}d", *columns)


def call(capsys, *argv: object) -> tuple[int | str | None, str]:
    capsys.readouterr()
    code: int | str | None = main([str(word) for word in argv])
    err = capsys.readouterr().err
    assert "Traceback" not in err
    return code, err


def refused(capsys, folder: Path, *argv: object, code: int = 2, name: str = "study.db") -> str:
    """The message of a command that refuses a study; short, and of one line."""
    found, err = call(capsys, *argv)
    assert found == code, err
    assert len(err.splitlines()) == 1
    assert len(err) < 800
    assert str(folder / name) in err
    return err


def check_refused(capsys, folder: Path) -> None:
    before = (folder / "study.db").read_bytes()
    for argv in (
        ["report", folder, "--format", "csv"],
        ["report", folder],
        ["resume", folder, "--runner", "inline", "--trials", "9"],
    ):
        refused(capsys, folder, *argv)
    assert (folder / "study.db").read_bytes() == before


@pytest.mark.parametrize(("column", "value"), VALUES, ids=lambda value: repr(value)[:60])
def test_a_value_that_no_trial_has(a_copy, capsys, column, value):
    alter(a_copy, column, value)
    check_refused(capsys, a_copy)


@pytest.mark.parametrize(("column", "value"), [("parameters", assigned()), ("metrics", measured())])
def test_a_value_that_a_trial_may_have(a_copy, capsys, column, value):
    """What the other values are changes of is not refused itself."""
    alter(a_copy, column, value)
    assert call(capsys, "report", a_copy) == (0, "")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sampler_version", "0"),
        ("sampler_version", "1.5"),
        ("sampler_version", '"2"'),
        ("sampler_version", "1" + "0" * 400),
        ("trials", "0"),
        ("trials", '"8"'),
        ("trials", "1e999"),
        ("trials", "1" + "0" * 400),
        ("trials", "1" + "0" * 5000),
        ("trials", "{"),
        ("trials", "\x00"),
        ("space", "5"),
        ("space", '{"lr": 5}'),
        ("space", BOMB),
        ("space", f'{{"lr": {{"values": {DEEP}}}}}'),
        ("space", "NaN"),
        ("device", '"tpu"'),
        ("device", "{}"),
        ("engine", "[1]"),
        ("engine", "null"),
        ("versions", "[]"),
        ("reference", '{"cpu": 1}'),
        ("forced", "1"),
        ("data", "7"),
        ("spec", "{}"),
        ("spec", "[]"),
        ("spec", BOMB),
        ("sampler", '"\\u001b[2J"'),
        ("log_every", "-1"),
        ("generation", "true"),
    ],
    ids=lambda value: value[:20],
)
def test_a_setting_that_is_not_valid(a_copy, capsys, key, value):
    forge(a_copy, ("UPDATE setting SET value = ? WHERE key = ?", [value, key]))
    check_refused(capsys, a_copy)


def test_settings_without_end(a_copy, capsys):
    forge(
        a_copy,
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
        " INSERT INTO setting SELECT printf('a%06d', i), '1' FROM n",
    )
    check_refused(capsys, a_copy)


@pytest.mark.parametrize(("part", "value"), SPECS, ids=lambda value: repr(value)[:30])
def test_a_spec_that_is_not_valid(a_copy, capsys, part, value):
    alter_spec(a_copy, part, value)
    check_refused(capsys, a_copy)


@pytest.mark.parametrize(
    "points",
    [
        b"odd",
        curve((0, 1.0, 1.0), (0, 1.0, 1.0)),
        curve((5, 1.0, 1.0), (0, 1.0, 1.0)),
        curve((-5, 1.0, 1.0)),
        "text",
    ],
)
def test_a_curve_that_is_malformed(a_copy, capsys, points):
    forge(a_copy, ("UPDATE curve SET points = ? WHERE number = 3", [points]))
    for path in (a_copy / "tensorboard" / "trial-00003").iterdir():
        path.unlink()
    refused(capsys, a_copy, "resume", a_copy, "--runner", "inline")


@pytest.mark.parametrize(
    ("column", "value"),
    [("wall", -1.0), ("wall", "x"), ("idle", float("inf")), ("workers", 1.5), ("queue", None)],
)
def test_a_run_that_is_not_valid(a_copy, capsys, column, value):
    forge(a_copy, (f"UPDATE run SET {column} = ?", [value]))
    refused(capsys, a_copy, "report", a_copy)
    refused(capsys, a_copy, "report", a_copy, "--format", "json")


RECURSIVE = (
    "CREATE VIEW trial AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n)"
    " SELECT i AS number FROM n"
)


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE other (a, b AS (zeroblob(100000000)))"],
        ["CREATE TABLE other (a, b AS (zeroblob(100000000)) STORED)"],
        ["CREATE UNIQUE INDEX other ON trial (state, number)"],
        ["CREATE UNIQUE INDEX other ON setting (value, key)"],
        ["CREATE INDEX other ON trial (hex(zeroblob(generation)))"],
        ["CREATE INDEX other ON trial (state) WHERE zeroblob(generation) > ''"],
        ["CREATE TABLE other (a)", "CREATE TRIGGER t AFTER INSERT ON other BEGIN SELECT 1; END"],
        [
            "CREATE TRIGGER other AFTER UPDATE ON seal BEGIN DELETE FROM trial; END",
            "PRAGMA writable_schema = ON",
            "UPDATE sqlite_master SET type = 'table' WHERE name = 'other'",
        ],
        [
            "CREATE TRIGGER other AFTER UPDATE ON seal BEGIN DELETE FROM trial; END",
            "PRAGMA writable_schema = ON",
            "UPDATE sqlite_master SET type = 'view', sql = replace(sql, 'CREATE ', 'CREATE/**/ ')"
            " WHERE name = 'other'",
        ],
        [
            "CREATE TABLE other (a, b AS (zeroblob(100000000)))",
            "CREATE TABLE plain (a)",
            "PRAGMA writable_schema = ON",
            "DELETE FROM sqlite_master WHERE name = 'plain'",
            "UPDATE sqlite_master SET name = 'plain' WHERE name = 'other'",
        ],
        [
            "CREATE INDEX other ON trial (generation + 1)",
            "PRAGMA writable_schema = ON",
            "UPDATE sqlite_master SET tbl_name = 'other' WHERE name = 'other'",
        ],
        [
            "PRAGMA writable_schema = ON",
            "INSERT INTO sqlite_master SELECT 'view', 'trial', 'trial', 0,"
            " 'CREATE VIEW trial AS SELECT 1'",
        ],
        [
            "PRAGMA writable_schema = ON",
            "INSERT INTO sqlite_master SELECT 'table', x'ff', 'x', 0, 'CREATE TABLE x (a)'",
        ],
        ["BEGIN", *(f"CREATE TABLE other_{number} (a)" for number in range(1001)), "COMMIT"],
        ["CREATE TRIGGER other AFTER UPDATE ON seal BEGIN DELETE FROM trial; END"],
        ["DROP TABLE trial", RECURSIVE],
        ["ALTER TABLE trial ADD COLUMN more"],
        ["ALTER TABLE trial ADD COLUMN more AS (zeroblob(100000000))"],
        ["DROP TABLE run"],
        ["ALTER TABLE run RENAME TO runs"],
        ["CREATE VIRTUAL TABLE other USING fts5(a)"],
    ],
    ids=lambda statements: statements[-1][:30],
)
def test_tables_that_are_not_ours(a_copy, capsys, statements):
    with closing(sqlite3.connect(a_copy / "study.db", isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    check_refused(capsys, a_copy)


def test_a_schema_without_end(a_copy, capsys):
    """Pages that refer to one page again and again: reading them all would take years."""
    ledger = a_copy / "study.db"
    header = bytearray(ledger.read_bytes()[:100])
    levels, fan = 6, 400
    header[28:32] = struct.pack(">I", levels + 1)
    pages = [interior_page(level + 2, fan, 100 if level == 0 else 0) for level in range(levels)]
    pages[0] = bytes(header) + pages[0][100:]
    ledger.write_bytes(b"".join(pages) + schema_leaf())
    check_refused(capsys, a_copy)


def interior_page(child: int, fan: int, start: int) -> bytes:
    """A page of a table's tree, all of whose entries lead to one page."""
    cell = struct.pack(">IB", child, 1)
    first = 4096 - fan * len(cell)
    head = struct.pack(">BHHHBI", 5, 0, fan, first, 0, child)
    pointers = b"".join(struct.pack(">H", first + 5 * at) for at in range(fan))
    return (b"\0" * start + head + pointers).ljust(first, b"\0") + cell * fan


def schema_leaf() -> bytes:
    """A page with one row of the schema that SQLite reads over: an index of its own."""
    texts = [b"index", b"sqlite_autoindex_trial_1", b"trial"]
    kinds = bytes([6, *(13 + 2 * len(text) for text in texts), 1, 0])
    record = kinds + b"".join(texts) + b"\x02"
    cell = bytes([len(record), 1]) + record
    first = 4096 - len(cell)
    head = struct.pack(">BHHHBH", 13, 0, 1, first, 0, first)
    return head.ljust(first, b"\0") + cell


@pytest.fixture
def outside(tmp_path) -> Path:
    """Somebody else's folder, with a file in it and one that looks like a run's."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "precious").write_text("precious")
    (folder / "events.out.tfevents.1.host").write_text("precious")
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*")}


LINKS = ["study.db", ".lock", ".driver", ".partial", "trials.csv", "trials.parquet"]
LINKS += ["study.db-journal", "tensorboard", "tensorboard/trial-00003"]
FOLDERS = [name for name in LINKS if name.startswith("tensorboard")]


@pytest.mark.parametrize("name", LINKS)
def test_nothing_is_written_through_a_link(a_copy, undisturbed, outside, capsys, name):
    link = a_copy / name
    if link.is_dir():
        link.rename(link.with_name("aside"))
    elif name == "study.db":
        link.rename(outside / "database")
    target = {"study.db": "database"}.get(name, "precious")
    link.unlink(missing_ok=True)
    link.symlink_to(outside if name in FOLDERS else outside / target)
    before = {p: p.read_bytes() for p in outside.iterdir()}
    code, err = call(capsys, "resume", a_copy, "--runner", "inline", "--trials", "8", "--quiet")
    assert {p: p.read_bytes() for p in outside.iterdir()} == before
    if name in (".driver", ".partial", "trials.csv", "trials.parquet"):
        assert code == 0, err
        check_whole(a_copy, undisturbed[0])
    else:
        assert code in (1, 2)
        assert f"{link} is a link" in err
        assert "resume the study" in err or "or remove it" in err


@pytest.mark.parametrize("name", [".partial", "tensorboard/trial-00003/.partial"])
def test_a_second_name_of_a_file_outside_is_left_alone(a_copy, undisturbed, outside, capsys, name):
    (event_file,) = (a_copy / "tensorboard" / "trial-00003").iterdir()
    event_file.unlink()
    (a_copy / name).hardlink_to(outside / "precious")
    assert call(capsys, "resume", a_copy, "--runner", "inline", "--quiet") == (0, "")
    assert (outside / "precious").read_text() == "precious"
    check_whole(a_copy, undisturbed[0])


def test_a_journal_deletes_no_other_file(a_copy, outside, capsys):
    """SQLite removes the super-journal that a hot journal names, whatever it is."""
    hot = hot_journal(a_copy)
    victim = str(outside / "precious").encode()
    checksum = sum(byte - 256 if byte > 127 else byte for byte in victim)
    page_of_lock_byte = 2**30 // 4096 + 1
    trailer = struct.pack(">I", page_of_lock_byte) + victim
    trailer += struct.pack(">II", len(victim), checksum) + bytes.fromhex("d9d505f920a163d7")
    (a_copy / "study.db-journal").write_bytes(hot + trailer)
    for argv in (["report", a_copy], ["resume", a_copy, "--runner", "inline"]):
        refused(capsys, a_copy, *argv, name="study.db-journal")
    assert (outside / "precious").exists()
    with closing(sqlite3.connect(a_copy / "study.db")) as connection:
        connection.execute("SELECT * FROM seal").fetchone()
    assert not (outside / "precious").exists(), "the attack is none: this test shows nothing"


def hot_journal(folder: Path) -> bytes:
    """The journal of a transaction that is not over."""
    with closing(sqlite3.connect(folder / "study.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE trial SET error = printf('%.*c', 20000, 'x')")
        journal = (folder / "study.db-journal").read_bytes()
        connection.execute("ROLLBACK")
    return journal


@pytest.mark.parametrize("ending", ["-wal", "-shm"])
def test_a_log_beside_the_ledger_is_not_read(a_copy, capsys, ending):
    (a_copy / f"study.db{ending}").write_bytes(b"\0" * 4096)
    for argv in (["report", a_copy], ["resume", a_copy, "--runner", "inline"]):
        err = refused(capsys, a_copy, *argv, name=f"study.db{ending}")
        assert "Remove it, or restore the study from a copy." in err


@pytest.mark.parametrize("name", ["study.db", ".lock", ".driver", "study.db-journal"])
def test_a_pipe_does_not_hold_a_command_up(a_copy, capsys, name):
    (a_copy / name).unlink(missing_ok=True)
    os.mkfifo(a_copy / name)
    code, err = call(capsys, "resume", a_copy, "--runner", "inline", "--quiet")
    if name == ".driver":
        assert (code, err) == (0, "")
    else:
        assert code == 2
        assert str(a_copy) in err
