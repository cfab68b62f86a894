"""The tags of a study's runs: its curves, and the results that the HPARAMS tab lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote

from xortune.spec import PRUNED_EPOCH, STD, ProblemSpec

# The groups that results may have. TensorBoard sorts groups by the codes of their characters, so
# that upper case comes before lower case; the last one has the widest tilde of Unicode.
_GROUPS = ("result", "z_result", "\uff5eresult")


class Result(NamedTuple):
    """A number of a trained model that the HPARAMS tab lists."""

    name: str  # as in tables
    tag: str
    column: int  # its place among the spec's metrics
    series: str | None  # of the curve whose last point it is, which has the same tag


def results_group(spec: ProblemSpec) -> str:
    """The group of a study's results, which TensorBoard shows after all of its curves."""
    shown = {series.tag.partition("/")[0] for series in spec.curve}
    fitting = (name for name in _GROUPS if all(group < name for group in shown))
    return next(fitting, _GROUPS[-1])


def results_of(spec: ProblemSpec, prefix: str) -> tuple[Result, ...]:
    """The final loss, then the metrics that cannot be one.

    A metric that is a series too, as with functions, is the last point of that curve, except with
    replicates, which it is a mean of, and with a pruner, which ends curves early.
    """
    is_extended = {STD, PRUNED_EPOCH} & {*spec.metric_names}
    on_curves = {} if is_extended else {series.name: series.tag for series in spec.curve}
    found = []
    if spec.loss is not None:
        column = spec.metric_names.index(spec.loss)
        found.append(Result("final_loss", f"{prefix}final_loss", column, None))
    for column, metric in enumerate(spec.metrics):
        if metric.kind == "loss":
            continue
        name, tag = metric.name, on_curves.get(metric.name)
        series = None if tag is None else name
        found.append(Result(name, tag or f"{prefix}{name}", column, series))
    return tuple(found)


def address_of_curves(specs: Iterable[ProblemSpec]) -> str:
    """What follows a TensorBoard's host and port, to open it on the curves of some studies.

    The filter is a regular expression: the one group that all curves are in, or else whatever is
    not a result.
    """
    known = list(specs)
    curves = [(series.tag.partition("/"), spec) for spec in known for series in spec.curve]
    query = "smoothing=0"
    groups = {f"{group}{slash}" for (group, slash, _), _ in curves}
    if len(groups) == 1 and all(group.endswith("/") for group in groups):
        query = f"tagFilter={quote(f'^{groups.pop()}', safe='')}&{query}"
    elif groups:
        results = "|".join(sorted({results_group(spec) for spec in known}))
        query = f"tagFilter={quote(f'^(?!({results})/)', safe='')}&{query}"
    return f"?{query}#timeseries"
