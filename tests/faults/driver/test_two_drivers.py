"""Two drivers on one study: the second hears at once who the first is."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from tests.faults.driver.whole_study import check_whole
from xortune.cli import main

# SQLite would wait for 30 seconds.
pytestmark = pytest.mark.timeout(20)

HOLD = """
import sys
from pathlib import Path
from xortune.ledger import Ledger
from xortune.paths import StudyPaths

ledger = Ledger.open(StudyPaths(Path(sys.argv[1])))
if sys.argv[2] == "exclusive":
    ledger._file._connection.execute("PRAGMA cache_size = 1")
    with ledger._file.transaction() as connection:
        connection.execute("UPDATE trial SET error = printf('%.*c', 100000, 'x')")
        print("held", flush=True)
        sys.stdin.read()
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def driver(folder: Path, how: str) -> Iterator[subprocess.Popen[str]]:
    """Another process at work on the study; killed at the end."""
    command = [sys.executable, "-c", HOLD, str(folder), how]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "held\n"
            yield child
        finally:
            child.kill()


def resume(capsys, folder: Path) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["resume", str(folder), "--runner=inline", "--quiet"])
    return code, capsys.readouterr().err


def busy(holder: str) -> tuple[int, str]:
    return 2, (
        f"xortune: study one: another driver is at work on it, {holder}. "
        "Wait for it, or stop it first.\n"
    )


def test_a_driver_that_is_stopped_in_a_transaction_is_named(a_copy, capsys, undisturbed):
    with driver(a_copy, "exclusive") as first:
        first.send_signal(signal.SIGSTOP)
        holder = f"process {first.pid} on {socket.gethostname()}"
        assert resume(capsys, a_copy) == busy(holder)
        first.kill()
        first.wait()
        assert (a_copy / "study.db-journal").stat().st_size > 0
        assert (a_copy / ".driver").exists()
        assert resume(capsys, a_copy) == (0, "")
    check_whole(a_copy, undisturbed[0])


def test_a_study_is_reported_while_a_driver_is_at_work(a_copy, capsys):
    assert main(["report", str(a_copy), "--format", "csv"]) == 0
    before = capsys.readouterr().out
    with driver(a_copy, "idle") as first:
        first.send_signal(signal.SIGSTOP)
        assert main(["report", str(a_copy), "--format", "csv"]) == 0
    assert capsys.readouterr().out == before


@pytest.mark.long
@pytest.mark.timeout(90)
def test_a_report_does_not_wait_for_ever(a_copy, capsys):
    with driver(a_copy, "exclusive") as first:
        first.send_signal(signal.SIGSTOP)
        assert main(["report", str(a_copy)]) == 2
    err = capsys.readouterr().err
    assert f"{a_copy / 'study.db'} has been locked for longer than usual" in err
    assert "damaged" not in err


@pytest.mark.parametrize(
    "name",
    [
        None,
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 900,
        b'{"host": "x"}',
        b'{"host": "x", "pid": "y"}',
        b'{"host": "\\u001b[2J", "pid": 1}',
        json.dumps({"host": socket.gethostname(), "pid": 10**30}).encode(),
    ],
)
def test_a_driver_without_a_name_is_just_starting(a_copy, capsys, name):
    if name is not None:
        (a_copy / ".driver").write_bytes(name)
    with FileLock(a_copy / ".lock"):
        assert resume(capsys, a_copy) == busy("just starting")


def test_a_name_that_a_killed_driver_left_is_not_the_next_one_s(a_copy, capsys):
    with driver(a_copy, "idle") as first:
        first.kill()
        first.wait()
    assert json.loads((a_copy / ".driver").read_text())["pid"] == first.pid
    with FileLock(a_copy / ".lock"):
        assert resume(capsys, a_copy) == busy("just starting")


def test_a_driver_on_another_machine_is_named(a_copy, capsys):
    (a_copy / ".driver").write_text(json.dumps({"host": "elsewhere", "pid": os.getpid()}))
    with FileLock(a_copy / ".lock"):
        assert resume(capsys, a_copy) == busy(f"process {os.getpid()} on elsewhere")
