"""What a search opens to the network, and what somebody without its token gets there."""

import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

import xortune
from tests.faults.sockets import answer_without_token, environment_of, sockets_of, tree_of
from xortune.cluster.authentication import Guard, guard_at

# Trains for minutes on end: it is stopped when the tests are done with it.
SPACE = {
    "lr": {"value": 0.1},
    "epochs": {"value": 1_000_000},
    "seed": {"min": 0, "max": 999},
    "loss_fn": {"value": "mse"},
}
SECRETS = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_ADDRESS")
JOIN = [sys.executable, "-c", "import ray, sys; ray.init(address=sys.argv[1]); print('joined')"]
WRITE = """
import sys
from ray._raylet import GcsClient
GcsClient(address=sys.argv[1]).internal_kv_put(b"key", b"value", True, b"namespace", timeout=10)
print("joined")
"""


def without_secrets(**changes):
    kept = {name: value for name, value in os.environ.items() if name not in SECRETS}
    return {**kept, **changes}


def start(folder, *options, **environment):
    """A search in a process of its own; returns when the first trial is done."""
    space = folder / "space.yaml"
    space.write_text(yaml.safe_dump({"parameters": SPACE}))
    command = [sys.executable, "-m", "xortune", "search", str(space), "--trials", "1000"]
    command += ["--pack-size", "1", "--generation", "1000", "--workers", "2", "--runner", "ray"]
    command += ["--log-every", "1000000", "--results", str(folder / "results"), *options]
    search = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=without_secrets(**environment)
    )
    seen = []
    for line in search.stderr:
        seen.append(line)
        if re.match(r"[1-9]\d*/1000 trials", line):
            return search
    search.wait()
    pytest.fail("never trained: " + "".join(seen))


def stop(search):
    search.terminate()
    search.communicate(timeout=30)
    assert search.returncode == 128 + 15


@pytest.fixture(scope="module")
def search(tmp_path_factory):
    """A search that is training, of a user who has no home and has switched Ray's token off."""
    folder = tmp_path_factory.mktemp("search")
    running = start(folder, RAY_AUTH_MODE="disabled", HOME="/dev/null/home")
    yield running
    stop(running)


@pytest.fixture(scope="module")
def sockets(search):
    return sockets_of(search.pid)


@pytest.fixture(scope="module")
def head(sockets):
    """The address of the search's Ray."""
    (head,) = [socket.address for socket in sockets if socket.process == "gcs_server"]
    return head


