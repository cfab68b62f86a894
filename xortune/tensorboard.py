"""One TensorBoard run a trial: its curve, the model's graph, and a row for the HPARAMS tab."""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

from xortune.paths import StudyPaths
from xortune.space import Choice, Domain, SearchSpace
from xortune.trial import FinishedTrial, Metric, Outcome, Params

METRIC_TAGS = ("final_loss", "train_loss", "accuracy")

# The graph that PyTorch traces for `XOR(2, 1)` on four rows: name, operation, inputs, shape.
# Written down, since tracing it costs the driver five seconds of imports.
_GRAPH: tuple[tuple[str, str, tuple[str, ...], tuple[int, ...]], ...] = (
    ("input/x", "IO Node", (), (4, 2)),
    ("XOR/Linear[fc1]/weight", "prim::GetAttr", (), (2, 2)),
    ("XOR/Linear[fc1]/bias", "prim::GetAttr", (), (2,)),
    (
        "XOR/Linear[fc1]/linear",
        "aten::linear",
        ("input/x", "XOR/Linear[fc1]/weight", "XOR/Linear[fc1]/bias"),
        (4, 2),
    ),
    ("XOR/hidden", "aten::sigmoid", ("XOR/Linear[fc1]/linear",), (4, 2)),
    ("XOR/Linear[fc2]/weight", "prim::GetAttr", (), (1, 2)),
    ("XOR/Linear[fc2]/bias", "prim::GetAttr", (), (1,)),
    (
        "XOR/Linear[fc2]/linear",
        "aten::linear",
        ("XOR/hidden", "XOR/Linear[fc2]/weight", "XOR/Linear[fc2]/bias"),
        (4, 1),
    ),
    ("XOR/output", "aten::sigmoid", ("XOR/Linear[fc2]/linear",), (4, 1)),
    ("output/output", "IO Node", ("XOR/output",), (4, 1)),
)


class RunWriter:
    """Writes the runs of one study, each as a whole: a run is there complete, or not at all.

    Args:
        paths: the study's.
        space: its search space, which gives the HPARAMS tab the domains.
        metric: its yardstick.
    """

    def __init__(self, paths: StudyPaths, space: SearchSpace, metric: Metric) -> None:
        self._paths = paths
        self._metric = metric
        self._started = time.time()
        # The same in every run. A record's checksum is computed byte by byte in Python, so
        # this is worth keeping.
        self._head = _records(
            [
                Event(wall_time=self._started, file_version="brain.Event:2"),
                Event(wall_time=self._started, graph_def=model_graph().SerializeToString()),
                self._event(0, _experiment(space, self._started)),
            ]
        )

    def missing(self, numbers: Iterable[int]) -> list[int]:
        """Those of the trials that have no run yet."""
        return [number for number in numbers if not any(self._event_files(number))]

    def write(self, finished: FinishedTrial) -> None:
        """Writes the run of one trial, in place of an earlier one."""
        now = time.time()
        events = self._events(finished.trial.params, finished.outcome, now)
        run = self._paths.run(finished.trial.number)
        run.mkdir(parents=True, exist_ok=True)
        for old in self._event_files(finished.trial.number):
            old.unlink()
        partial = run / ".partial"
        partial.write_bytes(self._head + _records(events))
        partial.rename(run / f"events.out.tfevents.{int(now)}.{socket.gethostname()}")

    def _event_files(self, number: int) -> Iterator[Path]:
        return self._paths.run(number).glob("events.out.tfevents.*")

    def _events(self, params: Params, outcome: Outcome, now: float) -> Iterator[Event]:
        yield self._event(0, _session_start(params, now - (outcome.duration_s or 0)))
        curve = outcome.curve
        for epoch, training, validation in zip(curve.epochs, curve.training, curve.validation):
            losses = {"loss/training": training, "loss/validation": validation}
            yield self._event(epoch, _scalars(losses))
        if outcome.scores is not None:
            scores = outcome.scores
            measured = (scores.final_loss(self._metric), scores.train_loss, scores.accuracy)
            yield self._event(params.epochs, _scalars(dict(zip(METRIC_TAGS, measured))))
        yield self._event(0, _session_end(outcome, now))

    def _event(self, step: int, summary: Summary) -> Event:
        return Event(wall_time=time.time(), step=step, summary=summary)


def model_graph() -> GraphDef:
    """The graph of `XOR(2, 1)` for the GRAPHS tab, as PyTorch traces it."""
    graph = GraphDef()
    for name, op, inputs, shape in _GRAPH:
        node = graph.node.add(name=name, op=op, input=inputs)
        shapes = node.attr["_output_shapes"].list.shape.add()
        for size in shape:
            shapes.dim.add(size=size)
    graph.versions.producer = 22
    return graph


def _records(events: Iterable[Event]) -> bytes:
    buffer = io.BytesIO()
    writer = RecordWriter(buffer)
    for event in events:
        writer.write(event.SerializeToString())
    return buffer.getvalue()


def _scalars(values: dict[str, float]) -> Summary:
    return Summary(
        value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
    )


def _experiment(space: SearchSpace, started: float) -> Summary:
    experiment = api_pb2.Experiment(
        hparam_infos=[_hparam_info(name, domain) for name, domain in space.domains.items()],
        metric_infos=[api_pb2.MetricInfo(name=api_pb2.MetricName(tag=tag)) for tag in METRIC_TAGS],
        time_created_secs=started,
    )
    data = plugin_data_pb2.HParamsPluginData(experiment=experiment)
    return _hparams_summary(metadata.EXPERIMENT_TAG, data)


def _hparam_info(name: str, domain: Domain) -> api_pb2.HParamInfo:
    text = name == "loss_fn"
    info = api_pb2.HParamInfo(
        name=name, type=api_pb2.DATA_TYPE_STRING if text else api_pb2.DATA_TYPE_FLOAT64
    )
    if isinstance(domain, Choice):
        info.domain_discrete.extend(domain.values)
    else:
        info.domain_interval.min_value = domain.low
        info.domain_interval.max_value = domain.high
    return info


def _session_start(params: Params, started: float) -> Summary:
    session = plugin_data_pb2.SessionStartInfo(start_time_secs=started)
    for name, value in asdict(params).items():
        if isinstance(value, str):
            session.hparams[name].string_value = value
        else:
            session.hparams[name].number_value = value
    data = plugin_data_pb2.HParamsPluginData(session_start_info=session)
    return _hparams_summary(metadata.SESSION_START_INFO_TAG, data)


def _session_end(outcome: Outcome, now: float) -> Summary:
    complete = outcome.state == "COMPLETE"
    session = plugin_data_pb2.SessionEndInfo(
        status=api_pb2.STATUS_SUCCESS if complete else api_pb2.STATUS_FAILURE,
        end_time_secs=now,
    )
    data = plugin_data_pb2.HParamsPluginData(session_end_info=session)
    return _hparams_summary(metadata.SESSION_END_INFO_TAG, data)


def _hparams_summary(tag: str, data: plugin_data_pb2.HParamsPluginData) -> Summary:
    data.version = metadata.PLUGIN_DATA_VERSION
    plugin = SummaryMetadata.PluginData(
        plugin_name=metadata.PLUGIN_NAME, content=data.SerializeToString()
    )
    return Summary(value=[Summary.Value(tag=tag, metadata=SummaryMetadata(plugin_data=plugin))])
