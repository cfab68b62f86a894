"""One TensorBoard run a trial: its curve, the model's graph, and a row for the HPARAMS tab."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from math import isnan, nan
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.summary_pb2 import Summary

from xortune.atomic_files import not_written, real_folder, write_whole
from xortune.paths import StudyPaths
from xortune.space import SearchSpace
from xortune.spec import PRUNED_EPOCH, GraphNode
from xortune.tensorboard.folders import EVENT_FILE, event_files, has_earlier_runs, remove_others
from xortune.tensorboard.hparams import Session, experiment_event
from xortune.tensorboard.records import records
from xortune.tensorboard.tags import results_group, results_of
from xortune.trial import Curve, FinishedTrial, Outcome, Params

GraphOf = Callable[[Params], Sequence[GraphNode]]
_MOST_HEADS = 64  # kept


def _no_graph(params: Params) -> Sequence[GraphNode]:
    return ()


class RunWriter:
    """Writes the runs of one study, each atomically: a run is complete, or missing.

    The HPARAMS tab shows the domains of the space, the GRAPHS tab the graph of a trial's model.
    Not thread-safe: event objects are reused.

    Args:
        paths: the study's.
        space: likewise.
        graph: gives the graph for a trial's parameters, which may be empty.
    """

    def __init__(self, paths: StudyPaths, space: SearchSpace, graph: GraphOf = _no_graph) -> None:
        started = time.time()
        spec = space.spec
        self._paths = paths
        self._is_there = False
        self._file_name = f"{EVENT_FILE}{int(started)}.{socket.gethostname()}"
        group = results_group(spec)
        results = results_of(spec, "" if has_earlier_runs(paths, group) else f"{group}/")
        shown = [(result.tag, result.name) for result in results]
        listed = {result.tag for result in results}
        shown += [(series.tag, series.tag) for series in spec.curve if series.tag not in listed]
        self._version = Event(wall_time=started, file_version="brain.Event:2")
        self._experiment = experiment_event(space, shown, started)
        self._graph = graph
        self._head = lru_cache(_MOST_HEADS)(self._head_with)
        self._series = [series.name for series in spec.curve]
        self._columns = [result.column for result in results]
        self._on_curves = [(n, result.series) for n, result in enumerate(results) if result.series]
        # Reused, since building one takes seven times as long.
        self._point = _scalars_event(series.tag for series in spec.curve)
        self._lines = list(self._point.summary.value)
        self._scores = _scalars_event(result.tag for result in results)
        self._session = Session()

    def missing(self, numbers: Iterable[int]) -> list[int]:
        """The trials that have no run yet."""
        if not real_folder(self._paths.tensorboard):
            return list(numbers)
        return [number for number in numbers if not event_files(self._paths.run(number))]

    def write(self, finished: FinishedTrial) -> None:
        """Writes the run of one trial, replacing an earlier one.

        Raises:
            XortuneError: for example, the disk is full. Then the run is missing.
        """
        head = self._head(tuple(self._graph(finished.trial.params)))
        content = head + records(self._events(finished, time.time()))
        run = self._paths.run(finished.trial.number)
        self._make_folder(run)
        write_whole(run, self._file_name, content)

    def keep_only(self, numbers: Collection[int]) -> None:
        """Removes the runs of all other trials.

        Raises:
            XortuneError: one cannot be removed.
        """
        remove_others(self._paths, numbers)

    def _make_folder(self, run: Path) -> None:
        """Makes a run's folder, or empties it; never the study's own, which may have been moved."""
        try:
            if not self._is_there:
                if not real_folder(run.parent):
                    run.parent.mkdir()
                self._is_there = True
            try:
                run.mkdir()
            except FileExistsError:
                for earlier in event_files(run):
                    earlier.unlink()
        except OSError as error:
            raise not_written(run, error) from error

    def _head_with(self, graph: tuple[GraphNode, ...]) -> bytes:
        """What is alike in all runs with this graph."""
        graphs = []
        if graph:
            content = graph_message(graph).SerializeToString()
            graphs.append(Event(wall_time=self._version.wall_time, graph_def=content))
        return records([self._version, *graphs, self._experiment])

    def _events(self, finished: FinishedTrial, now: float) -> Iterator[Event]:
        """A run's events, each to be serialised before the next, which may be the same object."""
        params, outcome = finished.trial.params, finished.outcome
        yield self._session.start(params, now - (outcome.duration_s or 0), now)
        epochs = outcome.curve.epochs
        if epochs and self._series:
            yield from self._points(outcome.curve, now)
        if outcome.scores is not None:
            last = epochs[-1] if epochs else 0
            if outcome.state == "PRUNED":  # Its rung need not be a point of its curve.
                last = int(outcome.scores[PRUNED_EPOCH])
            yield from self._scored(last, outcome, now)
        yield self._session.end(outcome.state in ("COMPLETE", "PRUNED"), now)

    def _points(self, curve: Curve, now: float) -> Iterator[Event]:
        point, lines = self._point, self._lines
        point.wall_time = now
        series = zip(*[curve.series[name] for name in self._series])
        for point.step, values in zip(curve.epochs, series):
            for line, value in zip(lines, values):
                line.simple_value = value
            yield point

    def _scored(self, epoch: int, outcome: Outcome, now: float) -> Iterator[Event]:
        """The results of a trial that are not the last points of its curves."""
        assert outcome.scores is not None
        row, curve = outcome.scores.row, outcome.curve
        values = [row[column] for column in self._columns]
        for place, series in self._on_curves:
            if curve.epochs[-1:] == (epoch,) and curve.series[series][-1] == values[place]:
                values[place] = nan
        event = self._scores
        event.wall_time, event.step = now, epoch
        for line, value in zip(event.summary.value, values):
            line.simple_value = value
        if any(map(isnan, values)):
            event = _without_missing(event)
        if event.summary.value:
            yield event


def _without_missing(event: Event) -> Event:
    """A copy of the event without the scalars that are NaN."""
    there = [line for line in event.summary.value if not isnan(line.simple_value)]
    return Event(wall_time=event.wall_time, step=event.step, summary=Summary(value=there))


def graph_message(graph: Iterable[GraphNode]) -> GraphDef:
    """A model's graph in the form of `torch.utils.tensorboard`."""
    message = GraphDef()
    for described in graph:
        node = message.node.add(name=described.name, op=described.op, input=described.inputs)
        shapes = node.attr["_output_shapes"].list.shape.add()
        for size in described.shape:
            shapes.dim.add(size=size)
    message.versions.producer = 22
    return message


def _scalars_event(tags: Iterable[str]) -> Event:
    return Event(summary=Summary(value=[Summary.Value(tag=tag) for tag in tags]))
