"""Runs as TensorBoard's own reader finds them."""

import io
import math
import os
import resource
import subprocess
import sys

import google_crc32c
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.plugins.hparams import api_pb2, metadata
from tensorboard.summary.writer.record_writer import RecordWriter

from tests.ledger.rungs import complete, pruned, rung_settings
from tests.make import make_curve, make_outcome, make_params, make_scores
from tests.report.specs import FOREST, PLAIN
from tests.tensorboard.reading import (
    DOMAINS,
    FAILED,
    GRAPH,
    SOUND,
    events,
    finished,
    float32,
    plugin_data,
    points,
    read,
    run_writer,
    scalar_event,
    scalar_events,
    serialised,
    session,
)
from xortune.errors import XortuneError
from xortune.paths import StudyPaths
from xortune.problems.xor.spec import LOSS_FNS
from xortune.space import load_space
from xortune.tensorboard.runs import RunWriter, graph_message
from xortune.trial import NO_CURVE, Curve, FinishedTrial, Outcome, Trial

CURVES = ("loss/training", "loss/validation")
TAGS = ("result/final_loss", "result/train_loss", "result/accuracy")
FOREST_SPACE = load_space(
    {
        "depth": {"min": 1, "max": 9},
        "momentum": {"min": 0.0, "max": 0.9},
        "bootstrap": {"values": [True, False]},
        "width": {"values": [8, 16]},
        "shrink": {"values": [1, 0.5]},
        "features": {"values": ["all", "sqrt"]},
    },
    FOREST,
)


@pytest.fixture(scope="module")
def trial() -> FinishedTrial:
    return finished(42)


@pytest.fixture(scope="module")
def reader(trial, tmp_path_factory) -> EventAccumulator:
    folder = tmp_path_factory.mktemp("study")
    run_writer(folder).write(trial)
    return read(folder, 42)


def test_a_run_has_the_curves_in_one_chart_group_and_the_scores(reader):
    assert set(reader.Tags()["scalars"]) == {*CURVES, *TAGS}


def test_a_run_s_curves_are_exact_and_against_the_epoch(reader, trial):
    curve = trial.outcome.curve
    assert curve.epochs == (0, 16, 32, 40)
    assert points(reader, "loss/training") == list(zip(curve.epochs, curve.series["training"]))
    assert points(reader, "loss/validation") == list(zip(curve.epochs, curve.series["validation"]))


def test_a_run_s_scores_stand_at_the_last_epoch(reader, trial):
    scores = trial.outcome.scores
    assert points(reader, "result/final_loss") == [(40, scores["mse"])]
    assert points(reader, "result/train_loss") == [(40, scores["train_loss"])]
    assert points(reader, "result/accuracy") == [(40, scores["accuracy"])]


def test_a_run_has_the_graph(reader):
    assert reader.Graph() == graph_message(GRAPH)


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
    shown = {info.name.tag: info.display_name for info in experiment.metric_infos}
    assert list(shown) == [*TAGS, *CURVES]
    assert list(shown.values()) == ["final_loss", "train_loss", "accuracy", *CURVES]


def test_the_final_loss_is_the_spec_s(tmp_path):
    trial = finished(0)
    run_writer(tmp_path, "bce").write(trial)
    assert points(read(tmp_path, 0), "result/final_loss") == [(40, trial.outcome.scores["bce"])]
    assert trial.outcome.scores["bce"] != trial.outcome.scores["mse"]


def test_digits_that_float32_does_not_have_are_rounded(tmp_path):
    curve = make_curve((0, 3), (0.1, 0.2), (0.3, math.pi))
    outcome = make_outcome(curve=curve)
    run_writer(tmp_path).write(FinishedTrial(Trial(0, 0, make_params(epochs=3)), outcome))
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


RUNGS = rung_settings(3).spec
RUNGS_SPACE = load_space({name: DOMAINS[name] for name in RUNGS.names}, RUNGS)


