"""A search on a cluster of several hosts, one of which is cut off in the middle.

python -m tests.hosts

For root on Linux; about three minutes. Exit code 0 if everything held, 1 if not, 2 where
no hosts can be made.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import yaml
from pandas.testing import assert_frame_equal
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import xortune
from tests.hosts import problems
from tests.hosts.machine import FOLDER, HOME, Host, Network, check_machine
from tests.hosts.problems import LONG, SEARCHES, begun, resumed, searched, write_problems
from xortune.errors import UsageError, XortuneError
from xortune.report import UNREPEATABLE

PORT = 6379
TRIALS = 60
PACKAGE = Path(xortune.__file__).resolve().parent
SPACE = {
    "lr": {"values": [0.1, 1.0, 10.0]},
    "epochs": {"min": 2_000_000, "max": 3_000_000},
    "seed": {"min": 0, "max": 999},
    "loss_fn": {"values": ["mse", "bce", "bce_with_logits"]},
}
RECORDED = ["--trials", str(TRIALS), "--generation", "20", "--log-every", "1000000"]
RAY = [sys.executable, "-m", "ray.scripts.scripts"]
TOKEN = {"RAY_AUTH_MODE": "token"}
NODES = """
import sys, time
from ray._raylet import GcsClient
gcs = GcsClient(address=sys.argv[1])
while True:
    nodes = [node for node in gcs.get_all_node_info(timeout=30).values() if not node.state]
    print("alive", *sorted(node.node_manager_address for node in nodes), flush=True)
    time.sleep(0.5)
