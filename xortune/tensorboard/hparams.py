"""The events of the HPARAMS tab: the study's domains and metrics, and a trial's parameters."""

from __future__ import annotations

from collections.abc import Sequence

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from xortune.space import Choice, Domain, SearchSpace, count_values
from xortune.spec import Parameter
from xortune.trial import Params

# As in `tensorboard.plugins.hparams.metadata`, whose import takes a twentieth of a second.
PLUGIN = "hparams"
VERSION = 0
EXPERIMENT = "_hparams_/experiment"
SESSION_START = "_hparams_/session_start_info"
SESSION_END = "_hparams_/session_end_info"

_TYPES = {
    float: api_pb2.DATA_TYPE_FLOAT64,
    int: api_pb2.DATA_TYPE_FLOAT64,
    bool: api_pb2.DATA_TYPE_BOOL,
    str: api_pb2.DATA_TYPE_STRING,
}


def experiment_event(
    space: SearchSpace, metrics: Sequence[tuple[str, str]], started: float
) -> Event:
    """The event that describes a study, the same in all of its runs.

    Args:
        space: the study's.
        metrics: the tags and the names of what the HPARAMS tab lists, in its order.
        started: seconds since 1970, as are all times here and below.
    """
    domains = space.domains
    experiment = api_pb2.Experiment(
        hparam_infos=[_info(p, domains[p.name]) for p in space.spec.parameters],
        metric_infos=[
            api_pb2.MetricInfo(name=api_pb2.MetricName(tag=tag), display_name=name)
            for tag, name in metrics
        ],
        time_created_secs=started,
    )
    data = HParamsPluginData(version=VERSION, experiment=experiment)
    return _filled(_event(EXPERIMENT), data, started)


def _info(parameter: Parameter, domain: Domain) -> api_pb2.HParamInfo:
    # TensorBoard sorts parameters by name, and those that do not differ after the others.
    differs = count_values(domain) != 1
    kind = _TYPES[parameter.value_type]
    info = api_pb2.HParamInfo(name=parameter.name, type=kind, differs=differs)
    if isinstance(domain, Choice):
        info.domain_discrete.extend(domain.values)
    else:
        info.domain_interval.min_value = domain.low
        info.domain_interval.max_value = domain.high
    return info


class Session:
    """The first and the last event of a trial's run, each valid until the next of its kind.

    The objects are reused: building them takes seven times as long.
    """

    def __init__(self) -> None:
        self._start = _event(SESSION_START)
        self._end = _event(SESSION_END)
        self._start_data = HParamsPluginData(version=VERSION)
        self._end_data = HParamsPluginData(version=VERSION)

    def start(self, params: Params, started: float, now: float) -> Event:
        """The event with the parameters that apply to a trial, and the start of its training."""
        session = self._start_data.session_start_info
        session.start_time_secs = started
        hparams = session.hparams
        for name, value in zip(params, params.row):
            if isinstance(value, str):
                hparams[name].string_value = value
            elif isinstance(value, bool):
                hparams[name].bool_value = value
            elif value is not None:
                hparams[name].number_value = value
            else:
                hparams.pop(name, None)
        return _filled(self._start, self._start_data, now)

    def end(self, success: bool, now: float) -> Event:
        """The event with a trial's status and its end; being pruned is not a failure."""
        session = self._end_data.session_end_info
        session.status = api_pb2.STATUS_SUCCESS if success else api_pb2.STATUS_FAILURE
        session.end_time_secs = now
        return _filled(self._end, self._end_data, now)


def _event(tag: str) -> Event:
    plugin = SummaryMetadata.PluginData(plugin_name=PLUGIN)
    value = Summary.Value(tag=tag, metadata=SummaryMetadata(plugin_data=plugin))
    return Event(summary=Summary(value=[value]))


def _filled(event: Event, data: HParamsPluginData, now: float) -> Event:
    event.wall_time = now
    event.summary.value[0].metadata.plugin_data.content = data.SerializeToString()
    return event
