"""Runs as TensorBoard's own reader finds them, and as a real TensorBoard serves them."""

import io
import json
import math
import os
import re
import resource
import struct
import subprocess
import sys
import threading
import time
import urllib.request
import warnings
from collections import Counter
from dataclasses import dataclass

import google_crc32c
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

import xortune
from xortune.engines.xor import train_pack
from xortune.errors import XortuneError
from xortune.paths import StudyPaths
from xortune.problems.xor import XOR, load_data
from xortune.space import load_space
from xortune.tensorboard.runs import METRIC_TAGS, RunWriter, model_graph
from xortune.trial import LOSS_FNS, Curve, FinishedTrial, Metric, Outcome, Params, Scores, Trial

SPACE = load_space(
    {
        "lr": {"values": [0.5, 3e38]},
        "epochs": {"min": 20, "max": 40, "distribution": "q_uniform", "q": 20},
        "seed": {"min": 0, "max": 99},
        "loss_fn": {"values": ["mse", "bce_with_logits"]},
    }
)
SOUND = Params(0.5, 40, 7)
FAILED = Params(3e38, 40, 0, "bce_with_logits")
WAIT_S = 60.0


def run_writer(tmp_path, metric: Metric = "mse") -> RunWriter:
    return RunWriter(StudyPaths(tmp_path), SPACE, metric)


def finished(number: int, params: Params = SOUND) -> FinishedTrial:
    return FinishedTrial(Trial(number, 0, params), train_pack([params], log_every=16)[0])


def read(tmp_path, number: int) -> EventAccumulator:
    reader = EventAccumulator(str(StudyPaths(tmp_path).run(number)))
    reader.Reload()
    return reader


def points(reader: EventAccumulator, tag: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in reader.Scalars(tag)]


def float32(value: float) -> float:
    return struct.unpack("f", struct.pack("f", value))[0]


def plugin_data(reader: EventAccumulator, tag: str) -> plugin_data_pb2.HParamsPluginData:
    content = reader.SummaryMetadata(tag).plugin_data.content
    return plugin_data_pb2.HParamsPluginData.FromString(content)


def events(tmp_path, number: int) -> list[Event]:
    """All events of a run, as TensorBoard's own loader reads them, checksums checked."""
    (file,) = StudyPaths(tmp_path).run(number).iterdir()
    return [Event.FromString(data) for data in RawEventFileLoader(str(file)).Load()]


def scalar_events(tmp_path, number: int) -> list[Event]:
    """Without their times, which are checked to be those of a clock."""
    found = [e for e in events(tmp_path, number) if e.summary.value]
    assert all(abs(event.wall_time - time.time()) < WAIT_S for event in found)
    return [
        Event(step=event.step, summary=event.summary)
        for event in found
        if event.summary.value[0].HasField("simple_value")
    ]