def test_a_pruned_trial_ends_well_with_its_epoch_and_loss(tmp_path):
    """After a complete one, none of whose scores may show."""
    writer = RunWriter(StudyPaths(tmp_path), RUNGS_SPACE)
    for trial in (complete(RUNGS, 0, 3), pruned(RUNGS, 1, epoch=15), complete(RUNGS, 2, 3)):
        writer.write(trial)
    reader = read(tmp_path, 1)
    assert {tag: points(reader, tag) for tag in reader.Tags()["scalars"]} == {
        "loss/training": [(0, 1.0), (15, 0.5)],
        "loss/validation": [(0, 1.0), (15, 0.75)],
        "result/pruned_epoch": [(15, 15.0)],
        "result/pruned_loss": [(15, 0.75)],
    }
    assert session(tmp_path, 1)[1].status == api_pb2.STATUS_SUCCESS
    scalars = set(read(tmp_path, 2).Tags()["scalars"])
    assert {"result/final_loss", "result/final_loss_std", "result/replicates"} < scalars
    assert not {"result/pruned_epoch", "result/pruned_loss"} & scalars


def test_the_hparams_tab_knows_the_metrics_of_pruned_trials(tmp_path):
    RunWriter(StudyPaths(tmp_path), RUNGS_SPACE).write(pruned(RUNGS, 0))
    experiment = plugin_data(read(tmp_path, 0), metadata.EXPERIMENT_TAG).experiment
    tags = [info.name.tag for info in experiment.metric_infos]
    assert tags[-4:] == ["result/pruned_epoch", "result/pruned_loss", *CURVES]
    assert tags[0] == "result/final_loss"


def test_a_trial_that_never_ran_has_a_run_too(tmp_path):
    lost = FinishedTrial(Trial(0, 0, FAILED), Outcome("FAIL", error="its worker died"))
    run_writer(tmp_path).write(lost)
    reader = read(tmp_path, 0)
    assert reader.Tags()["scalars"] == []
    start = plugin_data(reader, metadata.SESSION_START_INFO_TAG).session_start_info
    assert start.hparams["loss_fn"].string_value == "bce_with_logits"


LOSSES = st.floats(width=32) | st.floats() | st.sampled_from((0.0, -0.0, 1e39, -1e39))
POINTS = st.lists(st.tuples(st.integers(0, 2**40), LOSSES, LOSSES), max_size=5)
SCORES = st.none() | st.builds(make_scores, LOSSES, LOSSES, LOSSES, LOSSES)
TRIALS = st.lists(st.tuples(POINTS, SCORES), min_size=1, max_size=3)


@settings(deadline=None)
@given(TRIALS)
def test_every_number_of_every_trial_stands_as_protobuf_writes_it(tmp_path_factory, trials):
    """One writer writes them all: nothing of a trial may show in the next one's run."""
    folder = tmp_path_factory.mktemp("study")
    writer = run_writer(folder, "bce")
    for number, (lines, scores) in enumerate(trials):
        curve = make_curve(*zip(*lines)) if lines else NO_CURVE
        outcome = Outcome("COMPLETE" if scores else "FAIL", scores, curve)
        writer.write(FinishedTrial(Trial(number, 0, make_params(epochs=41)), outcome))
    for number, (lines, scores) in enumerate(trials):
        expected = [
            scalar_event(step, {"loss/training": training, "loss/validation": validation})
            for step, training, validation in lines
        ]
        last = lines[-1][0] if lines else 0
        if scores:
            measured = (scores["bce"], scores["train_loss"], scores["accuracy"])
            # NaN stands for a metric that was not measured.
            there = {tag: value for tag, value in zip(TAGS, measured) if value == value}
            expected += [scalar_event(last, there)] if there else []
        assert serialised(scalar_events(folder, number)) == serialised(expected)


def test_infinite_losses_and_nan_are_read_back(tmp_path):
    curve = make_curve((0, 7), (math.nan, -math.inf), (math.inf, math.nan))
    run_writer(tmp_path).write(FinishedTrial(Trial(0, 0, SOUND), Outcome("FAIL", curve=curve)))
    reader = read(tmp_path, 0)
    assert [str(value) for _, value in points(reader, "loss/training")] == ["nan", "-inf"]
    assert [str(value) for _, value in points(reader, "loss/validation")] == ["inf", "nan"]


