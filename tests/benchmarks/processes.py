"""Commands, timed and watched from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.benchmarks.core import ROOT, Action, Skipped
from tests.small_study import worker_pids

# Between two commands: Ray's daemons outlive the process that started them for a moment.
REST_S = 2.0
_PYTHON = (sys.executable,)
_GLANCE_S = 0.05


class Failed(Exception):
    """A command that failed."""


def run(*arguments: str) -> str:
    """Runs `python ...` to its end, and returns what it printed.

    Raises:
        Failed: its exit code was not 0.
    """
    command = [*_PYTHON, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    _check(command, done.returncode, done.stderr)
    return done.stdout


def module(*arguments: str) -> Action:
    """An action that runs `python -m ...`."""
    return lambda: run("-m", *arguments)


def search(scratch: str, trials: int, *options: str) -> Action:
    """An action that runs a quiet `python -m xortune search`, every time in a fresh folder."""
    return lambda: run(*_search(scratch, trials, *options))


def warm_up() -> None:
    """Brings what every search reads from the disk into memory, once."""
    _warm_up()


def search_watching_memory(scratch: str, trials: int, *options: str) -> tuple[float, float]:
    """Runs a search, and returns its seconds and the driver's peak of resident memory in GB.

    The peak is the kernel's own, for the driver's process alone, without Ray's daemons and
    workers: `VmHWM`. What `wait4` returns would do as well, had it not also counted the
    process that the driver was forked from.

    Raises:
        Skipped: the system has no /proc.
    """
    if not Path("/proc/self/status").exists():
        raise Skipped("needs /proc, to watch the memory of a process")
    peak = 0.0

    def look(driver: int) -> None:
        nonlocal peak
        peak = max(peak, _peak_gb(driver))

    taken = _watched([*_PYTHON, *_search(scratch, trials, *options)], look)
    return taken, peak


@dataclass
class PrivateMemory:
    """Resident memory without what is shared with other processes, in bytes.

    Attributes:
        driver: its highest.
        training: of the driver, its highest once the study is there, the data having been read.
        workers: the highest of each worker, by its process.
    """

    driver: int = 0
    training: int = 0
    workers: dict[int, int] = field(default_factory=dict)


def private_memory(scratch: str, trials: int, *options: str) -> PrivateMemory:
    """Runs a search, and returns the private memory of the driver and of Ray's workers.

    Shared memory, such as Ray's object store, and files such as libraries are left out.

    Raises:
        Skipped: the system has no /proc.
    """
    if not Path("/proc/self/statm").exists():
        raise Skipped("needs /proc, to watch the memory of a process")
    seen = PrivateMemory()
    command = [*_PYTHON, *_search(scratch, trials, *options)]
    results = Path(command[-1])

    def look(driver: int) -> None:
        now = _private_bytes(driver)
        seen.driver = max(seen.driver, now)
        if any(results.glob("*/study.db")):
            seen.training = max(seen.training, now)
        for pid in worker_pids():
            seen.workers[pid] = max(seen.workers.get(pid, 0), _private_bytes(pid))

    _watched(command, look)
    return seen


def _watched(command: Sequence[str], look: Callable[[int], None]) -> float:
    """Runs a command, calling `look` with its process all the while; returns its seconds."""
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, cwd=ROOT)
        while process.poll() is None:
            look(process.pid)
            time.sleep(_GLANCE_S)
        taken = time.perf_counter() - started
        errors.seek(0)
        _check(command, process.returncode, errors.read())
    return taken


def _search(scratch: str, trials: int, *options: str) -> list[str]:
    results = tempfile.mkdtemp(dir=scratch)
    chosen = ["--trials", str(trials), *options, "--confirm", "none", "--quiet"]
    return ["-m", "xortune", "search", *chosen, "--results", results]


@cache
def _warm_up() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        search(scratch, 10)()
    run("-m", "tests.benchmarks.floor")


def _peak_gb(pid: int) -> float:
    """Of a process that may just have ended: 0 then."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return max(
        (int(line.split()[1]) / 1e6 for line in lines if line.startswith("VmHWM")), default=0
    )


def _private_bytes(pid: int) -> int:
    """Of a process that may just have ended: 0 then."""
    try:
        _, resident, shared, *_ = map(int, Path(f"/proc/{pid}/statm").read_text().split())
    except OSError:
        return 0
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")


def _check(command: Sequence[str], code: int, errors: str) -> None:
    if code:
        tail = "\n".join(errors.strip().splitlines()[-10:])
        raise Failed(f"{' '.join(command)} exited with {code}:\n{tail}")
