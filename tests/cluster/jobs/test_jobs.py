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
import requests
import yaml
from pandas.testing import assert_frame_equal

import xortune
from tests.cluster.jobs.front import Front
from tests.faults.sockets import sockets_of
from tests.hosts.problems import SEARCHES, write_problems
from tests.small_study import SETTINGS, SPACE, answer
from xortune.cli import main
from xortune.cluster.authentication import Guard, guard_at
from xortune.problems.xor.spec import LOSS_FNS

# Ray's client gives aiohttp what it does not want any more.
pytestmark = pytest.mark.filterwarnings("ignore:ssl=None is deprecated:DeprecationWarning")

TOKEN = "0123456789abcdef" * 4
ROOT = str(Path(__file__).parents[3])


class Cluster(NamedTuple):
    """A Ray of its own."""

    address: str
    home: Path
    python: Path
    environment: dict[str, str]


@contextlib.contextmanager
def running_cluster(agent_port=0, before=None, token=TOKEN, meanwhile=lambda ray: None):
    """A Ray of its own, as users start one, on ports that it chooses itself.

    Args:
        agent_port: the port of its agent; 0 leaves the choice to Ray.
        before: a command of Ray's to run first, where the cluster is.
        token: for its environment; None leaves it to a file.
        meanwhile: called with its process, while it starts.
    """
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
        "RAY_USAGE_STATS_ENABLED": "0",
        **({} if token is None else {"RAY_AUTH_TOKEN": token}),
    }
    python = folder / "venv" / "bin" / "python"
    ray = [python, "-m", "ray.scripts.scripts"]
    if before is not None:
        subprocess.run([*ray, *before], env=environment, check=True, capture_output=True)
    command = [*ray, "start", "--head", "--block", "--num-cpus=4"]
    command += ["--node-ip-address=127.0.0.1", "--port=0", f"--temp-dir={folder / 'ray'}"]
    command += ["--dashboard-host=127.0.0.1", "--dashboard-port=0"]
    command += ["--min-worker-port=0", "--max-worker-port=0", "--object-store-memory=80000000"]
    command += [f"--dashboard-agent-listen-port={agent_port}"]
    log = folder / "log"
    # Ray Client's server takes no 0, but shares its port with a socket that allows it.
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    taken.bind(("", 0))
    command += [f"--ray-client-server-port={taken.getsockname()[1]}"]
    with log.open("w") as output:
        ray = subprocess.Popen(
            command, env=environment, cwd=home, stdout=output, stderr=output, start_new_session=True
        )
    try:
        meanwhile(ray)
        with subprocess.Popen(
            ["tail", "-n", "+1", "-F", f"--pid={ray.pid}", log], stdout=subprocess.PIPE, text=True
        ) as lines:
            shown = (
                re.search(r"_SERVER_ADDRESS='(http://[\d.:]+)'", line) for line in lines.stdout
            )
            started = next(filter(None, shown), None)
            lines.terminate()
        assert started, log.read_text()
        yield Cluster(started[1], home, python, environment)
    finally:
        kill_all_at(home)
        ray.wait()
        taken.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def cluster():
    with running_cluster() as started:
        yield started


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
    assert f"python -m xortune fetch {job}\n" in done.stderr
    return job


@pytest.fixture
def foreign(at_the_cluster):
    """Submits any command as a job, as others do who use the cluster."""
    from xortune.cluster.jobs import JobServer

    def submit(entrypoint, metadata):
        server = JobServer(os.environ["RAY_API_SERVER_ADDRESS"])
        return server._client.submit_job(entrypoint=entrypoint, metadata=metadata)

    return submit


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
    """The job's id, which is all that submit prints on standard output."""
    return re.fullmatch(r"(\w+)\n", out)[1]


def fetched(succeed, job, results):
    """Fetches a job's study, and returns its folder."""
    out = succeed("fetch", job, "--results", results)
    return re.search(r"^ledger +(\S+)/study.db$", out, re.M)[1]


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
        (["--runner", "inline"], "no option --runner"),
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
    [
        ("f" * 64, "does not accept this token"),
        ("", "asks for a token"),
        ("a\nb", "not plain text"),
    ],
)
def test_a_refused_token(at_the_cluster, token, message, tmp_path):
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


VARIABLES = ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "XORTUNE_PROXY")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "localhost"])
@pytest.mark.parametrize("variable", VARIABLES)
def test_no_proxy_sees_requests_to_this_machine(call, cluster, monkeypatch, host, variable):
    address = cluster.address.replace("127.0.0.1", host)
    with Front() as proxy:
        monkeypatch.setenv(variable, proxy.url)
        code, _, err = call("status", "--address", address)
    assert (code, err, proxy.received) == (0, "", b"")


