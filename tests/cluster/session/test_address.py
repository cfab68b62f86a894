"""Joining a Ray that is there, and being told when there is none."""

import socket
import subprocess
import sys

import pytest
import yaml
from pandas.testing import assert_frame_equal

import xortune
from tests.small_study import SETTINGS, SPACE, answer
from xortune.errors import UsageError


@pytest.fixture
def silent_port():
    """A port with a listener that is not a Ray, and silent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def dead_port():
    """A port that is taken, and refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def search(address, results, *options):
    command = [sys.executable, "-m", "xortune", "search", *options, "--address", str(address)]
    command += ["--results", str(results), "--name", "joined"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


def refusal(address, results):
    done = search(address, results / "r")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"xortune: --address {address}: ")
    assert done.stderr.count("\n") == 1
    assert not (results / "r").exists()
    return done.stderr


@pytest.mark.parametrize("address", ["nowhere", "ray://127.0.0.1:10001", "127.0.0.1:", "a:b"])
def test_an_invalid_address(address, tmp_path):
    assert "expected host:port" in refusal(address, tmp_path)


@pytest.mark.parametrize("value", ["http://127.0.0.1:8265", "local", "127.0.0.1:1"])
def test_an_invalid_ray_address_of_the_environment_is_named(value, tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", value)
    done = search("auto", tmp_path / "r")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"xortune: --address auto, which is RAY_ADDRESS={value}: ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "r").exists()


def test_nothing_listens(dead_port, tmp_path):
    message = refusal(f"127.0.0.1:{dead_port}", tmp_path)
    assert "no Ray answers there" in message
    assert "ray start --head" in message


def test_something_else_listens(silent_port, tmp_path):
    assert "no Ray answers there" in refusal(f"127.0.0.1:{silent_port}", tmp_path)


def test_a_ray_that_is_in_use_is_kept(ray, dead_port, tmp_path):
    with pytest.raises(UsageError, match="leave address out"):
        xortune.search("smoke", address=f"127.0.0.1:{dead_port}", results=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_cluster_is_joined(ray, oracle, tmp_path, monkeypatch):
    # Else `auto` is whatever other Ray this machine has.
    monkeypatch.setenv("RAY_ADDRESS", ray.get_runtime_context().gcs_address)
    space = tmp_path / "space.yaml"
    space.write_text(yaml.safe_dump({"parameters": SPACE}))
    settings = [f"--{key.replace('_', '-')}={value}" for key, value in SETTINGS.items()]
    done = search("auto", tmp_path, str(space), *settings)
    assert done.returncode == 0, done.stderr
    assert_frame_equal(answer(xortune.load(tmp_path / "joined")), answer(oracle), check_exact=True)
    assert ray.is_initialized()
