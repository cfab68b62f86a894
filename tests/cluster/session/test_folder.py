"""The folder of a Ray: where it is, who may look into it, and what is left of it."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from xortune.cluster.session.folder import ray_folder, temporary_folder
from xortune.errors import UsageError

HOLDING = """
from xortune.cluster.session.folder import ray_folder
with ray_folder() as folder:
    print(folder, flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    for name in ("RAY_TMPDIR", "TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def short():
    """A short folder; pytest's own may be too long for a socket."""
    with tempfile.TemporaryDirectory(prefix="s-", dir="/tmp") as folder:
        yield Path(folder)


def test_a_tmpdir_that_will_do_is_taken(short, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(short))
    with ray_folder() as folder:
        assert Path(folder).parents[1] == short


@pytest.mark.parametrize("name", ["d" * 48, "\u00fc", "missing/there", "file"])
def test_a_tmpdir_that_will_not_do_is_left(short, monkeypatch, name):
    folder = short / name
    if name == "file":
        folder.touch()
    elif "/" not in name:
        folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    assert temporary_folder() == Path("/tmp")


def test_a_relative_tmpdir_is_left(monkeypatch):
    monkeypatch.setenv("TMPDIR", "here")
    assert temporary_folder() == Path("/tmp")


def test_the_variable_of_ray_comes_first(short, monkeypatch):
    monkeypatch.setenv("RAY_TMPDIR", str(short))
    monkeypatch.setenv("TMPDIR", "/var/tmp")
    assert temporary_folder() == short


def test_without_a_usable_folder_each_candidate_is_named(short, monkeypatch):
    long, odd = short / ("d" * 48), short / "\u00fc"
    monkeypatch.setattr("xortune.cluster.session.folder._ALWAYS", ("/proc",))
    monkeypatch.setenv("RAY_TMPDIR", str(long))
    monkeypatch.setenv("TMPDIR", str(odd))
    with pytest.raises(UsageError) as raised:
        temporary_folder()
    message = str(raised.value)
    assert f"RAY_TMPDIR={long} has {len(str(long))} characters, and Ray's sockets leave" in message
    assert f"TMPDIR={odd} is not ASCII" in message
    assert "/proc has 0 MB free" in message or "/proc cannot be written" in message
    assert "Set TMPDIR to a short folder with room, or train in this process" in message


def test_no_other_user_may_read_the_folder():
    with ray_folder() as folder:
        around = Path(folder).parent
        assert stat.S_IMODE(around.stat().st_mode) == 0o700
        assert around.stat().st_uid == os.getuid()


def test_the_folder_is_removed_with_the_processes_that_use_it():
    with ray_folder() as folder:
        Path(folder, "session").mkdir()
        left = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()", folder])
        other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert left.poll() is not None
    assert not Path(folder).parent.exists()
    other.communicate(b"\n")
    assert other.returncode == 0


def test_the_folder_of_a_killed_driver_is_removed_by_the_next(short, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(short))
    command = [sys.executable, "-c", HOLDING]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as killed, subprocess.Popen(command, **pipes) as alive:
        left, used = (Path(process.stdout.readline().strip()) for process in (killed, alive))
        killed.kill()
        killed.wait()
        assert left.exists()
        with ray_folder():
            assert not left.parent.exists()
            assert used.exists()
        alive.communicate("\n")
    assert list(short.iterdir()) == []