def scalar_event(step: int, values: dict[str, float]) -> Event:
    """An event that protobuf builds from scratch."""
    made = [Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
    return Event(step=step, summary=Summary(value=made))


def serialised(messages: list[Event]) -> list[bytes]:
    """Comparable even where a loss is NaN."""
    return [message.SerializeToString() for message in messages]


@pytest.fixture(scope="module")
def trial() -> FinishedTrial:
    return finished(42)


@pytest.fixture(scope="module")
def reader(trial, tmp_path_factory) -> EventAccumulator:
    folder = tmp_path_factory.mktemp("study")
    run_writer(folder).write(trial)
    return read(folder, 42)


def test_a_run_has_the_curves_in_one_chart_group_and_the_scores(reader):
    assert set(reader.Tags()["scalars"]) == {
        "loss/training", "loss/validation", "final_loss", "train_loss", "accuracy",
    }  # fmt: skip


def test_a_run_s_curves_are_exact_and_against_the_epoch(reader, trial):
    curve = trial.outcome.curve
    assert curve.epochs == (0, 16, 32, 40)
    assert points(reader, "loss/training") == list(zip(curve.epochs, curve.training))
    assert points(reader, "loss/validation") == list(zip(curve.epochs, curve.validation))


def test_a_run_s_scores_stand_at_the_last_epoch(reader, trial):
    scores = trial.outcome.scores
    assert points(reader, "final_loss") == [(40, scores.mse)]
    assert points(reader, "train_loss") == [(40, scores.train_loss)]
    assert points(reader, "accuracy") == [(40, scores.accuracy)]


def test_a_run_has_the_graph(reader):
    assert reader.Graph() == model_graph()


def test_a_run_s_session_has_the_trial_s_parameters_and_ends_well(reader, trial):
    start = plugin_data(reader, metadata.SESSION_START_INFO_TAG).session_start_info
    end = plugin_data(reader, metadata.SESSION_END_INFO_TAG).session_end_info
    hparams = start.hparams
    assert set(hparams) == {"lr", "epochs", "seed", "loss_fn"}
    assert [hparams[name].number_value for name in ("lr", "epochs", "seed")] == [0.5, 40, 7]
    assert hparams["loss_fn"].string_value == "mse"
    assert end.status == api_pb2.STATUS_SUCCESS
    duration = end.end_time_secs - start.start_time_secs
    assert duration == pytest.approx(trial.outcome.duration_s, abs=1e-5)


def test_a_run_s_experiment_has_the_study_s_domains_and_metrics(reader):
    experiment = plugin_data(reader, metadata.EXPERIMENT_TAG).experiment
    infos = {info.name: info for info in experiment.hparam_infos}
    assert list(infos) == ["lr", "epochs", "seed", "loss_fn"]
    assert list(infos["lr"].domain_discrete) == [0.5, 3e38]
    assert list(infos["loss_fn"].domain_discrete) == ["mse", "bce_with_logits"]
    for name, low, high in (("epochs", 20, 40), ("seed", 0, 99)):
        interval = infos[name].domain_interval
        assert (interval.min_value, interval.max_value) == (low, high)
    types = [info.type for info in experiment.hparam_infos]
    assert types == [api_pb2.DATA_TYPE_FLOAT64] * 3 + [api_pb2.DATA_TYPE_STRING]
    tags = [info.name.tag for info in experiment.metric_infos]
    assert tags == ["final_loss", "train_loss", "accuracy"]


def test_the_final_loss_is_the_study_s_yardstick(tmp_path):
    trial = finished(0)
    run_writer(tmp_path, "bce").write(trial)
    assert points(read(tmp_path, 0), "final_loss") == [(40, trial.outcome.scores.bce)]
    assert trial.outcome.scores.bce != trial.outcome.scores.mse


def test_digits_that_float32_does_not_have_are_rounded(tmp_path):
    curve = Curve((0, 3), (0.1, 0.2), (0.3, math.pi))
    outcome = Outcome("COMPLETE", Scores(0.1, 0.2, 0.3, 0.75), curve)
    run_writer(tmp_path).write(FinishedTrial(Trial(0, 0, Params(epochs=3)), outcome))
    found = points(read(tmp_path, 0), "loss/validation")
    assert found == [(0, float32(0.3)), (3, float32(math.pi))]


def test_a_failed_trial_has_its_curve_but_no_scores(tmp_path):
    trial = finished(3, FAILED)
    run_writer(tmp_path).write(trial)
    reader = read(tmp_path, 3)
    assert set(reader.Tags()["scalars"]) == {"loss/training", "loss/validation"}
    assert points(reader, "loss/training")[-1] == (40, math.inf)
    end = plugin_data(reader, metadata.SESSION_END_INFO_TAG).session_end_info
    assert end.status == api_pb2.STATUS_FAILURE


def test_a_trial_that_never_ran_has_a_run_too(tmp_path):
    lost = FinishedTrial(Trial(0, 0, FAILED), Outcome("FAIL", error="its worker died"))
    run_writer(tmp_path).write(lost)
    reader = read(tmp_path, 0)
    assert reader.Tags()["scalars"] == []
    start = plugin_data(reader, metadata.SESSION_START_INFO_TAG).session_start_info
    assert start.hparams["loss_fn"].string_value == "bce_with_logits"


LOSSES = st.floats(width=32) | st.floats() | st.sampled_from((0.0, -0.0, 1e39, -1e39))
POINTS = st.lists(st.tuples(st.integers(0, 2**40), LOSSES, LOSSES), max_size=5)
SCORES = st.none() | st.builds(Scores, LOSSES, LOSSES, LOSSES, LOSSES)
TRIALS = st.lists(st.tuples(POINTS, SCORES), min_size=1, max_size=3)


@settings(deadline=None)
@given(TRIALS)
def test_every_number_of_every_trial_stands_as_protobuf_writes_it(tmp_path_factory, trials):
    """One writer writes them all: nothing of a trial may show in the next one's run."""
    folder = tmp_path_factory.mktemp("study")
    writer = run_writer(folder, "bce")
    for number, (points, scores) in enumerate(trials):
        curve = Curve(*zip(*points)) if points else Curve((), (), ())
        outcome = Outcome("COMPLETE" if scores else "FAIL", scores, curve)
        writer.write(FinishedTrial(Trial(number, 0, Params(epochs=41)), outcome))
    for number, (points, scores) in enumerate(trials):
        expected = [
            scalar_event(step, {"loss/training": training, "loss/validation": validation})
            for step, training, validation in points
        ]
        if scores:
            measured = (scores.bce, scores.train_loss, scores.accuracy)
            expected.append(scalar_event(41, dict(zip(METRIC_TAGS, measured))))
        assert serialised(scalar_events(folder, number)) == serialised(expected)


def test_losses_that_are_no_numbers_are_read_back(tmp_path):
    curve = Curve((0, 7), (math.nan, -math.inf), (math.inf, math.nan))
    run_writer(tmp_path).write(FinishedTrial(Trial(0, 0, SOUND), Outcome("FAIL", curve=curve)))
    reader = read(tmp_path, 0)
    assert [str(value) for _, value in points(reader, "loss/training")] == ["nan", "-inf"]
    assert [str(value) for _, value in points(reader, "loss/validation")] == ["inf", "nan"]


WHOLE = st.integers(0, 2**53)
PARAMS = st.builds(Params, st.floats(0), WHOLE, WHOLE, st.sampled_from(LOSS_FNS))


@settings(deadline=None)
@given(st.lists(PARAMS, min_size=1, max_size=3))
def test_every_run_s_session_has_its_own_parameters_and_end(tmp_path_factory, tried):
    folder = tmp_path_factory.mktemp("study")
    writer = run_writer(folder)
    for number, params in enumerate(tried):
        state = "FAIL" if number % 2 else "COMPLETE"
        writer.write(FinishedTrial(Trial(number, 0, params), Outcome(state)))
    for number, params in enumerate(tried):
        start, end = session(folder, number)
        found = {name: start.hparams[name].number_value for name in ("lr", "epochs", "seed")}
        assert found == {"lr": params.lr, "epochs": params.epochs, "seed": params.seed}
        assert start.hparams["loss_fn"].string_value == params.loss_fn
        assert end.status == (api_pb2.STATUS_FAILURE if number % 2 else api_pb2.STATUS_SUCCESS)


def session(tmp_path, number: int):
    """What a run says of its start and of its end."""
    *_, start, end = (
        plugin_data_pb2.HParamsPluginData.FromString(value.metadata.plugin_data.content)
        for event in events(tmp_path, number)
        for value in event.summary.value
        if value.metadata.plugin_data.plugin_name == metadata.PLUGIN_NAME
    )
    assert start.version == end.version == metadata.PLUGIN_DATA_VERSION
    return start.session_start_info, end.session_end_info


def test_a_run_is_the_records_that_tensorboard_s_own_writer_writes(tmp_path, trial):
    run_writer(tmp_path).write(trial)
    (file,) = StudyPaths(tmp_path).run(42).iterdir()
    buffer = io.BytesIO()
    records = RecordWriter(buffer)
    for data in RawEventFileLoader(str(file)).Load():
        records.write(data)
    assert file.read_bytes() == buffer.getvalue()


def test_a_run_begins_with_the_version_and_ends_with_the_session(tmp_path, trial):
    run_writer(tmp_path).write(trial)
    first, *_, last = events(tmp_path, 42)
    assert first.file_version == "brain.Event:2"
    assert last.summary.value[0].tag == metadata.SESSION_END_INFO_TAG


def test_checksums_are_computed_in_c():
    assert google_crc32c.implementation == "c"


def test_a_run_that_cannot_be_finished_is_missing_and_can_be_written(tmp_path, monkeypatch):
    def stop(*_):
        raise OSError("killed here")

    writer = run_writer(tmp_path)
    writer.write(finished(1))
    with monkeypatch.context() as killed:
        killed.setattr(os, "rename", stop)
        for number in (0, 1):
            with pytest.raises(XortuneError, match="killed here"):
                writer.write(finished(number))
            assert read(tmp_path, number).Tags()["scalars"] == []
    assert writer.missing([0, 1]) == [0, 1]
    for number in (0, 1):
        writer.write(finished(number))
        assert len(scalar_events(tmp_path, number)) == 5
    assert writer.missing([0, 1]) == []


def test_a_run_that_the_disk_has_no_room_for_is_missing(tmp_path):
    """The first write takes what there is room for, without an error."""
    writer, trial = run_writer(tmp_path), finished(0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(XortuneError, match="File too large. Free space"):
            writer.write(trial)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert writer.missing([0]) == [0]


def test_runs_are_folders_of_one_file_named_by_their_trial(tmp_path):
    writer = run_writer(tmp_path)
    for number in (0, 42, 123_456):
        writer.write(finished(number))
    folders = sorted(path.name for path in StudyPaths(tmp_path).tensorboard.iterdir())
    assert folders == ["trial-00000", "trial-00042", "trial-123456"]
    for number in (0, 42, 123_456):
        (file,) = StudyPaths(tmp_path).run(number).iterdir()
        assert file.name.startswith("events.out.tfevents.")


def test_writing_a_run_again_replaces_it(tmp_path):
    run = StudyPaths(tmp_path).run(0)
    run_writer(tmp_path).write(finished(0))
    (first,) = run.iterdir()
    first.rename(run / "events.out.tfevents.1.elsewhere")
    (run / ".partial").write_bytes(b"torn")
    run_writer(tmp_path).write(finished(0, Params(0.5, 20, 8)))
    assert len(list(run.iterdir())) == 1
    assert [step for step, _ in points(read(tmp_path, 0), "loss/training")] == [0, 16, 20]


def test_a_run_is_complete_or_missing(tmp_path):
    writer, paths = run_writer(tmp_path), StudyPaths(tmp_path)
    writer.write(finished(1))
    paths.run(2).mkdir()
    paths.run(3).mkdir()
    (paths.run(3) / ".partial").write_bytes(b"torn")
    assert writer.missing([0, 1, 2, 3]) == [0, 2, 3]
    writer.write(finished(3))
    assert writer.missing(range(4)) == [0, 2]


def nodes(graph) -> dict[str, tuple[str, tuple[str, ...], tuple[tuple[int, ...], ...]]]:
    """Operation, inputs and shapes of every node."""
    return {
        node.name: (
            node.op,
            tuple(node.input),
            tuple(
                tuple(dim.size for dim in shape.dim)
                for shape in node.attr["_output_shapes"].list.shape
            ),
        )
        for node in graph.node
    }


def chain(graph) -> list[tuple[str, tuple[tuple[int, ...], ...]]]:
    """Operation and shapes of the nodes from the input to the output."""
    found = nodes(graph)
    name = next(name for name in found if name.startswith("output/"))
    along = []
    while True:
        op, inputs, shapes = found[name]
        along.append((op, shapes))
        if not inputs:
            return along[::-1]
        name = inputs[0]


@pytest.fixture(scope="module")
def traced_graph(tmp_path_factory):
    """What the lab's `add_graph` writes."""
    folder = tmp_path_factory.mktemp("traced")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.utils.tensorboard import SummaryWriter

        with SummaryWriter(str(folder)) as writer:
            writer.add_graph(XOR(2, 1), load_data("xor").training.x)
    reader = EventAccumulator(str(folder))
    reader.Reload()
    return reader.Graph()


def test_the_graph_has_the_operations_that_pytorch_traces(traced_graph):
    ours, traced = (
        Counter(op for op, _, _ in nodes(graph).values() if op.startswith("aten::"))
        for graph in (model_graph(), traced_graph)
    )
    assert ours == traced == {"aten::linear": 2, "aten::sigmoid": 2}


def test_the_graph_has_the_shapes_that_pytorch_traces(traced_graph):
    assert chain(model_graph()) == chain(traced_graph)
    assert [shapes for _, shapes in chain(model_graph())] == [
        ((4, 2),), ((4, 2),), ((4, 2),), ((4, 1),), ((4, 1),), ((4, 1),),
    ]  # fmt: skip


def test_the_graph_s_weights_have_the_model_s_names_and_shapes():
    found = nodes(model_graph())
    for name, tensor in XOR(2, 1).state_dict().items():
        layer, kind = name.split(".")
        op, _, shapes = found[f"XOR/Linear[{layer}]/{kind}"]
        assert (op, shapes) == ("prim::GetAttr", (tuple(tensor.shape),))


def test_every_input_of_a_node_is_a_node():
    found = nodes(model_graph())
    assert {name for _, inputs, _ in found.values() for name in inputs} <= set(found)


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
def study(tmp_path_factory):
    return xortune.search(
        dict(SPACE.parameters),
        trials=6,
        name="served",
        results=tmp_path_factory.mktemp("results"),
        runner="inline",
        sampler="random",
        study_seed=5,
        log_every=10,
    )


@pytest.fixture(scope="module")
def server(study):
    """Serves the study's runs, all of them loaded."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(study.paths.tensorboard)]
    with subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            found = (re.search(r"http://127\.0\.0\.1:\d+", line) for line in process.stderr)
            server = Server(next(match[0] for match in found if match))
            _wait_for_runs(server, 6)
            yield server
        finally:
            process.terminate()


def _wait_for_runs(server: Server, runs: int) -> None:
    deadline = time.monotonic() + WAIT_S
    while len(server.get("/data/plugin/scalars/tags")) < runs:
        assert time.monotonic() < deadline, "TensorBoard has not loaded all runs"
        threading.Event().wait(0.1)


def rows(study) -> dict[str, dict]:
    """The study's trials by the names of their runs."""
    return {f"trial-{row['number']:05d}": row for row in study.trials.to_dict("records")}


def test_the_served_study_has_complete_and_failed_trials(study):
    assert {row["state"] for row in rows(study).values()} == {"COMPLETE", "FAIL"}


def test_tensorboard_shows_every_run_s_scalars(study, server):
    shown = {run: set(tags) for run, tags in server.get("/data/plugin/scalars/tags").items()}
    losses = {"loss/training", "loss/validation"}
    scores = {"final_loss", "train_loss", "accuracy"}
    assert shown == {
        name: losses | scores if row["state"] == "COMPLETE" else losses
        for name, row in rows(study).items()
    }


def test_tensorboard_shows_every_trial_s_curve(study, server):
    for name, row in rows(study).items():
        route = f"/data/plugin/scalars/scalars?run={name}&tag=loss/training"
        shown = [(step, float(value)) for _, step, value in server.get(route)]
        curve = study.curves(row["number"])
        assert shown == list(zip(curve["epoch"], curve["training"]))


def test_tensorboard_shows_the_study_s_domains(server):
    experiment = server.get("/data/plugin/hparams/experiment", {"experimentName": ""})
    infos = {info["name"]: info for info in experiment["hparamInfos"]}
    assert infos["lr"]["domainDiscrete"] == [0.5, 3e38]
    assert infos["loss_fn"]["domainDiscrete"] == ["mse", "bce_with_logits"]
    assert infos["epochs"]["domainInterval"] == {"minValue": 20, "maxValue": 40}
    assert infos["seed"]["domainInterval"] == {"minValue": 0, "maxValue": 99}
    tags = [info["name"]["tag"] for info in experiment["metricInfos"]]
    assert tags == ["final_loss", "train_loss", "accuracy"]


def test_tensorboard_shows_every_trial_with_its_parameters_and_scores(study, server):
    request = {
        "experimentName": "",
        "allowedStatuses": ["STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING", "STATUS_UNKNOWN"],
        "colParams": [],
        "startIndex": 0,
        "sliceSize": 100,
    }
    groups = server.get("/data/plugin/hparams/session_groups", request)["sessionGroups"]
    by_name = {group["name"]: group for group in groups}
    assert set(by_name) == set(rows(study))
    for name, row in rows(study).items():
        group = by_name[name]
        assert group["hparams"] == {key: row[key] for key in ("lr", "epochs", "seed", "loss_fn")}
        complete = row["state"] == "COMPLETE"
        status = "STATUS_SUCCESS" if complete else "STATUS_FAILURE"
        assert [session["status"] for session in group["sessions"]] == [status]
        shown = {metric["name"]["tag"]: metric["value"] for metric in group["metricValues"]}
        tags = ("final_loss", "train_loss", "accuracy") if complete else ()
        assert shown == {tag: row[tag] for tag in tags}


def test_a_served_run_can_be_written_again_from_the_ledger(study):
    """The run of a crash between the two is made up for when the study is resumed."""
    (file,) = study.paths.run(2).iterdir()
    file.rename(file.with_name(".partial"))
    xortune.resume(study.paths.folder, runner="inline")
    (again,) = study.paths.run(2).iterdir()
    assert again.name.startswith("events.out.tfevents.")
    reader = read(study.paths.folder, 2)
    curve = study.curves(2)
    assert points(reader, "loss/training") == list(zip(curve["epoch"], curve["training"]))