WHOLE = st.integers(0, 2**53)
PARAMS = st.builds(
    make_params, lr=st.floats(0), epochs=WHOLE, seed=WHOLE, loss_fn=st.sampled_from(LOSS_FNS)
)


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
        assert found == {name: params[name] for name in found}
        assert start.hparams["loss_fn"].string_value == params["loss_fn"]
        assert end.status == (api_pb2.STATUS_FAILURE if number % 2 else api_pb2.STATUS_SUCCESS)


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
    run_writer(tmp_path).write(finished(0, make_params(lr=0.5, epochs=20, seed=8)))
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


def test_any_spec_has_its_series_scores_and_parameters(tmp_path):
    writer = RunWriter(StudyPaths(tmp_path), FOREST_SPACE)
    params = FOREST.params((3, None, False, 16, 0.5, "sqrt"))
    curve = Curve((0, 25), {"validation": (0.5, 0.25)})
    outcome = Outcome("COMPLETE", FOREST.scores((0.25, 0.75, 11.0)), curve)
    writer.write(FinishedTrial(Trial(0, 0, params), outcome))
    reader = read(tmp_path, 0)
    assert {tag: points(reader, tag) for tag in reader.Tags()["scalars"]} == {
        "loss/validation": [(0, 0.5), (25, 0.25)],
        "result/final_loss": [(25, 0.25)],
        "result/f1": [(25, 0.75)],
        "result/nodes": [(25, 11.0)],
    }
    assert not reader.Tags()["graph"]
    assert hparams(tmp_path, 0) == {
        "depth": 3, "bootstrap": False, "width": 16, "shrink": 0.5, "features": "sqrt",
    }  # fmt: skip
    infos = plugin_data(reader, metadata.EXPERIMENT_TAG).experiment.hparam_infos
    assert {info.name: info.type for info in infos} == {
        "depth": api_pb2.DATA_TYPE_FLOAT64, "momentum": api_pb2.DATA_TYPE_FLOAT64,
        "bootstrap": api_pb2.DATA_TYPE_BOOL, "width": api_pb2.DATA_TYPE_FLOAT64,
        "shrink": api_pb2.DATA_TYPE_FLOAT64, "features": api_pb2.DATA_TYPE_STRING,
    }  # fmt: skip
    assert list(infos[2].domain_discrete) == [True, False]


def test_a_parameter_that_does_not_apply_is_left_out_of_that_run_alone(tmp_path):
    writer = RunWriter(StudyPaths(tmp_path), FOREST_SPACE)
    for number, momentum in enumerate((0.5, None, 0.25)):
        params = FOREST.params((3, momentum, None, 8, 1, 0.5))
        writer.write(FinishedTrial(Trial(number, 0, params), Outcome("FAIL", error="e")))
    found = [hparams(tmp_path, number).get("momentum") for number in range(3)]
    assert found == [0.5, None, 0.25]
    assert "bootstrap" not in hparams(tmp_path, 0)


def test_a_spec_without_curves_has_scores_alone(tmp_path):
    space = load_space({"x": {"min": -0.5, "max": 0.5}}, PLAIN)
    outcome = Outcome("COMPLETE", PLAIN.scores((0.5, 0.25)), Curve((0, 5)))
    writer = RunWriter(StudyPaths(tmp_path), space)
    writer.write(FinishedTrial(Trial(0, 0, PLAIN.params((0.25,))), outcome))
    reader = read(tmp_path, 0)
    assert reader.Tags()["scalars"] == ["result/final_loss"]
    assert points(reader, "result/final_loss") == [(5, 0.25)]


def test_writing_runs_takes_nothing_of_tensorboard_but_its_messages():
    script = (
        "import sys, xortune.tensorboard.runs\n"
        "slow = {'absl', 'fsspec', 'tensorboard.util', 'tensorboard.compat.tensorflow_stub'}\n"
        "print(sorted(slow & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


def hparams(tmp_path, number: int) -> dict[str, object]:
    """The parameters of a run's session."""
    start, _ = session(tmp_path, number)
    return {name: getattr(v, v.WhichOneof("kind")) for name, v in start.hparams.items()}