@pytest.fixture
def stranger(tmp_path):
    """The environment of somebody who has a token, but not that of this search."""
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("0" * 64)
    # Else Ray looks for 127.0.0.1 at the address that this machine has on the network.
    return without_secrets(HOME=str(tmp_path), RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0")


@pytest.fixture
def nobody(tmp_path):
    """The environment of somebody who has no token."""
    return without_secrets(HOME=str(tmp_path / "nobody"), RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0")


def attempt(command, environment):
    return subprocess.run(
        command, capture_output=True, text=True, timeout=100, env=environment, check=False
    )


def test_a_search_listens_on_loopback_alone(sockets):
    processes = {socket.process for socket in sockets}
    assert {"driver", "gcs_server", "raylet", "ray::RuntimeEnvAgent"} <= processes
    assert any("Trainable" in name for name in processes)
    assert [socket for socket in sockets if not socket.on_loopback] == []


@pytest.mark.skipif(
    not any(map(shutil.which, ("cc", "gcc", "clang"))), reason="there is no C compiler"
)
def test_no_process_of_a_search_loads_pytorch_where_c_trains(search):
    """Which has nothing to do with the network, but here a search is running."""
    mapped = {}
    for pid in tree_of(search.pid):
        with suppress(OSError):
            mapped[pid] = Path(f"/proc/{pid}/maps").read_text()
    assert any("xortune-step" in files for pid, files in mapped.items() if pid != search.pid)
    assert [pid for pid, files in mapped.items() if "libtorch" in files] == []


def test_no_socket_of_a_search_obeys_without_the_token(sockets):
    answers = {socket: answer_without_token(socket) for socket in sockets}
    kept_out = ("refused by gRPC", "refused by HTTP", "metrics to read")
    assert {s: answer for s, answer in answers.items() if answer not in kept_out} == {}


def test_a_call_with_the_token_is_answered(search, head):
    (token,) = {
        value
        for pid in tree_of(search.pid) - {search.pid}
        for name, value in environment_of(pid)
        if name == "RAY_AUTH_TOKEN"
    }
    assert guard_at(head) is Guard.REFUSED
    assert guard_at(head, "0" * len(token)) is Guard.REFUSED
    assert guard_at(head, token) is Guard.OPEN


@pytest.mark.parametrize("mode", ["disabled", "token"])
def test_a_stranger_can_write_nothing(head, stranger, mode):
    done = attempt([sys.executable, "-c", WRITE, head], {**stranger, "RAY_AUTH_MODE": mode})
    assert done.returncode != 0
    assert "joined" not in done.stdout
    assert re.search("AuthenticationError|Unauthenticated|InvalidAuthToken", done.stderr)


@pytest.mark.parametrize(
    ("who", "mode", "message"),
    [
        ("nobody", "token", "that Ray asks for a token. Set RAY_AUTH_MODE=token, and RAY_AUTH_"),
        ("stranger", "disabled", "that Ray asks for a token. Set RAY_AUTH_MODE=token, and"),
        ("stranger", "token", "that Ray has a different token from this machine's. Set RAY_AUTH"),
    ],
)
def test_a_search_that_may_not_join_names_the_reason(head, request, tmp_path, who, mode, message):
    command = [sys.executable, "-m", "xortune", "search", "smoke", "--address", head]
    environment = {**request.getfixturevalue(who), "RAY_AUTH_MODE": mode}
    done = attempt([*command, "--results", str(tmp_path / "results")], environment)
    assert done.returncode == 2
    assert done.stderr.startswith(f"xortune: --address {head}: {message}")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "results").exists()


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("who", ["nobody", "stranger"])
@pytest.mark.parametrize("mode", ["disabled", "token"])
@pytest.mark.parametrize("how", ["driver", "node"])
def test_a_stranger_cannot_join(head, request, tmp_path, how, who, mode):
    node = [sys.executable, "-m", "ray.scripts.scripts", "start", "--address"]
    environment = {**request.getfixturevalue(who), "RAY_AUTH_MODE": mode}
    done = attempt([*(JOIN if how == "driver" else node), head], environment)
    assert done.returncode != 0
    assert "joined" not in done.stdout


@pytest.mark.parametrize(
    ("options", "loopback"),
    [
        pytest.param([], True, id="alone"),
        pytest.param(["--host", "0.0.0.0"], False, id="asked", marks=pytest.mark.long),
    ],
)
def test_tensorboard_listens_on_loopback_unless_asked(tmp_path, options, loopback):
    study = xortune.search("smoke", trials=2, runner="inline", results=tmp_path)
    command = [sys.executable, "-m", "xortune", "tensorboard", str(study.paths.folder)]
    with subprocess.Popen(
        [*command, "--port", "0", *options], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            for line in process.stderr:
                if " at http://" in line:
                    break
            sockets = sockets_of(process.pid)
            assert sockets
            assert all(socket.on_loopback for socket in sockets) is loopback
        finally:
            process.kill()


@pytest.mark.long
@pytest.mark.timeout(300)
def test_joining_a_cluster_without_a_token_warns(tmp_path):
    code = """
import ray, sys
ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False)
print("at", ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
"""
    cluster = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=without_secrets(RAY_AUTH_MODE="disabled"),
    )
    try:
        (address,) = [line.split()[1] for line in [next(cluster.stdout)] if line.startswith("at ")]
        command = [sys.executable, "-m", "xortune", "search", "smoke", "--trials", "4"]
        command += ["--address", address, "--results", str(tmp_path / "results")]
        done = attempt(command, without_secrets())
    finally:
        cluster.communicate()
    assert done.returncode == 0
    assert f"--address {address}: the cluster asks for no token" in done.stderr


@pytest.mark.long
def test_a_search_does_not_start_on_an_open_ray_of_its_own(tmp_path):
    code = """
import os, sys, contextlib
from xortune.cli import main
from xortune.cluster.session import connection
connection.own_token = contextlib.nullcontext
sys.exit(main(["search", "smoke", "--runner", "ray", "--results", sys.argv[1]]))
"""
    command = [sys.executable, "-c", code, str(tmp_path / "results")]
    done = attempt(command, without_secrets(RAY_AUTH_MODE="disabled"))
    assert done.returncode == 1
    assert done.stderr.startswith("xortune: the Ray that was started answers without a token")
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_a_token_file_without_a_token(tmp_path, content):
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
    command = [sys.executable, "-m", "xortune", "search", "--runner", "ray"]
    command += ["--results", str(tmp_path / "results")]
    done = attempt(command, without_secrets(RAY_AUTH_TOKEN_PATH=str(path)))
    assert done.returncode == 2
    said = f"xortune: RAY_AUTH_TOKEN_PATH={path}: no token can be read there."
    assert done.stderr.startswith(said)
    assert not (tmp_path / "results").exists()
