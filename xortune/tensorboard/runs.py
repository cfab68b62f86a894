"""One TensorBoard run a trial: its curve, the model's graph, and a row for the HPARAMS tab."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from google_crc32c import value as crc32c
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.plugins.hparams import api_pb2, metadata
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from xortune.atomic_files import not_written, real_folder, write_whole
from xortune.paths import StudyPaths
from xortune.space import Choice, Domain, SearchSpace
from xortune.trial import Curve, FinishedTrial, Metric, Outcome, Params, Scores

METRIC_TAGS = ("final_loss", "train_loss", "accuracy")
_CURVE_TAGS = ("loss/training", "loss/validation")
_EVENT_FILE = "events.out.tfevents."

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

    For one thread: the events that change from trial to trial are kept, and filled in anew.

    Args:
        paths: the study's.
        space: its search space, which gives the HPARAMS tab the domains.
        metric: its yardstick.
    """

    def __init__(self, paths: StudyPaths, space: SearchSpace, metric: Metric) -> None:
        started = time.time()
        self._paths = paths
        self._metric = metric
        self._is_there = False
        self._file_name = f"{_EVENT_FILE}{int(started)}.{socket.gethostname()}"
        self._head = _head(space, started)
        # Building one takes seven times as long as filling it in anew.
        self._point = _scalars_event(_CURVE_TAGS)
        self._scores = _scalars_event(METRIC_TAGS)
        self._session_start = _hparams_event(metadata.SESSION_START_INFO_TAG)
        self._session_end = _hparams_event(metadata.SESSION_END_INFO_TAG)

    def missing(self, numbers: Iterable[int]) -> list[int]:
        """Those of the trials that have no run yet."""
        if not real_folder(self._paths.tensorboard):
            return list(numbers)
        return [number for number in numbers if not _event_files(self._paths.run(number))]

    def write(self, finished: FinishedTrial) -> None:
        """Writes the run of one trial, in place of an earlier one.

        Raises:
            XortuneError: there is no room for it, say. The run is missing then.
        """
        events = self._events(finished.trial.params, finished.outcome, time.time())
        content = self._head + _records(events)
        run = self._paths.run(finished.trial.number)
        self._make_folder(run)
        write_whole(run, self._file_name, content)

    def _make_folder(self, run: Path) -> None:
        """One without event files; never the study's own folder, which may have been moved."""
        try:
            if not self._is_there:
                if not real_folder(run.parent):
                    run.parent.mkdir()
                self._is_there = True
            try:
                run.mkdir()
            except FileExistsError:
                for earlier in _event_files(run):
                    earlier.unlink()
        except OSError as error:
            raise not_written(run, error) from error

    def _events(self, params: Params, outcome: Outcome, now: float) -> Iterator[Event]:
        """Each is to be serialised before the next one, which may be the same filled in anew."""
        started = now - (outcome.duration_s or 0)
        yield _filled(self._session_start, _start_info(params, started), now)
        yield from self._points(outcome.curve, now)
        if outcome.scores is not None:
            yield self._scored(params.epochs, outcome.scores, now)
        yield _filled(self._session_end, _end_info(outcome, now), now)

    def _points(self, curve: Curve, now: float) -> Iterator[Event]:
        point = self._point
        point.wall_time = now
        training, validation = point.summary.value
        rows = zip(curve.epochs, curve.training, curve.validation)
        for point.step, training.simple_value, validation.simple_value in rows:
            yield point

    def _scored(self, epoch: int, scores: Scores, now: float) -> Event:
        event = self._scores
        event.wall_time = now
        event.step = epoch
        final_loss, train_loss, accuracy = event.summary.value
        final_loss.simple_value = scores.final_loss(self._metric)
        train_loss.simple_value = scores.train_loss
        accuracy.simple_value = scores.accuracy
        return event


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


def _event_files(run: Path) -> list[Path]:
    if not real_folder(run):
        return []
    try:
        return [file for file in run.iterdir() if file.name.startswith(_EVENT_FILE)]
    except OSError as error:
        raise not_written(run, error) from error


def _records(events: Iterable[Event]) -> bytes:
    """What tensorboard's `RecordWriter` writes, but with checksums that are computed in C."""
    serialised = [event.SerializeToString() for event in events]
    return b"".join([_length(len(data)) + data + _checksum(data) for data in serialised])


@cache
def _length(length: int) -> bytes:
    packed = length.to_bytes(8, "little")
    return packed + _checksum(packed)


def _checksum(data: bytes) -> bytes:
    """The CRC32C, masked as in TensorFlow's `crc32c::Mask`."""
    crc: int = crc32c(data)
    masked = (crc >> 15 | crc << 17) + 0xA282EAD8 & 0xFFFFFFFF
    return masked.to_bytes(4, "little")


def _head(space: SearchSpace, started: float) -> bytes:
    """The records that every run of a study begins with; `started` in seconds since 1970."""
    graph = model_graph().SerializeToString()
    experiment = _experiment(space, started)
    return _records(
        [
            Event(wall_time=started, file_version="brain.Event:2"),
            Event(wall_time=started, graph_def=graph),
            _filled(_hparams_event(metadata.EXPERIMENT_TAG), experiment, started),
        ]
    )


def _scalars_event(tags: Iterable[str]) -> Event:
    return Event(summary=Summary(value=[Summary.Value(tag=tag) for tag in tags]))


def _hparams_event(tag: str) -> Event:
    plugin = SummaryMetadata.PluginData(plugin_name=metadata.PLUGIN_NAME)
    value = Summary.Value(tag=tag, metadata=SummaryMetadata(plugin_data=plugin))
    return Event(summary=Summary(value=[value]))


def _filled(event: Event, data: HParamsPluginData, now: float) -> Event:
    data.version = metadata.PLUGIN_DATA_VERSION
    event.wall_time = now
    event.summary.value[0].metadata.plugin_data.content = data.SerializeToString()
    return event


def _experiment(space: SearchSpace, started: float) -> HParamsPluginData:
    experiment = api_pb2.Experiment(
        hparam_infos=[_hparam_info(name, domain) for name, domain in space.domains.items()],
        metric_infos=[api_pb2.MetricInfo(name=api_pb2.MetricName(tag=tag)) for tag in METRIC_TAGS],
        time_created_secs=started,
    )
    return HParamsPluginData(experiment=experiment)


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


def _start_info(params: Params, started: float) -> HParamsPluginData:
    data = HParamsPluginData()
    session = data.session_start_info
    session.start_time_secs = started
    for name, value in vars(params).items():
        if isinstance(value, str):
            session.hparams[name].string_value = value
        else:
            session.hparams[name].number_value = value
    return data


def _end_info(outcome: Outcome, now: float) -> HParamsPluginData:
    data = HParamsPluginData()
    complete = outcome.state == "COMPLETE"
    session = data.session_end_info
    session.status = api_pb2.STATUS_SUCCESS if complete else api_pb2.STATUS_FAILURE
    session.end_time_secs = now
    return data