"""


class Failed(Exception):
    """Something did not hold."""


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        try:
            check_machine()
            network = Network()
        except UsageError as error:
            print(f"tests.hosts: {error}", file=sys.stderr)
            return 2
        with network:
            _check(network)
    except KeyboardInterrupt:
        print("stopped; every host is taken down")
        return 130
    except (Failed, AssertionError, RuntimeError, XortuneError, subprocess.TimeoutExpired) as error:
        print(f"FAILED: {error}")
        return 1
    print("all held; every host is taken down")
    return 0


def _check(network: Network) -> None:
    hidden = _packages()
    token = secrets.token_hex(32)
    head = network.add("head")
    workers = [network.add(f"worker-{number}", hidden) for number in (1, 2, 3)]
    stranger = network.add("stranger", hidden)
    for host in (head, *workers):
        _write(host, HOME / ".ray" / "auth_token", token)
    _write(stranger, HOME / ".ray" / "auth_token", secrets.token_hex(32))
    _write(head, FOLDER / "space.yaml", yaml.safe_dump({"parameters": SPACE}))
    _check_nothing_is_shared(head, [*workers, stranger])

    whole = _search(head, "whole", "--runner", "inline")
    _end(whole, "the undisturbed search of the inline runner")

    _start_head(head)
    for worker in workers[:2]:
        _join(worker, head)
    nodes = _Nodes(head)
    nodes.wait_for(lambda alive: {w.address for w in workers[:2]} <= alive, 60)
    _say(f"a cluster of {head.name}, {workers[0].name} and {workers[1].name}, behind a token")
    refusals = [
        (mode, stranger.start(_join_command(stranger, head), mode))
        for mode in (TOKEN, {"RAY_AUTH_MODE": "disabled"})
    ]
    search = _search(head, "cut", "--address", f"{head.address}:{PORT}", "--pack-size", "1")
    _wait_for_trials(search, 4)
    network.cut(workers[1])
    since = time.monotonic()
    _say(f"{workers[1].name} is cut off while it trains")
    _join(workers[2], head)
    _say(f"{workers[2].name} joins late")
    nodes.wait_for(lambda alive: workers[1].address not in alive, 200)
    _say(f"Ray gave {workers[1].name} up {time.monotonic() - since:.0f} s after the cut")
    _end(search, "the search on the cluster")
    _search_problems(head)

    with tempfile.TemporaryDirectory() as folder:
        # SQLite does not open files of another mount namespace in place.
        results = shutil.copytree(head.disk(FOLDER / "results"), Path(folder) / "results")
        whole, cut = (xortune.load(results / name) for name in ("whole", "cut"))
        _check_answer(whole, cut, workers)
        _check_runs(whole, cut)
        _check_problems(results, [workers[0], workers[2]])
    _check_workers_have_nothing(workers)
    for mode, process in refusals:
        output, _ = process.communicate(timeout=200)
        if process.returncode == 0 or stranger.address in nodes.ever:
            raise Failed(f"a host without the token joined, with {mode}: {output}")
    _say("a host without the token cannot join")


def _packages() -> list[Path]:
    """Where Python finds this package, here and by an installation: hidden from workers."""
    where = [sys.executable, "-c", "import xortune; print(xortune.__file__)"]
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        where, capture_output=True, text=True, cwd="/", env=environment, check=False
    )
    installed = [Path(done.stdout.strip()).resolve().parent] if done.returncode == 0 else []
    return [PACKAGE, *installed]


def _check_nothing_is_shared(head: Host, others: list[Host]) -> None:
    _write(head, FOLDER / "mark", "of the head")
    for other in others:
        if other.disk(FOLDER / "mark").exists():
            raise Failed(f"{other.name} sees the working folder of {head.name}")
        code, output = other.run(["touch", str(PACKAGE.parent / "mark")])
        if code == 0:
            raise Failed(f"{other.name} can write to the disk of this machine")
        code, output = other.run([sys.executable, "-c", "import xortune.trial"])
        if code == 0 or "ModuleNotFoundError" not in output:
            raise Failed(f"{other.name} has xortune: {output}")
    _say("hosts share no folder that they can write to, and workers have no xortune")


def _start_head(head: Host) -> None:
    command = [*RAY, "start", "--head", f"--port={PORT}", "--num-cpus=0"]
    command += [f"--node-ip-address={head.address}", "--include-dashboard=false"]
    head.must(*command, "--object-store-memory=100000000", "--disable-usage-stats", **TOKEN)


def _join_command(host: Host, head: Host) -> list[str]:
    command = [*RAY, "start", f"--address={head.address}:{PORT}", "--num-cpus=1"]
    command += [f"--node-ip-address={host.address}", "--object-store-memory=100000000"]
    return [*command, "--disable-usage-stats"]


def _join(worker: Host, head: Host) -> None:
    worker.must(*_join_command(worker, head), **TOKEN)


def _search(head: Host, name: str, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "xortune", "search", "space.yaml", *RECORDED]
    command += ["--name", name, "--results", "results", *options]
    return head.start(command, {**TOKEN, "PYTHONPATH": str(PACKAGE.parent)})


def _wait_for_trials(search: subprocess.Popen[str], count: int, total: int = TRIALS) -> None:
    seen = []
    for line in search.stdout or ():
        seen.append(line)
        done = re.match(rf"(\d+)/{total} trials", line)
        if done and count <= int(done[1]) < total // 2:
            return
    raise Failed("the search was never in the middle:\n" + "".join(seen))


def _end(search: subprocess.Popen[str], what: str) -> None:
    output, _ = search.communicate(timeout=600)
    if search.returncode:
        raise Failed(f"{what} ended with {search.returncode}:\n{output}")
    _say(f"{what} is done")


def _check_answer(whole: xortune.Study, cut: xortune.Study, workers: list[Host]) -> None:
    unrepeatable = list(UNREPEATABLE)
    assert_frame_equal(
        cut.trials.drop(columns=unrepeatable),
        whole.trials.drop(columns=unrepeatable),
        check_exact=True,
    )
    _say(f"{len(cut.trials)} trials have the undisturbed search's table, to the last bit")
    if sorted(cut.trials["number"]) != list(range(TRIALS)):
        raise Failed(f"not every trial once: {sorted(cut.trials['number'])}")
    _say("every trial is told once")
    by_host = cut.trials["worker"].str.partition(":")[0].value_counts().to_dict()
    if set(by_host) != {worker.name for worker in workers}:
        raise Failed(f"not every worker host trained: {by_host}")
    _say(f"trials by host: {by_host}")


def _search_problems(head: Host) -> None:
    """Searches the user's function and the table, in one process of the head and on the cluster."""
    write_problems(lambda name, text: _write(head, FOLDER / name, text))
    here = {**TOKEN, "PYTHONPATH": str(PACKAGE.parent)}
    for kind in SEARCHES:
        searched(head, kind, f"{kind}-whole", "--runner", "inline", **here)
        on_cluster = ("--runner", "ray", "--address", f"{head.address}:{PORT}", "--pack-size", "2")
        searched(head, kind, f"{kind}-spread", *on_cluster, **here)
    long = (LONG, "--engine", "plain")  # C would be through before it is killed.
    searched(head, "module", "killed-whole", *long, "--runner", "inline", **here)
    search = begun(head, "module", "killed-spread", *long, *on_cluster, **here)
    _wait_for_trials(search, 2, problems.TRIALS)
    head.kill(search)
    _say("the driver of a module's search is killed")
    resumed(head, "module", "killed-spread", *on_cluster, **here)


