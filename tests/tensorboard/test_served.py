"""Runs as a real TensorBoard serves them."""

import json
import re
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass

import pytest

from tests.make import make_params
from tests.tensorboard.reading import FAILED, SOUND, WAIT_S, finished, run_writer
from xortune.paths import StudyPaths
from xortune.trial import FinishedTrial

TRIALS = (
    finished(0, SOUND),
    finished(1, FAILED),
    finished(2, make_params(lr=0.5, epochs=20, seed=0, loss_fn="bce_with_logits")),
    finished(3, make_params(lr=0.5, epochs=40, seed=99)),
)


@dataclass(frozen=True)
class Server:
    """A TensorBoard that answers at `url`."""

    url: str

    def get(self, route: str, body: object = None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + route, data, {"Content-Type": "application/json"}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=WAIT_S) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Serves the runs of `TRIALS`, all of them loaded."""
    paths = StudyPaths(tmp_path_factory.mktemp("study"))
    writer = run_writer(paths.folder)
    for trial in TRIALS:
        writer.write(trial)
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(paths.tensorboard)]
    with subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            found = (re.search(r"http://127\.0\.0\.1:\d+", line) for line in process.stderr)
            server = Server(next(match[0] for match in found if match))
            _wait_for_runs(server, len(TRIALS))
            yield server
        finally:
            process.terminate()


def _wait_for_runs(server: Server, runs: int) -> None:
    deadline = time.monotonic() + WAIT_S
    while len(server.get("/data/plugin/scalars/tags")) < runs:
        assert time.monotonic() < deadline, "TensorBoard has not loaded all runs"
        threading.Event().wait(0.1)


def by_run() -> dict[str, FinishedTrial]:
    """The trials by the names of their runs."""
    return {f"trial-{finished.trial.number:05d}": finished for finished in TRIALS}


def test_tensorboard_shows_every_run_s_scalars(server):
    shown = {run: set(tags) for run, tags in server.get("/data/plugin/scalars/tags").items()}
    losses = {"loss/training", "loss/validation"}
    scores = {"final_loss", "train_loss", "accuracy"}
    assert shown == {
        name: losses | scores if found.outcome.state == "COMPLETE" else losses
        for name, found in by_run().items()
    }


def test_tensorboard_shows_every_trial_s_curve(server):
    for name, found in by_run().items():
        route = f"/data/plugin/scalars/scalars?run={name}&tag=loss/training"
        shown = [(step, float(value)) for _, step, value in server.get(route)]
        curve = found.outcome.curve
        assert shown == list(zip(curve.epochs, curve.series["training"]))


def test_tensorboard_shows_the_study_s_domains(server):
    experiment = server.get("/data/plugin/hparams/experiment", {"experimentName": ""})
    infos = {info["name"]: info for info in experiment["hparamInfos"]}
    assert infos["lr"]["domainDiscrete"] == [0.5, 3e38]
    assert infos["loss_fn"]["domainDiscrete"] == ["mse", "bce_with_logits"]
    assert infos["epochs"]["domainInterval"] == {"minValue": 20, "maxValue": 40}
    assert infos["seed"]["domainInterval"] == {"minValue": 0, "maxValue": 99}
    tags = [info["name"]["tag"] for info in experiment["metricInfos"]]
    assert tags == ["final_loss", "train_loss", "accuracy"]


def test_tensorboard_shows_every_trial_with_its_parameters_and_scores(server):
    request = {
        "experimentName": "",
        "allowedStatuses": ["STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING", "STATUS_UNKNOWN"],
        "colParams": [],
        "startIndex": 0,
        "sliceSize": 100,
    }
    groups = server.get("/data/plugin/hparams/session_groups", request)["sessionGroups"]
    by_name = {group["name"]: group for group in groups}
    assert set(by_name) == set(by_run())
    for name, found in by_run().items():
        group, outcome = by_name[name], found.outcome
        assert group["hparams"] == dict(found.trial.params)
        complete = outcome.state == "COMPLETE"
        status = "STATUS_SUCCESS" if complete else "STATUS_FAILURE"
        assert [session["status"] for session in group["sessions"]] == [status]
        shown = {metric["name"]["tag"]: metric["value"] for metric in group["metricValues"]}
        measured = {} if outcome.scores is None else dict(outcome.scores)
        expected = {"final_loss": measured.get("mse"), **measured} if measured else {}
        assert shown == {
            tag: expected[tag] for tag in ("final_loss", "train_loss", "accuracy") if expected
        }