def test_no_proxy_sees_a_log_that_stays_on_this_machine(call, far, monkeypatch):
    with Front() as proxy:
        for variable in VARIABLES:
            monkeypatch.setenv(variable, proxy.url)
        code, _, err = call("logs", far, "--follow")
    assert (code, err, proxy.received) == (0, "", b"")


@pytest.mark.parametrize("variable", ["http_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_not_used(call, monkeypatch, variable):
    with Front() as proxy:
        monkeypatch.setenv(variable, proxy.url)
        code, out, err = call("status", "--address", "http://cluster.invalid:8265")
    assert (code, out, proxy.received) == (2, "", b"")
    assert f"{variable.lower()} is not used" in err
    assert "name it with --proxy" in err


@pytest.mark.parametrize("by", ["option", "variable"])
def test_a_proxy_that_was_named_is_used_with_a_warning(call, far, cluster, monkeypatch, by):
    dashboard = ("127.0.0.1", int(cluster.address.rpartition(":")[2]))
    for argv in (["status", far], ["logs", far, "--follow"])[: 2 if by == "option" else 1]:
        with Front(dashboard) as proxy:
            words = ["--address", "http://cluster.invalid:8265"]
            named = proxy.url.replace("//", "//user:secret@")
            if by == "option":
                words += ["--proxy", named]
            else:
                monkeypatch.setenv("XORTUNE_PROXY", named)
            code, out, err = call(*argv, *words)
        assert code == 0, err
        assert far in out or "study far: 22 trials" in out
        assert err == (
            "xortune: requests to http://cluster.invalid:8265 go through the proxy "
            f"{proxy.url}, which can read them and the token in them\n"
        )
        assert proxy.received.count(TOKEN.encode()) > 1
        assert f"{far}/logs/tail".encode() in proxy.received or argv[0] == "status"
        assert "secret" not in out


@pytest.mark.parametrize("proxy", ["nonsense", "socks5://127.0.0.1:1", "http://a:b", "http://x"])
def test_an_invalid_proxy(call, monkeypatch, proxy):
    code, out, err = call("status", "--address", "http://cluster.invalid:1", "--proxy", proxy)
    assert (code, out) == (2, "")
    assert err == f"xortune: --proxy {proxy}: expected http://host:port.\n"
    monkeypatch.setenv("XORTUNE_PROXY", proxy)
    code, out, err = call("status", "--address", "http://cluster.invalid:1")
    assert err == f"xortune: XORTUNE_PROXY={proxy}: expected http://host:port.\n"


def test_a_proxy_to_this_machine_is_refused(call, cluster):
    code, _, err = call("status", "--proxy", "http://u:secret@127.0.0.1:1")
    assert (code, "is on this machine" in err, "secret" in err) == (2, True, False)


def test_a_password_in_netrc_does_not_replace_the_token(succeed, cluster):
    file = cluster.home / ".netrc"
    file.write_text("machine 127.0.0.1 login user password secret\n")
    file.chmod(0o600)
    try:
        succeed("status")
    finally:
        file.unlink()


@pytest.mark.parametrize(
    ("argv", "ending"), [(["status"], "/version"), (["logs", "JOB", "--follow"], "/logs/tail")]
)
def test_the_token_follows_no_redirect(call, far, cluster, argv, ending):
    dashboard = ("127.0.0.1", int(cluster.address.rpartition(":")[2]))
    with (
        Front(dashboard) as elsewhere,
        Front(dashboard, {ending: f"{elsewhere.url}/x\x1b[2J"}) as front,
    ):
        words = [far if word == "JOB" else word for word in argv]
        code, out, err = call(*words, "--address", front.url)
    assert (code, out, elsewhere.received) == (2, "", b"")
    assert TOKEN.encode() in front.received
    assert err == (
        f"xortune: --address {front.url}: the server there redirects to {elsewhere.url}/x\\x1b[2J, "
        "and the cluster's token is not sent elsewhere. Give the job server's own address.\n"
    )


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("RAY_API_SERVER_ADDRESS", "nonsense", "RAY_API_SERVER_ADDRESS=nonsense: expected the job"),
        ("RAY_API_SERVER_ADDRESS", "http://127.0.0.1:1", "RAY_API_SERVER_ADDRESS=http://127.0.0"),
        ("RAY_AUTH_MODE", "odd", "that Ray asks for a token, and with RAY_AUTH_MODE=odd none is"),
        ("RAY_AUTH_TOKEN", "a\nb", "RAY_AUTH_TOKEN: the token is not plain text."),
        ("RAY_AUTH_TOKEN_PATH", "/none", "RAY_AUTH_TOKEN_PATH=/none: no token can be read there."),
    ],
)
def test_an_invalid_variable_is_named(call, monkeypatch, name, value, message):
    if name == "RAY_AUTH_TOKEN_PATH":
        monkeypatch.delenv("RAY_AUTH_TOKEN")
    monkeypatch.setenv(name, value)
    code, out, err = call("status")
    assert (code, out) == (2, "")
    assert err.startswith("xortune: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["status", "logs", "stop", "fetch", "wait"])
def test_an_unknown_job(call, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for job, message in (
        ("no-such-job", "no job no-such-job here"),
        ("../version", "not a job's id"),
    ):
        code, out, err = call(command, job)
        assert (code, out) == (2, "")
        assert message in err
        assert "python -m xortune status" in err
        assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_foreign_job_is_left_alone(call, succeed, foreign):
    job = foreign("sleep 600", {})
    for command in ("status", "logs", "stop", "fetch", "wait"):
        code, _, err = call(command, job)
        assert (code, "not a search that xortune submitted" in err) == (2, True)
    assert job not in succeed("status")


@pytest.mark.long
def test_the_output_of_a_job_cannot_control_the_terminal(call, succeed, foreign):
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
    assert re.search(r"the cluster sent no study: .*nowhere/none", err)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("address", ["auto", "ray://127.0.0.1:10001", "os://x", "http://", "a:b:c"])
def test_an_invalid_address(call, address):
    code, out, err = call("status", "--address", address)
    assert (code, out) == (2, "")
    assert "expected the job server's http://host:port" in err


def test_nothing_listens(call):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        code, _, err = call("status", "--address", address)
    assert (code, "nothing answers there" in err) == (2, True)


def test_something_else_listens(call, tmp_path):
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as server:
        address = re.search(r"http://[\d.:]+", server.stdout.readline())[0]
        code, _, err = call("status", "--address", address)
        server.terminate()
    assert (code, "the server there is not a Ray" in err) == (2, True)


@pytest.mark.long
def test_a_silent_server_is_given_up(call):
    with socket.create_server(("127.0.0.1", 0)) as server:
        code, _, err = call("status", "--address", f"http://127.0.0.1:{server.getsockname()[1]}")
    assert (code, "has not answered for 10 s" in err) == (2, True)


@pytest.mark.parametrize("command", [["submit"], ["status"], ["fetch", "x"]])
def test_the_missing_extra_is_named(call, command, monkeypatch):
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
    assert call("wait", job)[:2] == (0, "")
    assert "study far: 22 trials" in succeed("fetch", job, "--results", results)
    assert_frame_equal(xortune.load("far", results).trials, study.trials, check_exact=True)


def test_a_study_of_the_cluster_is_resumed_and_fetched_again(succeed, call, far, oracle, tmp_path):
    succeed("wait", far)
    before = xortune.load(fetched(succeed, far, tmp_path)).trials
    job = submitted(succeed("submit", "far", "--resume", "--trials", "30", "--retries", "1"))
    code, _, err = call("submit", "far", "--resume")
    assert (code, f"study far: job {job} is working on it" in err) == (2, True)
    assert call("wait", job) == (0, "", f"xortune: job {job} has ended: SUCCEEDED, exit code 0\n")
    study = xortune.load(fetched(succeed, job, tmp_path))
    assert len(study.trials) == 30
    first = study.trials[study.trials["number"] < 22].drop(columns="rank")
    assert_frame_equal(first.reset_index(drop=True), before.drop(columns="rank"), check_exact=True)
    shutil.copytree(oracle.paths.folder, tmp_path / "oracle")
    resumed = xortune.resume(tmp_path / "oracle", trials=30, runner="inline")
    assert_frame_equal(answer(study), answer(resumed), check_exact=True)
    # Whichever of the two jobs is named, the study is one.
    assert "study far: 30 trials" in succeed("fetch", far, "--results", tmp_path)


@pytest.mark.parametrize("kind", ["table", pytest.param("function", marks=pytest.mark.long)])
def test_another_problem_goes_to_the_cluster(succeed, call, tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    write_problems(write_file)
    words = [*SEARCHES[kind], "--trials", "14", "--name", kind]
    job = submitted(succeed("submit", *words))
    succeed("search", *words, "--results", "here", "--runner", "inline")
    assert call("wait", job)[0] == 0, succeed("logs", job)
    study = xortune.load(fetched(succeed, job, tmp_path / "fetched"))
    assert_frame_equal(answer(study), answer(xortune.load(kind, "here")), check_exact=True)
    assert bool(study.summary().get("test")) == (kind == "table")


@pytest.mark.long
def test_a_table_of_the_cluster_is_resumed_with_its_data(succeed, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_problems(write_file)
    job = submitted(succeed("submit", *SEARCHES["table"], "--trials", "8", "--name", "grown"))
    assert call("wait", job)[0] == 0
    code, _, err = call("wait", submitted(succeed("submit", "grown", "--resume", "--trials", "14")))
    assert (code, "name it again, with --data" in err) == (2, True)
    resume = ("submit", "grown", "--resume", "--trials", "14", "--data", "data.csv")
    job = submitted(succeed(*resume))
    assert call("wait", job)[0] == 0
    study = xortune.load(fetched(succeed, job, tmp_path))
    assert (study.trials["state"] == "COMPLETE").sum() == 14


def write_file(name, text):
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text(text)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--resume"], "--resume: name the study"),
        (["far", "--resume", "--sampler", "random"], "--sampler random: is recorded in the study"),
        (["far", "--resume", "--name", "x"], "--name x: is recorded in the study"),
        (["far", "--resume", "--trials", "0"], "--trials 0: must be"),
        (["a/b", "--resume"], "'a/b': a study's name"),
        (["far", "--resume", "--results", "results"], "--results results: is on the cluster's"),
        (["--force"], "--force: is for --resume"),
    ],
)
def test_an_invalid_resume_submits_nothing(call, argv, message):
    code, out, err = call("submit", *argv)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_wait_ends_with_the_exit_code_of_the_search(call, succeed, foreign):
    job = foreign("echo why; exit 3", {"xortune": "search", "study": "s", "results": "~/r"})
    code, out, err = call("wait", job)
    assert (code, out) == (3, "")
    assert f"job {job} has ended: FAILED, exit code 3" in err
    assert "its last line: why" in err
    job = foreign("kill -9 $$", {"xortune": "search", "study": "s", "results": "~/r"})
    assert call("wait", job)[0] == 128 + signal.SIGKILL
    job = foreign("exec sleep 600", {"xortune": "search", "study": "s", "results": "~/r"})
    succeed("stop", job)
    assert call("wait", job)[0] == 128 + signal.SIGTERM


def test_ctrl_c_leaves_the_job_alone(at_the_cluster, call, foreign):
    job = foreign("echo begun; exec sleep 600", {"xortune": "search", "study": "s"})
    command = [sys.executable, "-m", "xortune", "logs", job, "--follow"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as child:
        assert any("begun" in line for line in child.stdout)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate()
    assert child.returncode == 130
    assert err.splitlines() == [
        f"xortune: the job continues. To stop it: python -m xortune stop {job}",
        "xortune: stopped",
    ]
    assert json.loads(call("status", job, "--format", "json")[1])["state"] == "RUNNING"


def test_a_study_that_is_not_on_the_cluster_cannot_be_resumed(call, succeed):
    job = submitted(succeed("submit", "nowhere", "--resume"))
    code, _, err = call("wait", job)
    assert (code, "no study 'nowhere'" in err) == (2, True)


@pytest.mark.long
def test_a_stopped_search_is_fetched_and_resumed_here(succeed, call, tmp_path):
    # Long on the cluster, one trial after the other; short here, ten at a time.
    space = space_file(tmp_path, {"lr": {"min": 0.1, "max": 9.0}, "epochs": {"value": 10_000_000}})
    settings = {"trials": 40, "generation": 10, "log_every": 5_000_000}
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


@pytest.mark.long
def test_an_agent_whose_port_is_taken(call):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running_cluster(agent_port=port) as started:
            code, out, err = call("submit", "smoke", "--address", started.address)
    assert (code, out) == (1, "")
    assert "--dashboard-agent-listen-port" in err
    assert err.count("\n") == 1


@pytest.mark.long
def test_the_recipe_of_readme_refuses_everyone_without_the_token():
    """From the moment that the head listens."""
    met = []

    def knock(ray):
        while Guard.REFUSED not in met:
            assert ray.poll() is None
            heads = [s.address for s in sockets_of(ray.pid) if s.process == "gcs_server"]
            met.extend(map(guard_at, heads))

    generate = ["get-auth-token", "--generate"]
    with running_cluster(before=generate, token=None, meanwhile=knock) as started:
        token = (started.home / ".ray" / "auth_token").read_text().strip()
        jobs = f"{started.address}/api/jobs/"
        assert requests.get(jobs, timeout=60).status_code == 401
        shown = {"Authorization": f"Bearer {token}"}
        assert requests.get(jobs, headers=shown, timeout=60).status_code == 200
    assert Guard.OPEN not in met
