"""Runs as a real TensorBoard serves them."""

import pytest

import xortune
from tests.make import make_params
from tests.tensorboard.reading import FAILED, SOUND, finished, run_writer
from tests.tensorboard.serving import serving
from xortune.trial import FinishedTrial

TRIALS = (
    finished(0, SOUND),
    finished(1, FAILED),
    finished(2, make_params(lr=0.5, epochs=20, seed=0, loss_fn="bce_with_logits")),
    finished(3, make_params(lr=0.5, epochs=40, seed=99)),
)
CURVES = ("loss/training", "loss/validation")
RESULTS = ("result/final_loss", "result/train_loss", "result/accuracy")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A results folder with a study whose runs are those of `TRIALS`, and another study."""
    folder = tmp_path_factory.mktemp("results")
    for name, runs in (("one", "none"), ("two", "all")):
        xortune.search(
            "smoke", trials=2, name=name, results=folder, runner="inline", tensorboard=runs
        )
    writer = run_writer(folder / "one")
    for trial in TRIALS:
        writer.write(trial)
    return folder


@pytest.fixture(scope="module")
def server(results):
    """Serves the study, with all of its runs loaded."""
    with serving("one", "--results", results) as server:
        server.wait_for_runs(len(TRIALS))
        yield server


def by_run() -> dict[str, FinishedTrial]:
    """The trials by the names of their runs."""
    return {f"trial-{finished.trial.number:05d}": finished for finished in TRIALS}


def test_the_address_opens_on_the_curves_and_nothing_else_is_said(server):
    assert server.said == f"study one at {server.address}\n"
    assert server.address.endswith("/?tagFilter=%5Eloss%2F&smoothing=0#timeseries")


def test_tensorboard_shows_every_run_s_scalars(server):
    shown = {run: set(tags) for run, tags in server.get("/data/plugin/scalars/tags").items()}
    assert shown == {
        name: {*CURVES, *RESULTS} if found.outcome.state == "COMPLETE" else {*CURVES}
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
    shown = {info["name"]["tag"]: info["displayName"] for info in experiment["metricInfos"]}
    assert list(shown) == [*RESULTS, *CURVES]
    assert list(shown.values()) == ["final_loss", "train_loss", "accuracy", *CURVES]


def test_tensorboard_shows_every_trial_with_its_parameters_and_scores(server):
    by_name = server.trials()
    assert set(by_name) == set(by_run())
    for name, found in by_run().items():
        group, outcome = by_name[name], found.outcome
        assert group["hparams"] == dict(found.trial.params)
        complete = outcome.state == "COMPLETE"
        status = "STATUS_SUCCESS" if complete else "STATUS_FAILURE"
        assert [session["status"] for session in group["sessions"]] == [status]
        shown = {metric["name"]["tag"]: metric["value"] for metric in group["metricValues"]}
        curve = outcome.curve.series
        expected = {tag: curve[tag.partition("/")[2]][-1] for tag in CURVES}
        if outcome.scores is not None:
            measured = [outcome.scores[name] for name in ("mse", "train_loss", "accuracy")]
            expected |= dict(zip(RESULTS, measured))
        # JSON has no infinity.
        assert {tag: float(value) for tag, value in shown.items()} == expected


def test_all_studies_are_served_together(results):
    with serving("--results", results) as server:
        server.wait_for_runs(len(TRIALS) + 2)
        names = {f"one/tensorboard/{name}" for name in by_run()}
        names |= {f"two/tensorboard/trial-0000{number}" for number in range(2)}
        assert {*server.get("/data/plugin/scalars/tags")} == names
        assert server.said.startswith("all studies in ")
        assert server.address.endswith("/?tagFilter=%5Eloss%2F&smoothing=0#timeseries")


@pytest.mark.long
def test_the_best_trials_are_served_alone(tmp_path):
    study = xortune.search("smoke", trials=9, name="one", results=tmp_path, runner="inline")
    best = study.trials["number"].head(3)
    with serving(study.paths.folder, "--top", 3) as server:
        server.wait_for_runs(3)
        assert {*server.trials()} == {f"trial-{number:05d}" for number in best}
        assert server.said.startswith("the best 3 trials of study one at ")


def test_the_curves_as_metrics_of_a_run_are_its_points(server):
    """What `Show Metrics` of the HPARAMS tab draws."""
    request = {"sessionName": "trial-00000", "metricName": {"tag": "loss/validation"}}
    shown = server.get("/data/plugin/hparams/metric_evals", request)
    curve = TRIALS[0].outcome.curve
    expected = list(zip(curve.epochs, curve.series["validation"]))
    assert [(step, value) for _, step, value in shown] == expected
