"""One trial in lines of at most 80 characters: what it was, what it came to, what it learned."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from xortune.cli.columns import metric_text, text_of
from xortune.cli.recommendation import quality_lines, use_lines
from xortune.cli.tables import score_lines, state_of
from xortune.report.sparkline import scale_of, sparkline
from xortune.settings import StudySettings
from xortune.spec import PRUNED_EPOCH, PRUNED_LOSS, ProblemSpec
from xortune.studies.trained import Array, Trained
from xortune.trial import Curve

_WIDTH = 80
_BEST_EPOCH = "best_epoch"  # a metric of tables
# The most numbers of a model that is printed as matrices, in all and in a row.
_WRITTEN_OUT, _IN_A_ROW = 64, 5


class Found(NamedTuple):
    """All that is known of a trial."""

    study: str  # its name
    settings: StudySettings
    row: Mapping[str, Any]  # of the trials table, None for what is missing
    summary: Mapping[str, Any]  # that of the study
    curve: Curve
    trained: Trained
    confirmed: Mapping[str, Any] | None  # what it came to on fresh seeds, if it was confirmed
    test: Mapping[str, Any] | None  # its metrics on validation and test rows

    @property
    def finite_curve(self) -> dict[str, list[float | None]]:
        """The series of the curve as JSON takes them."""
        return {
            name: [value if math.isfinite(value) else None for value in values]
            for name, values in self.curve.series.items()
        }


def lines_of_trial(found: Found, *, plain: bool) -> list[str]:
    """What `best` prints of a trial; `plain` writes curves in ASCII."""
    spec, row = found.settings.spec, found.row
    rank = "no rank" if row["rank"] is None else f"rank {row['rank']} of {_ranked(found.summary)}"
    used = found.summary.get("recommended")
    is_used = used is not None and used["number"] == row["number"]
    words = ", the trial to use" if is_used else ""
    lines = [f"study {found.study}, trial {row['number']}: {rank}, {state_of(row)}{words}"]
    lines += _listed(f"{name} {_value(row[name])}" for name in spec.names)
    lines += _listed(_metrics(row, spec))
    if row["error"] is not None:
        lines += _wrapped(f"error: {row['error']}")
    lines += [*_curve_lines(found.curve, plain), *_best_epoch_lines(found)]
    if found.confirmed is not None:
        lines += quality_lines(found.confirmed, spec, found.settings.aggregate)
    if found.test is not None:
        lines += ["", *score_lines(f"trial {row['number']}", found.test)]
    lines += [line for part in _learned(found) for line in ("", *part)]
    if used is not None and not is_used:
        # Its test scores are printed with that trial.
        summary = {k: v for k, v in found.summary.items() if k != "test_of_recommended"}
        lines += ["", *use_lines(summary, spec)]
    return lines


def _ranked(summary: Mapping[str, Any]) -> int:
    return summary["states"].get("COMPLETE", 0) - summary.get("outdated", 0)  # type: ignore[no-any-return]


def _metrics(row: Mapping[str, Any], spec: ProblemSpec) -> Iterator[str]:
    """The metrics that the trial has, with their names: first the one that is the final loss."""
    if spec.loss is not None and row["final_loss"] is not None:
        yield f"final_loss ({spec.loss}) {row['final_loss']:.3e}"
    for metric in spec.metrics:
        shown = metric.name not in (spec.loss, PRUNED_EPOCH, PRUNED_LOSS)
        if shown and row[metric.name] is not None:
            yield f"{metric.name} {metric_text(metric, row[metric.name])}"
    if row.get("solved") is not None:
        yield "solved" if row["solved"] else "not solved"


def _curve_lines(curve: Curve, plain: bool) -> list[str]:
    """A line for each series: its shape, and between which values and epochs it goes."""
    width = max(map(len, curve.series), default=0)
    lines = []
    for name, values in curve.series.items():
        points = [
            (epoch, value) for epoch, value in zip(curve.epochs, values) if not math.isnan(value)
        ]
        scale = scale_of([curve], name)
        if scale is None:
            continue
        (first, start), (last, end) = points[0], points[-1]
        shape = sparkline(curve, name, scale, plain=plain)
        ends = f"{start:.3g} at {first}"
        if len(points) > 1:
            ends += f", {end:.3g} at {last}{', logarithmic' if scale.log else ''}"
        lines.append(f"  {name.ljust(width)}  {shape}  {ends}")
    return lines


def _best_epoch_lines(found: Found) -> list[str]:
    """Where a model is not that of the last epoch, at which its curve ends."""
    epoch, settings = found.row.get(_BEST_EPOCH), found.settings
    # Of several trainings it is an aggregate.
    once = settings.replicates == 1 and settings.folds is None
    if epoch is None or not once or settings.problem.get("kind") not in ("table", "module"):
        return []
    return [f"  the metrics and the weights are those of the best epoch, {epoch}"]


def _learned(found: Found) -> list[list[str]]:
    """The weights and the truth table, each as lines."""
    trained, parts = found.trained, []
    if trained.missing is not None:
        parts.append(_wrapped(f"no weights: {trained.missing}", indent=""))
    if trained.arrays:
        parts.append(_weight_lines(trained.arrays))
    if trained.examples is not None:
        heading = [*trained.examples.names, "target", "answer"]
        cells = [
            [*(f"{value:g}" for value in row.inputs), f"{row.target:g}", f"{row.answer:.4f}"]
            for row in trained.examples.rows
        ]
        parts.append([*_aligned([heading, *cells])])
    return parts


def _weight_lines(arrays: Sequence[Array]) -> list[str]:
    """The numbers of a small model as matrices; of a larger one shapes, norms and extremes."""
    width = max(len(array.name) for array in arrays)
    count = sum(len(array.numbers) for array in arrays)
    if count > _WRITTEN_OUT or max((array.shape or (1,))[-1] for array in arrays) > _IN_A_ROW:
        return [f"{array.name.ljust(width)}  {_described(array)}" for array in arrays]
    digits = max((len(f"{n:.4g}") for array in arrays for n in array.numbers), default=1)
    lines = []
    for array in arrays:
        for place, row in enumerate(array.rows):
            numbers = " ".join(f"{number:.4g}".rjust(digits) for number in row)
            name = array.name if place == 0 else ""
            lines.append(f"{name.ljust(width)}  {numbers}")
    return lines


def _described(array: Array) -> str:
    shape = " x ".join(map(str, array.shape)) or "1"
    if not array.numbers:
        return shape
    low, high = min(array.numbers), max(array.numbers)
    return f"{shape}, norm {array.norm:.4g}, from {low:.3g} to {high:.3g}"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        yield "  ".join(cell.rjust(width) for cell, width in zip(row, widths))


def _value(value: Any) -> str:
    return text_of(value, ".6g" if isinstance(value, float) else "")


def _listed(parts: Iterable[str]) -> list[str]:
    """Parts with commas between them; a line ends between two parts."""
    # A space of this kind is not a place to break.
    text = ", ".join(part.replace(" ", "\xa0") for part in parts)
    return [line.replace("\xa0", " ") for line in _wrapped(text)]


def _wrapped(text: str, indent: str = "  ") -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False
    )