def _check_problems(results: Path, workers: list[Host]) -> None:
    unrepeatable = list(UNREPEATABLE)
    for kind in (*SEARCHES, "killed"):
        whole, spread = (xortune.load(results / f"{kind}-{name}") for name in ("whole", "spread"))
        assert_frame_equal(
            spread.trials.drop(columns=unrepeatable),
            whole.trials.drop(columns=unrepeatable),
            check_exact=True,
        )
        by_host = spread.trials["worker"].str.partition(":")[0].value_counts().to_dict()
        if not set(by_host) <= {worker.name for worker in workers}:
            raise Failed(f"the {kind} was trained elsewhere: {by_host}")
        what = "a module whose driver was killed" if kind == "killed" else f"a {kind}"
        _say(f"{what}, whose files only the head has: the same table; trials by host: {by_host}")


def _check_runs(whole: xortune.Study, cut: xortune.Study) -> None:
    runs = _runs(cut)
    if len(runs) != TRIALS or runs != _runs(whole):
        raise Failed("the TensorBoard runs are not those of the undisturbed search")
    _say("every TensorBoard run is complete")


def _check_workers_have_nothing(workers: list[Host]) -> None:
    left = [
        str(path)
        for worker in workers
        for name in ("events.out.tfevents.*", "study.db*", "trials.*")
        for folder in (FOLDER, HOME, Path("/tmp/ray"))
        for path in worker.disk(folder).rglob(name)
    ]
    if left:
        raise Failed(f"workers have files of the study: {left}")
    _say("runs, ledger and tables are on the head only")


def _runs(study: xortune.Study) -> dict[str, dict[str, list[tuple[int, float]]]]:
    """Every point of every run of a study."""
    found = {}
    for folder in sorted(study.paths.tensorboard.iterdir()):
        (file,) = folder.iterdir()
        events = EventAccumulator(str(file), size_guidance={"tensors": 0, "scalars": 0}).Reload()
        found[folder.name] = {
            tag: [(e.step, e.value) for e in events.Scalars(tag)]
            for tag in events.Tags()["scalars"]
        }
    return found


class _Nodes:
    """Watches, on the head, which nodes Ray considers alive.

    Attributes:
        ever: the addresses that were alive at some time.
    """

    def __init__(self, head: Host) -> None:
        self.ever: set[str] = set()
        self._alive: set[str] = set()
        self._news = threading.Condition()
        command = [sys.executable, "-c", NODES, f"{head.address}:{PORT}"]
        self._process = head.start(command, TOKEN)
        threading.Thread(target=self._watch, daemon=True).start()

    def wait_for(self, condition: Callable[[set[str]], bool], seconds: float) -> None:
        with self._news:
            if not self._news.wait_for(lambda: condition(self._alive), seconds):
                raise Failed(f"after {seconds} s Ray still considers {sorted(self._alive)} alive")

    def _watch(self) -> None:
        for line in self._process.stdout or ():
            word, *addresses = line.split()
            if word == "alive":
                with self._news:
                    self._alive = set(addresses)
                    self.ever |= self._alive
                    self._news.notify_all()


def _write(host: Host, path: Path, text: str) -> None:
    place = host.disk(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
