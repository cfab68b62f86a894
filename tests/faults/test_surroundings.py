"""Searches on Ray in surroundings that Ray cannot stand: trained all the same, or one message."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

# With few ports; without room for Ray's folder; without shared memory.
FEW_PORTS = "ip link set lo up; echo 2000 2006 > /proc/sys/net/ipv4/ip_local_port_range"
# Nothing is left in the folders for temporary files but Python and this package, if they are there.
NEEDED = (sys.prefix, str(Path(__file__).parents[2]))
NO_FOLDERS = "; ".join(
    (
        "mount --rbind / /mnt",
        "for f in /tmp /var/tmp; do mount -t tmpfs -o size=1m tmpfs $f; done",
        f"for f in {shlex.join(NEEDED)}; do "
        "case $f in /tmp/*|/var/tmp/*) mkdir -p $f; mount --bind /mnt$f $f;; esac; done",
    )
)
NO_SHM = "umount /dev/shm"


@pytest.fixture
def short():
    """A short folder; pytest's own may be too long for a socket."""
    with tempfile.TemporaryDirectory(prefix="s-", dir="/var/tmp") as folder:
        yield Path(folder)


def command(results):
    rest = ["search", "smoke", "--runner", "ray", "--workers", "1", "--name", "s", "--quiet"]
    return [sys.executable, "-m", "xortune", *rest, "--results", str(results)]


def run(words, **environment):
    environment = {**os.environ, **environment}
    return subprocess.run(
        words, capture_output=True, text=True, check=False, timeout=110, env=environment
    )


def within(preparation, *kinds):
    """What to put before a command so that it runs in namespaces of its own."""
    unshared = ["unshare", *kinds]
    if os.geteuid() != 0 or subprocess.run([*unshared, "true"], capture_output=True).returncode:
        pytest.skip("no namespace can be made here")
    return [*unshared, "sh", "-c", f'{preparation}; exec "$@"', "sh"]


def check_trained(done, results):
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert (results / "s" / "trials.csv").exists()


def check_refused(done, results, code):
    """One line with a remedy, and nothing else."""
    assert done.returncode == code, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("xortune: Ray ")
    assert "--runner inline" in line
    assert done.stdout == ""
    assert not results.exists()
    return line


@pytest.mark.long
@pytest.mark.parametrize("name", ["d" * 48, "\u00fc", "\u00fc" * 30, "missing"])
def test_a_tmpdir_that_ray_cannot_use(short, tmp_path, name):
    folder = short / name
    if name != "missing":
        folder.mkdir()
    done = run(command(tmp_path / "r"), TMPDIR=str(folder))
    check_trained(done, tmp_path / "r")
    assert not folder.exists() or list(folder.iterdir()) == []


def test_a_ray_folder_of_another_user(short, tmp_path, unprivileged):
    """As `/tmp/ray` is on a machine with several users."""
    folder = short / "ray"
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(folder, 12345, 12345)
    done = run([*unprivileged, *command(tmp_path / "r")], TMPDIR=str(short))
    check_trained(done, tmp_path / "r")
    assert [path.name for path in short.iterdir()] == ["ray"]


def test_no_folder_has_room(tmp_path):
    """All other shells of the machine keep theirs: only this command sees small ones."""
    results = Path("/var/lib") / f"xortune-test-{os.getpid()}"
    done = run([*within(NO_FOLDERS, "-m"), *command(results)], TMPDIR="")
    line = check_refused(done, results, 2)
    assert "/tmp has 1 MB free of the 32 MB needed; /var/tmp has 1 MB free" in line


@pytest.mark.long
@pytest.mark.parametrize("home", [None, "/proc"])
def test_without_a_home(tmp_path, home):
    words = ["env", "-u", "HOME"] if home is None else ["env", f"HOME={home}"]
    check_trained(run([*words, *command(tmp_path / "r")]), tmp_path / "r")


@pytest.mark.long
def test_without_shared_memory(tmp_path):
    done = run([*within(NO_SHM, "-m"), *command(tmp_path / "r")])
    check_trained(done, tmp_path / "r")


@pytest.mark.long
def test_with_few_open_files(tmp_path):
    done = run(["sh", "-c", 'ulimit -n 64; exec "$@"', "sh", *command(tmp_path / "r")])
    check_trained(done, tmp_path / "r")


@pytest.mark.long
@pytest.mark.skipif(shutil.which("ip") is None, reason="there is no ip")
def test_ports_are_exhausted(short, tmp_path):
    done = run([*within(FEW_PORTS, "-n"), *command(tmp_path / "r")], TMPDIR=str(short))
    check_refused(done, tmp_path / "r", 1)
    assert list(short.iterdir()) == []


@pytest.mark.long
@pytest.mark.parametrize("part", ["gcs_server", "raylet/raylet", "runtime_env/agent/main.py"])
def test_a_part_of_ray_is_killed_while_ray_starts(short, tmp_path, part):
    environment = {**os.environ, "TMPDIR": str(short)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command(tmp_path / "r"), env=environment, **pipes) as process:
        while process.poll() is None and not kill_below(process.pid, part):
            pass
        out, err = process.communicate()
    done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    check_refused(done, tmp_path / "r", 1)
    assert list(short.iterdir()) == []


def kill_below(ancestor, part):
    """Kills the process below one that runs a program; returns whether there was one."""
    parents, found = {}, []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            pid = int(folder.name)
            parents[pid] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            program = words[:3] if "python" in words[0] else words[:1]
            if any(word.endswith(part) for word in program):
                found.append(pid)
    for pid in found:
        above = pid
        while above in parents and above != ancestor:
            above = parents[above]
        if above == ancestor:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            return True
    return False
