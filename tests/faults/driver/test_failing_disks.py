"""A disk that is full or gone in mid-run: one message, nothing finished is lost, resume goes on."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

import xortune
from tests.faults.driver.whole_study import check_whole
from xortune.errors import XortuneError

HOW_TO_RESUME = "stopped; what was finished is kept. Resume with: python -m xortune resume "


def complaint(ended) -> str:
    """The one message that a failed command prints; below it at most how to resume."""
    assert ended.code == 1, ended.text
    line, *rest = ended.text.splitlines()
    assert len(rest) <= 1
    assert all(HOW_TO_RESUME in last for last in rest)
    return line


def check_resumed(forks, results: Path, undisturbed) -> None:
    ended = forks("failing_disk", "resume", str(results))
    assert ended == (0, "")
    check_whole(results / "one", undisturbed[0])


@contextmanager
def small_disk(folder: Path, pages: int):
    """A file system with room for so many pages of 4096 bytes; skips where none may be mounted."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={4096 * pages}", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def enlarge(folder: Path) -> None:
    command = ["mount", "-o", "remount,size=16M", str(folder)]
    subprocess.run(command, check=True, capture_output=True)


def fill(forks, undisturbed, disk: Path, pages: int) -> str:
    """A search on a disk of so many pages, then room, and a resume; says what was full."""
    with small_disk(disk, pages):
        ended = forks("failing_disk", "search", str(disk))
        if ended == (0, ""):
            check_whole(disk / "one", undisturbed[0])
            return "nothing"
        line = complaint(ended)
        assert "ree space" in line
        assert str(disk / "one") in line
        if "could not be created" in line:
            assert "Nothing was left behind." in line
            assert list(disk.iterdir()) == []
            return "creation"
        assert list(disk.rglob("*.partial")) == []
        enlarge(disk)
        check_resumed(forks, disk, undisturbed)
        return next(name for name in ("study.db", "tensorboard", "trials.") if name in line)


def test_a_full_disk(forks, undisturbed, tmp_path):
    full = {fill(forks, undisturbed, tmp_path / str(n), n) for n in (2, 12, 20)}
    assert "creation" in full
    assert len(full) > 1


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_disk_of_every_size(forks, undisturbed, tmp_path):
    full = []
    while "nothing" not in full[-1:]:
        full.append(fill(forks, undisturbed, tmp_path / str(len(full)), len(full) + 1))
    assert {"creation", "study.db", "trials.", "nothing"} <= set(full)


@pytest.mark.parametrize("largest", [4096, 8192])
def test_a_file_that_may_not_grow(forks, tmp_path, largest):
    results = tmp_path / "new" / "results"
    line = complaint(forks("failing_disk", "search", str(results), largest))
    assert f"{results / 'one' / 'study.db'} could not be created" in line
    assert "Nothing was left behind. Free space, or choose another --results." in line
    assert list(tmp_path.iterdir()) == []


def places(names: list[str]) -> dict[str, int]:
    """The first boundary of each kind after the first run has its folder."""
    first = names.index("before a run's folder")
    later = {name: at for at, name in reversed(list(enumerate(names))) if at > first}
    assert later.keys() >= {"before a run's folder", "half of a file in one"}
    return later


def disturb(forks, undisturbed, results: Path, at: int, fault: str) -> str:
    """A search under which its folder fails at a boundary, and the resume when it is back."""
    results.mkdir()
    folder, away = results / "one", results / "away"
    ended = forks("failing_disk", "search_and_fail", str(results), at, fault)
    if ended.code == 0:
        return ""
    line = complaint(ended)
    assert str(folder) in line
    assert "resume the study" in line
    if fault in ("moved", "another one there"):
        if fault == "moved":
            assert not folder.exists(), line
        shutil.rmtree(folder, ignore_errors=True)
        away.rename(folder)
    elif fault in ("unwritable", "runs unwritable"):
        folder.chmod(0o755)
        if (folder / "tensorboard").exists():
            (folder / "tensorboard").chmod(0o755)
    elif fault == "removed":
        assert not folder.exists(), line
        return line
    else:
        return line
    check_resumed(forks, results, undisturbed)
    return line


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("moved", "before a transaction"),
        ("moved", "before a run's folder"),
        ("moved", "half of a file in one"),
        ("another one there", "after a transaction"),
        ("unwritable", "before a transaction"),
        ("unwritable", "half of a file in one"),
        ("full", "before a transaction"),
        ("full", "in a transaction"),
        ("full", "before a run's folder"),
        ("full", "half of a file in one"),
    ],
)
def test_a_disk_that_fails_in_mid_run(forks, undisturbed, tmp_path, fault, kind):
    at = places(undisturbed[1])[kind]
    assert disturb(forks, undisturbed, tmp_path / "results", at, fault)


def test_a_folder_that_is_removed_in_mid_run(forks, undisturbed, tmp_path):
    at = places(undisturbed[1])["before a run's folder"]
    line = disturb(forks, undisturbed, tmp_path / "1", at, "removed")
    assert "Was its folder moved or removed? Put it back, then resume the study." in line
    line = disturb(forks, undisturbed, tmp_path / "2", at, "ledger removed")
    assert "study.db was removed, moved or replaced during the search" in line


def test_runs_that_cannot_be_written(forks, undisturbed, tmp_path):
    at = places(undisturbed[1])["before a run's folder"]
    line = disturb(forks, undisturbed, tmp_path / "results", at, "runs unwritable")
    assert "tensorboard/trial-0000" in line
    assert "could not be written: Permission denied. Free space or restore access" in line


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("fault", ["moved", "another one there", "unwritable", "removed", "full"])
def test_a_disk_that_fails_at_every_boundary(forks, undisturbed, tmp_path, fault):
    names = undisturbed[1]
    last = len(names) - names[::-1].index("before a commit")  # of the last transaction
    for at in range(names.index("after a transaction"), last):
        line = disturb(forks, undisturbed, tmp_path / str(at), at, fault)
        assert line, names[at]
        shutil.rmtree(tmp_path / str(at))


def test_what_failed_first_is_said(tmp_path, monkeypatch):
    """The tables cannot be written either then."""

    def fail(progress):
        if progress.done:
            shutil.rmtree(tmp_path / "one")
            raise XortuneError("the first")

    with pytest.raises(XortuneError, match="the first"):
        xortune.search(
            "smoke", trials=2, runner="inline", name="one", results=tmp_path, on_progress=fail
        )
    assert list(tmp_path.iterdir()) == []
