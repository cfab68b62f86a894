"""Control groups of Linux: the CPUs that this process may use, and its kills for memory.

They are read where Linux mounts them, version 1 or 2, as this process sees them.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc/self")


def usable_cpus(proc: Path = _PROC) -> int:
    """The number of CPUs that this process may keep busy at once, at least 1.

    This is the least of its affinity (`taskset`, SLURM) and the quotas of its control group and
    of the groups around that (`docker --cpus`, Kubernetes). A part of a CPU counts as one.

    Args:
        proc: the folder with `cgroup` and `mountinfo` of a process.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    cpus = len(affinity(0)) if affinity else os.cpu_count() or 1
    quotas = (_quota(folder) for folder in _groups("cpu", proc))
    return max(1, math.ceil(min(cpus, *quotas, math.inf)))


def memory_kills(proc: Path = _PROC) -> int | None:
    """The number of processes of this control group that the kernel has killed for memory.

    None if the kernel does not count them.

    Args:
        proc: as for `usable_cpus`.
    """
    for folder in _groups("memory", proc):
        for name in ("memory.events", "memory.oom_control"):
            counts = _numbers(folder / name)
            if "oom_kill" in counts:
                return counts["oom_kill"]
    return None


def _quota(folder: Path) -> float:
    """The CPUs that a control group may use; infinity where it has no limit."""
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text()
            period = (folder / "cpu.cfs_period_us").read_text()
        cpus = int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return math.inf  # `max`, or the root, which has no limit.
    return cpus if cpus > 0 else math.inf


def _groups(controller: str, proc: Path) -> Iterator[Path]:
    """The folders of this process's control group and of those around it, from the inside."""
    for path, (root, mount) in _mounted(controller, proc):
        inside = path.removeprefix(root) if f"{path}/".startswith(f"{root}/") else ""
        folder = mount / inside.strip("/")
        while True:
            yield folder
            if folder == mount:
                break
            folder = folder.parent


def _mounted(controller: str, proc: Path) -> Iterator[tuple[str, tuple[str, Path]]]:
    """The path of this process's group in each hierarchy, with where that is mounted."""
    mounts = _mounts(proc)
    for line in _lines(proc / "cgroup"):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        kind = "cgroup2" if number == "0" else controller
        if (number == "0" or controller in controllers.split(",")) and kind in mounts:
            yield path.rstrip("/"), mounts[kind]


def _mounts(proc: Path) -> dict[str, tuple[str, Path]]:
    """The root and the mount point of each hierarchy: by controller, or `cgroup2`."""
    mounts: dict[str, tuple[str, Path]] = {}
    for line in _lines(proc / "mountinfo"):
        place, _, kind = line.partition(" - ")
        root, mount = place.split()[3:5]
        name, *_, options = kind.split()
        if name == "cgroup2":
            mounts["cgroup2"] = (root.rstrip("/"), Path(mount))
        elif name == "cgroup":
            mounts.update(
                {option: (root.rstrip("/"), Path(mount)) for option in options.split(",")}
            )
    return mounts


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(errors="replace").splitlines()
    except OSError:
        return []  # Another system, or one without /proc.


def _numbers(file: Path) -> dict[str, int]:
    """The lines `name number` of a file."""
    pairs = (line.split() for line in _lines(file))
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}
