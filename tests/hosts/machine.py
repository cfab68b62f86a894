"""Hosts of a cluster, made of Linux namespaces: a network, disks and processes for each.

Nothing of them is outside the namespaces, which go when the processes that hold them go: at
the end, after Ctrl-C, and when this process is killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from xortune.errors import UsageError

FOLDER = Path("/tmp/work")
HOME = Path("/tmp/home")
_TOOLS = ("ip", "unshare", "nsenter", "setpriv", "mount", "hostname")
_NAMESPACES = ("--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc")
# Every disk is read-only, and what Ray and xortune write to is memory of the host's own. The
# Python in use is kept where it is, even if that is below /tmp.
_DISKS = """
set -e
mount --make-rprivate /
exec 9<"$PREFIX"
awk '{ for (i = 7; $i != "-"; i++); print $(i + 1), $5 }' /proc/self/mountinfo |
  grep -vE '^(proc|sysfs|tmpfs|dev[^ ]*|cgroup2?|mqueue|nsfs|securityfs|debugfs) ' |
  while read -r _ place; do mount -o remount,bind,ro "$place"; done
mount -t tmpfs xortune /dev/shm
exec 8<"$SOURCE"
mount -t tmpfs xortune /tmp
for kept in 9:"$PREFIX" 8:"$SOURCE"; do
  place=${kept#*:}
  if [ ! -d "$place" ]; then
    mkdir -p "$place"
    mount --no-canonicalize --bind /proc/self/fd/${kept%%:*} "$place"
  fi
done
for package in $HIDDEN; do
  if [ -d "$package" ]; then mount -t tmpfs -o ro xortune "$package"; fi
done
mkdir -p "$FOLDER" "$HOME"
hostname "$NAME"
ip link set lo up
echo ready
exec sleep infinity
"""


def check_machine() -> None:
    """Raises UsageError where no namespaces can be made."""
    if not sys.platform.startswith("linux"):
        raise UsageError("hosts are made of Linux namespaces. Run this on Linux.")
    if os.geteuid() != 0:
        raise UsageError("only root can make namespaces. Run this as root, as with sudo.")
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        raise UsageError(f"no {', '.join(missing)} here. Install iproute2, util-linux, hostname.")


class Host:
    """A host: processes started on it see its network and disks alone.

    Args:
        name: its hostname.
        hidden: folders that are empty on it.
    """

    def __init__(self, name: str, hidden: Sequence[Path] = ()) -> None:
        self.name = name
        self.address = ""
        environment = {
            **os.environ,
            "PREFIX": sys.prefix,
            "SOURCE": str(Path.cwd()),
            "HIDDEN": " ".join(map(str, hidden)),
            "FOLDER": str(FOLDER),
            "HOME": str(HOME),
            "NAME": name,
        }
        # Dies with this process, and takes every process of the host along.
        command = ["setpriv", "--pdeathsig", "KILL", "unshare", *_NAMESPACES, "sh", "-c", _DISKS]
        self._holder = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )
        if self._holder.stdout is None or self._holder.stdout.readline() != "ready\n":
            _, why = self._holder.communicate()
            raise UsageError(f"no namespaces can be made here: {why.strip()}")
        children = Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children")
        self.pid = int(children.read_text())

    def disk(self, path: Path) -> Path:
        """Where a path of this host is for this process."""
        return Path(f"/proc/{self.pid}/root{path}")

    def start(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Starts a command in the host's working folder; its output is one pipe."""
        inside = ["nsenter", "-t", str(self.pid), "--net", "--mount", "--uts", "--pid"]
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return subprocess.Popen(
            [*inside, f"--wdns={FOLDER}", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**kept, "HOME": str(HOME), **(environment or {})},
        )

    def kill(self, process: subprocess.Popen[str]) -> None:
        """Kills a command that `start` has started, at once."""
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        os.kill(int(children.read_text()), signal.SIGKILL)
        process.communicate(timeout=60)

    def run(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Exit code and output of a command."""
        process = self.start(command, environment)
        output, _ = process.communicate(timeout=300)
        return process.returncode, output

    def must(self, *command: str, **environment: str) -> str:
        """The output of a command that has to work."""
        code, output = self.run(command, environment)
        if code:
            raise RuntimeError(f"{self.name}: {' '.join(command)} ended with {code}:\n{output}")
        return output

    def close(self) -> None:
        """Ends every process of the host: its namespaces go with them."""
        self._holder.kill()
        self._holder.communicate()


class Network:
    """A switch, and the hosts on it. Its cables are in a namespace of its own."""

    def __init__(self) -> None:
        self._hosts: list[Host] = []
        self._switch = Host(f"switch-{os.getpid()}")
        self._hosts.append(self._switch)
        self._switch.must("ip", "link", "add", "bridge", "type", "bridge")
        self._switch.must("ip", "link", "set", "bridge", "up")

    def __enter__(self) -> Network:
        return self

    def __exit__(self, *_: object) -> None:
        for host in reversed(self._hosts):
            host.close()

    def add(self, name: str, hidden: Sequence[Path] = ()) -> Host:
        """A new host, plugged in."""
        host = Host(name, hidden)
        self._hosts.append(host)
        number = len(self._hosts) - 1
        host.address = f"10.77.0.{number}"
        # Cables are made in this machine's network and moved at once: the name is the run's own.
        ends = f"x{os.getpid()}s{number}", f"x{os.getpid()}h{number}"
        _ip("link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
        try:
            _ip("link", "set", ends[0], "netns", str(self._switch.pid))
            _ip("link", "set", ends[1], "netns", str(host.pid))
        except BaseException:
            subprocess.run(["ip", "link", "delete", ends[0]], check=False, capture_output=True)
            raise
        self._switch.must("ip", "link", "set", ends[0], "name", name, "master", "bridge", "up")
        host.must("ip", "link", "set", ends[1], "name", "eth0")
        host.must("ip", "address", "add", f"{host.address}/24", "dev", "eth0")
        host.must("ip", "link", "set", "eth0", "up")
        # Ray finds its own address by the way out.
        host.must("ip", "route", "add", "default", "dev", "eth0")
        return host

    def cut(self, host: Host) -> None:
        """Pulls a host's cable out."""
        self._switch.must("ip", "link", "set", host.name, "down")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
