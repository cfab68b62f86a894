"""Searches as jobs of a real cluster, which asks for a token and does not know xortune."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from pandas.testing import assert_frame_equal
from studies import SETTINGS, SPACE, answer

import xortune
from xortune.cli import main
from xortune.trial import LOSS_FNS

# Ray's client gives aiohttp what it does not want any more.
pytestmark = pytest.mark.filterwarnings("ignore:ssl=None is deprecated:DeprecationWarning")

TOKEN = "0123456789abcdef" * 4
ROOT = str(Path(__file__).parents[2])


class Cluster(NamedTuple):
    """A Ray of its own."""

    address: str
    home: Path
    python: Path
    environment: dict[str, str]


@pytest.fixture(scope="module")
def cluster():
    folder = Path(tempfile.mkdtemp(prefix="xt-"))  # sockets allow no long paths
    home = folder / "home"
    home.mkdir()
    # Its Python sees what is installed, but for what is installed by a .pth file: this checkout.
    venv.create(folder / "venv", symlinks=True)
    environment = {
        **{key: os.environ[key] for key in ("LANG", "LC_ALL", "TMPDIR") if key in os.environ},
        "PATH": f"{folder / 'venv' / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "HOME": str(home),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": TOKEN,
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    python = folder / "venv" / "bin" / "python"
    port, dashboard, *others = free_ports(6)
    command = [python, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--num-cpus=4"]
    command += ["--node-ip-address=127.0.0.1", f"--port={port}", f"--temp-dir={folder / 'ray'}"]
    command += ["--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}"]
    command += ["--min-worker-port=0", "--max-worker-port=0", "--object-store-memory=80000000"]
    names = (
        "dashboard-agent-listen",
        "dashboard-agent-grpc",
        "metrics-export",
        "ray-client-server",
    )
    command += [f"--{name}-port={number}" for name, number in zip(names, others)]
    log = folder / "log"
    with log.open("w") as output:
        ray = subprocess.Popen(
            command, env=environment, cwd=home, stdout=output, stderr=output, start_new_session=True
        )
    try:
        with subprocess.Popen(
            ["tail", "-n", "+1", "-F", f"--pid={ray.pid}", log], stdout=subprocess.PIPE, text=True
        ) as lines:
            started = any("Ray runtime started" in line for line in lines.stdout)
            lines.terminate()
        assert started, log.read_text()
        yield Cluster(f"http://127.0.0.1:{dashboard}", home, python, environment)
    finally:
        kill_all_at(home)
        ray.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def at_the_cluster(cluster, monkeypatch):
    """Commands of this process find the cluster and its token, and nothing else of Ray's."""
    for name in [key for key in os.environ if key.startswith("RAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(cluster.home))
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", cluster.address)
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)


@pytest.fixture
def call(at_the_cluster, capsys):
    """Runs a command in this process: its exit code, standard output and error."""

    def run(*argv):
        capsys.readouterr()
        try:
            code = main([str(word) for word in argv])
        except SystemExit as stop:
            code = stop.code
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def succeed(call):
    def run(*argv):
        code, out, err = call(*argv)
        assert code == 0, err
        return out

    return run


@pytest.fixture(scope="module")
def far(cluster, tmp_path_factory):
    """The job that searches the oracle's study `far`, and runs while other things are tested.

    Its file is of a larger space, which the options narrow to the oracle's.
    """
    wider = {**SPACE, "seed": {"min": 0, "max": 9999}, "loss_fn": {"values": [*LOSS_FNS]}}
    space = space_file(tmp_path_factory.mktemp("far"), wider)
    command = [sys.executable, "-m", "xortune", "submit", space, *options(SETTINGS), "--name=far"]
    command += ["--set", "seed=0..99", "--set=loss_fn=mse,bce,bce_with_logits"]
    variables = {"RAY_API_SERVER_ADDRESS": cluster.address, "RAY_AUTH_TOKEN": TOKEN}
    done = subprocess.run(
        command, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    job = submitted(done.stdout)
    assert f"python -m xortune fetch {job}\n" in done.stdout
    return job


@pytest.fixture
def foreign(at_the_cluster):
    """Submits any command as a job, as others do who use the cluster."""
    from xortune.cluster.jobs import JobServer

    def submit(entrypoint, metadata):
        server = JobServer(os.environ["RAY_API_SERVER_ADDRESS"])
        return server._client.submit_job(entrypoint=entrypoint, metadata=metadata)

    return submit


def free_ports(count):
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return ports


def kill_all_at(home):
    """Ends the cluster's processes, and those of its jobs, which have sessions of their own."""
    mark = f"HOME={home}\0".encode()
    found = True
    while found:
        found = False
        for entry in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if mark in entry.read_bytes():
                    os.kill(int(entry.parent.name), signal.SIGKILL)
                    found = True


def submitted(out):
    return re.match(r"job +(\S+)\n", out)[1]


def space_file(folder, space):
    file = folder / "my space.yaml"
    file.write_text(yaml.safe_dump({"parameters": space}))
    return file


def options(settings):
    return [f"--{key.replace('_', '-')}={value}" for key, value in settings.items()]


def test_the_cluster_does_not_know_xortune(cluster, far):
    done = subprocess.run(
        [cluster.python, "-c", "import ray, xortune.cli"],
        env=cluster.environment, cwd=cluster.home, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr.endswith("ModuleNotFoundError: No module named 'xortune.cli'\n")
    assert ROOT not in str(cluster.environment)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--trials", "0"], "--trials 0: must be"),
        (["--gpus-per-worker", "2"], "--gpus-per-worker 2.0: a worker takes"),
        (["nowhere.yaml"], "no search space 'nowhere.yaml'"),
        (["--name", "a/b"], "--name 'a/b': a study's name"),
        (["--results", "results"], "--results results: is on the cluster's machine"),
        (["--runner", "inline"], "unrecognized arguments: --runner"),
    ],
)
def test_a_bad_option_submits_nothing(call, succeed, argv, message):
    def jobs():
        return [job["job"] for job in json.loads(succeed("status", "--format", "json"))]

    before = jobs()
    code, out, err = call("submit", *argv)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert jobs() == before


@pytest.mark.parametrize(
    ("token", "message"),
    [("f" * 64, "does not take this token"), ("", "asks for a token"), ("a\nb", "no plain text")],
)
def test_a_token_that_is_refused(at_the_cluster, token, message, tmp_path):
    """In a process of its own: Ray keeps a token that it has read."""
    command = [sys.executable, "-m", "xortune", "status"]
    environment = {**os.environ, "HOME": str(tmp_path), "RAY_AUTH_TOKEN": token}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_token_of_this_machine_is_found(succeed, cluster, monkeypatch):
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    file = cluster.home / ".ray" / "auth_token"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{TOKEN}\n")
    try:
        succeed("status")
    finally:
        file.unlink()


def test_the_address_given_is_the_one_used(call, cluster, monkeypatch):
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", "http://127.0.0.1:1")
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    assert call("status", "--address", cluster.address)[0] == 0
    assert os.environ["RAY_API_SERVER_ADDRESS"] == "http://127.0.0.1:1"
    assert call("status")[0] == 2


@pytest.mark.parametrize("command", ["status", "logs", "stop", "fetch"])
def test_a_job_that_is_not_there(call, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for job, message in (("no-such-job", "there is none here"), ("../version", "is no job's id")):
        code, out, err = call(command, job)
        assert (code, out) == (2, "")
        assert message in err
        assert "python -m xortune status" in err
        assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_job_of_somebody_else_is_left_alone(call, succeed, foreign):
    job = foreign("sleep 600", {})
    for command in ("status", "logs", "stop", "fetch"):
        code, _, err = call(command, job)
        assert (code, "is no search that xortune submitted" in err) == (2, True)
    assert job not in succeed("status")


@pytest.mark.long
def test_what_a_job_says_cannot_steer_the_terminal(call, succeed, foreign):
    metadata = {"xortune": "1", "study": "\x1b]0;owned\x07", "results": "\x1b[2J"}
    job = foreign(r"printf '\033[31mred\033[0m\302\233A\n'; exit 3", metadata)
    for argv in (["logs", job, "--follow"], ["logs", job], ["status", job], ["status"]):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", succeed(*argv))
    assert r"\x1b[31mred\x1b[0m\x9bA" in succeed("logs", job)
    described = json.loads(succeed("status", job, "--format", "json"))
    assert (described["state"], described["exit_code"]) == ("FAILED", 3)
    code, out, err = call("fetch", job)
    assert (code, out) == (2, "")
    assert "--name '\\x1b]0;owned\\x07'" in err


@pytest.mark.long
def test_a_search_that_left_no_study(call, foreign, tmp_path):
    job = foreign("true", {"xortune": "1", "study": "none", "results": "~/nowhere"})
    code, out, err = call("fetch", job, "--results", tmp_path)
    assert (code, out) == (2, "")
    assert re.search(r"no study came from the cluster: .*nowhere/none", err)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("address", ["auto", "ray://127.0.0.1:10001", "os://x", "http://", "a:b:c"])
def test_an_address_that_is_none(call, address):
    code, out, err = call("status", "--address", address)
    assert (code, out) == (2, "")
    assert "expected the job server's http://host:port" in err


def test_nothing_listens(call):
    code, _, err = call("status", "--address", f"http://127.0.0.1:{free_ports(1)[0]}")
    assert (code, "nothing answers there" in err) == (2, True)


def test_something_else_listens(call, tmp_path):
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as server:
        address = re.search(r"http://[\d.:]+", server.stdout.readline())[0]
        code, _, err = call("status", "--address", address)
        server.terminate()
    assert (code, "what answers there is no Ray" in err) == (2, True)


@pytest.mark.long
def test_a_server_that_says_nothing_is_given_up(call):
    with socket.create_server(("127.0.0.1", 0)) as server:
        code, _, err = call("status", "--address", f"http://127.0.0.1:{server.getsockname()[1]}")
    assert (code, "has not answered for 10 s" in err) == (2, True)


@pytest.mark.parametrize("command", [["submit"], ["status"], ["fetch", "x"]])
def test_what_to_install_is_said(call, command, monkeypatch):
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    code, out, err = call(*command)
    assert (code, out) == (2, "")
    assert "pip install 'xortune[cluster]'" in err
    assert err.count("\n") == 1


def test_a_submitted_search_comes_back_as_the_same_table(succeed, call, far, oracle, tmp_path):
    job = far
    followed = succeed("logs", job, "--follow")
    assert "study far: 22 trials" in followed
    assert succeed("logs", job) == followed
    described = json.loads(succeed("status", job, "--format", "json"))
    assert (described["state"], described["exit_code"], described["study"]) == (
        "SUCCEEDED",
        0,
        "far",
    )
    assert re.search(rf"^{job} +SUCCEEDED +far ", succeed("status"), re.M)
    results = tmp_path / "results"
    assert "study far: 22 trials" in succeed("fetch", job, "--results", results)
    study = xortune.load("far", results)
    assert_frame_equal(answer(study), answer(oracle), check_exact=True)
    assert len(list(study.paths.tensorboard.iterdir())) == 22
    assert [path.name for path in results.iterdir()] == ["far"]
    assert set(study.trials["worker"]) != set(oracle.trials["worker"])
    code, out, err = call("fetch", job, "--results", results)
    assert (code, out) == (2, "")
    assert "exists already. Choose another --name" in err


@pytest.mark.long
def test_a_stopped_search_is_fetched_and_goes_on_here(succeed, call, tmp_path):
    # Long on the cluster, one trial after the other; short here, ten at a time.
    space = space_file(tmp_path, {"lr": {"min": 0.1, "max": 9.0}, "epochs": {"value": 1_000_000}})
    settings = {"trials": 40, "generation": 10, "log_every": 500_000}
    job = submitted(
        succeed("submit", space, *options(settings), "--name=s", "--pack-size=1", "--workers=1")
    )
    from xortune.cluster.jobs import JobServer

    log = ""
    for piece in JobServer(os.environ["RAY_API_SERVER_ADDRESS"]).follow(job):
        log += piece
        if re.search(r"^[1-9]\d*/40 trials", log, re.M):
            break
    assert "has ended: STOPPED" in succeed("stop", job)
    assert "stopped; what was finished is kept" in succeed("logs", job)
    assert "had ended already: STOPPED" in succeed("stop", job)
    code, _, err = call("fetch", job, "--results", tmp_path, "--name", "here")
    assert code == 0
    done = int(re.search(r"its job is STOPPED: these are (\d+) of 40 trials", err)[1])
    assert 1 <= done < 40
    assert f"python -m xortune resume {tmp_path / 'here'}" in err
    resumed = xortune.resume("here", results=tmp_path, runner="inline")
    whole = xortune.search(space, name="w", results=tmp_path, runner="inline", **settings)
    assert_frame_equal(answer(resumed), answer(whole), check_exact=True)
