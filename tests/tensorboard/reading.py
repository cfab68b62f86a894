"""Reading runs back with TensorBoard's own readers, and making trials to write."""

from __future__ import annotations

import math
import struct
import time

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import metadata, plugin_data_pb2

from tests.make import make_curve, make_outcome, make_params, make_scores
from xortune.paths import StudyPaths
from xortune.problems.xor.spec import SPEC
from xortune.space import load_space
from xortune.spec import GraphNode
from xortune.tensorboard.runs import RunWriter
from xortune.trial import FinishedTrial, Params, Trial

DOMAINS = {
    "lr": {"values": [0.5, 3e38]},
    "epochs": {"min": 20, "max": 40, "distribution": "q_uniform", "q": 20},
    "seed": {"min": 0, "max": 99},
    "loss_fn": {"values": ["mse", "bce_with_logits"]},
}
SPACE = load_space(DOMAINS, SPEC)
GRAPH = (
    GraphNode("input/x", "IO Node", (), (4, 2)),
    GraphNode("model/hidden", "aten::sigmoid", ("input/x",), (4, 2)),
    GraphNode("output/output", "IO Node", ("model/hidden",), (4, 1)),
)
SOUND = make_params(lr=0.5, epochs=40, seed=7)
FAILED = make_params(lr=3e38, epochs=40, seed=0, loss_fn="bce_with_logits")
WAIT_S = 60.0


def run_writer(tmp_path, metric: str = "mse") -> RunWriter:
    space = load_space(DOMAINS, SPEC.with_objective(metric))
    return RunWriter(StudyPaths(tmp_path), space, lambda params: GRAPH)


def finished(number: int, params: Params = SOUND) -> FinishedTrial:
    """A trial with a curve of four points in float32; its loss overflows where the rate is huge."""
    if params["lr"] == FAILED["lr"]:
        epochs, losses = (0, 16, params["epochs"]), (0.75, math.inf, math.inf)
        outcome = make_outcome("FAIL", curve=make_curve(epochs, losses, losses), duration_s=0.25)
    else:
        epochs = tuple(sorted({0, 16, 32, params["epochs"]} & {*range(params["epochs"] + 1)}))
        training = tuple(float32(0.3 / (1 + epoch)) for epoch in epochs)
        validation = tuple(float32(0.4 / (1 + epoch)) for epoch in epochs)
        curve = make_curve(epochs, training, validation)
        scores = make_scores(training[-1], validation[-1], float32(0.6), 0.75)
        outcome = make_outcome(scores=scores, curve=curve, duration_s=0.5)
    return FinishedTrial(Trial(number, 0, params), outcome)


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
