"""CPUs that this process may use, and kills for memory: of real processes, and of real files."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from xortune.cluster.control_groups import memory_kills, usable_cpus

ASK = "from xortune.cluster.control_groups import usable_cpus; print(usable_cpus())"
HERE = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@pytest.fixture
def machine(tmp_path):
    """Lays out what a process sees of control groups; returns its folder of /proc."""

    def lay_out(groups, mounts, files):
        proc = tmp_path / "proc"
        proc.mkdir()
        (proc / "cgroup").write_text(groups)
        lines = [
            f"{30 + i} 1 0:{i} {root} {tmp_path}{mount} rw shared:4 - {kind} cgroup {flags}"
            for i, (root, mount, kind, flags) in enumerate(mounts)
        ]
        (proc / "mountinfo").write_text("\n".join(["21 1 0:4 / /proc rw - proc proc rw", *lines]))
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content)
        return proc

    return lay_out


V2 = [("/", "/cg", "cgroup2", "rw,nsdelegate")]


@pytest.mark.skipif(shutil.which("taskset") is None, reason="there is no taskset")
def test_affinity_counts():
    done = subprocess.run(
        ["taskset", "-c", str(min(os.sched_getaffinity(0))), sys.executable, "-c", ASK],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "1\n"


@pytest.mark.parametrize(
    ("content", "cpus"),
    [
        ("max 100000", HERE),
        ("100000 100000", 1),
        ("50000 100000", 1),
        ("150000 100000", min(HERE, 2)),
        ("99900000 100000", HERE),
        ("0 100000", HERE),
        ("nonsense", HERE),
        ("", HERE),
    ],
)
def test_the_quota_of_a_group_counts(machine, content, cpus):
    proc = machine("0::/job\n", V2, {"cg/job/cpu.max": content})
    assert usable_cpus(proc) == cpus


def test_the_quota_of_an_outer_group_counts(machine):
    files = {"cg/a/cpu.max": "100000 100000", "cg/a/b/cpu.max": "max 100000"}
    assert usable_cpus(machine("0::/a/b\n", V2, files)) == 1


def test_version_1(machine):
    files = {"cpu/job/cpu.cfs_quota_us": "100000\n", "cpu/job/cpu.cfs_period_us": "100000\n"}
    mounts = [("/", "/cpu", "cgroup", "rw,cpu,cpuacct"), ("/", "/cg", "cgroup2", "rw")]
    assert usable_cpus(machine("4:cpu,cpuacct:/job\n0::/\n", mounts, files)) == 1


def test_version_1_without_a_limit(machine):
    files = {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}
    assert usable_cpus(machine("4:cpu:/\n", [("/", "/cpu", "cgroup", "rw,cpu")], files)) == HERE


def test_a_container_sees_its_own_group_as_the_root(machine):
    files = {"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}
    mounts = [("/docker/1f", "/cpu", "cgroup", "rw,cpu")]
    assert usable_cpus(machine("4:cpu:/docker/1f\n", mounts, files)) == 1


def test_without_control_groups(tmp_path):
    assert usable_cpus(tmp_path) == HERE
    assert memory_kills(tmp_path) is None


@pytest.mark.parametrize(
    ("groups", "mount", "file", "content"),
    [
        (
            "0::/j\n",
            V2,
            "cg/j/memory.events",
            "low 0\nmax 5\noom 4\noom_kill 3\noom_group_kill 0\n",
        ),
        ("0::/j\n", V2, "cg/memory.events", "oom_kill 3\n"),
        (
            "4:memory:/j\n",
            [("/", "/m", "cgroup", "rw,memory")],
            "m/j/memory.oom_control",
            "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
        ),
    ],
)
def test_kills_for_memory(machine, groups, mount, file, content):
    assert memory_kills(machine(groups, mount, {file: content})) == 3


def test_a_kernel_that_does_not_count_kills(machine):
    files = {"m/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\n"}
    assert (
        memory_kills(machine("4:memory:/\n", [("/", "/m", "cgroup", "rw,memory")], files)) is None
    )


@pytest.fixture
def half_a_cpu():
    """A real control group with a quota, where this machine lets us make one."""
    folder = Path(f"/sys/fs/cgroup/cpu/xortune-test-{os.getpid()}")
    try:
        folder.mkdir()
        (folder / "cpu.cfs_quota_us").write_text("50000")
    except OSError:
        pytest.skip("no control group can be made here")
    yield folder
    folder.rmdir()


def test_a_real_group(half_a_cpu):
    script = f"import os; open('{half_a_cpu}/cgroup.procs', 'w').write(str(os.getpid())); {ASK}"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"
