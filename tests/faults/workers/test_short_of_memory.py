"""Workers that are killed for memory: by the kernel, and by Ray's own monitor."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from xortune.cluster.control_groups import memory_kills

_SCRIPT = Path(__file__).with_name("search_short_of_memory.py")
_MOUNTS = (Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup"))
_LIMITS = ("memory.limit_in_bytes", "memory.max")
# Enough for Ray and a worker, and not for what the worker takes.
_LIMIT, _EATS = 1_500_000_000, 2_000_000_000
_COUNTING = f"""
import os, subprocess, sys
from xortune.cluster.control_groups import memory_kills

with open(sys.argv[1] + "/cgroup.procs", "w") as group:
    group.write(str(os.getpid()))
before = memory_kills()
eater = "b'x' * {_EATS}"
print(subprocess.run([sys.executable, "-c", eater]).returncode, memory_kills() - before)
"""


@pytest.fixture
def small_group():
    """A control group with little memory, where this machine lets us make one."""
    for mount in _MOUNTS:
        folder = mount / f"xortune-test-{os.getpid()}"
        with suppress(OSError):
            folder.mkdir()
            limit = next((folder / name for name in _LIMITS if (folder / name).exists()), None)
            if limit is not None:
                limit.write_text(str(_LIMIT))
                yield folder
            while (folder / "cgroup.procs").read_text():
                time.sleep(0.05)
            folder.rmdir()
            if limit is not None:
                return
    pytest.skip("no control group can be made here")


def search(tmp_path, eats, *groups, **environment):
    for name in ("plan", "results"):
        (tmp_path / name).mkdir()
    command = [sys.executable, _SCRIPT, tmp_path / "plan", tmp_path / "results", str(eats), *groups]
    environment = {**os.environ, **environment}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=110, env=environment
    )
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stdout.splitlines() if "(raylet)" not in line]
    assert said[1] == "3 errors", "that of the culprit; two diverge"
    return said[0], done.stderr


@pytest.mark.long
def test_a_kill_by_the_kernel_is_named(tmp_path, small_group):
    error, warnings = search(tmp_path, _EATS, small_group)
    words = (
        "its worker was killed by the kernel, which was out of memory; fewer workers or smaller "
        "packs need less"
    )
    assert error == f"given up after 1 tries alone: {words}"
    assert f"a worker is lost: {words}. Its pack is trained again." in warnings


@pytest.mark.long
def test_a_kill_by_ray_is_named_and_does_not_end_the_search(tmp_path):
    """Any use of memory is too much for it, whenever it looks."""
    watch = {"RAY_memory_usage_threshold": "0.001", "RAY_memory_monitor_refresh_ms": "10000"}
    error, warnings = search(tmp_path, 1_000_000, **watch)
    words = (
        "its worker was killed by Ray, whose node ran low on memory; fewer workers or smaller "
        "packs need less"
    )
    assert error == f"given up after 1 tries alone: {words}"
    assert f"a worker is lost: {words}. Its pack is trained again." in warnings


def test_the_kernel_counts_what_it_kills(small_group):
    """In a process of that group, which is not killed itself."""
    done = subprocess.run(
        [sys.executable, "-c", _COUNTING, small_group],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "-9 1\n"
    assert memory_kills() is not None
