"""The outcome of a lane at a rung as named arrays of numbers, and back.

The engine's arrays keep their names. The names of all others begin with one colon; an engine's
name that begins with a colon gets one more.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from xortune.ledger.rows import LONGEST_TEXT, Damage, canonical
from xortune.trial import Curve, Layout, Outcome, Paused, RawArray, Scores, Weights

# What is not a number, as JSON in UTF-8: the keys of `_description`.
_OUTCOME = ":outcome"
_SCORES, _WEIGHTS = ":scores", ":weights"
_CURVE, _PAUSED_CURVE = ":curve", ":paused"  # each followed by one of these:
_EPOCHS, _SERIES = ":epochs", ":series"
_KEYS = {
    "state", "lanes", "names", "series", "paused_series", "layout", "duration_s", "worker",
    "error",
}  # fmt: skip
_STATES = ("COMPLETE", "PRUNED", "FAIL", "RUNNING")
_LONGEST_DESCRIPTION = 4_000_000
# Bytes of a number.
_SIZES = {
    "<f4": 4, "<f8": 8, "<i4": 4, "<i8": 8, "<u4": 4, "<u8": 8, "|u1": 1, "|b1": 1,
}  # fmt: skip


def check_array(array: RawArray, who: str) -> None:
    """Raises Damage unless an array has a known type, and its content its size."""
    dtype, shape, content = array
    if dtype not in _SIZES:
        raise Damage(f"{who} has the type {dtype!r:.20}, and not one of {', '.join(_SIZES)}")
    if not isinstance(content, bytes) or not all(type(n) is int and n >= 0 for n in shape):
        raise Damage(f"{who} is not an array")
    if math.prod(shape) * _SIZES[dtype] != len(content):
        raise Damage(f"{who} has {len(content)} bytes, which do not fill its shape")
    if dtype == "|b1" and content.strip(b"\0\1"):
        raise Damage(f"{who} holds truth values that are neither 0 nor 1")


def packed(lane: Outcome, lanes: int, metrics: tuple[str, ...]) -> dict[str, RawArray]:
    """The arrays of one of a trial's lanes; raises ValueError if they could not be read again.

    Args:
        lane: without replicates or lanes of its own.
        lanes: how many the trial has.
        metrics: the names of a training's.
    """
    if lane.state not in _STATES or lane.replicates or lane.lanes:
        raise ValueError(f"an outcome that is {lane.state} cannot be that of a lane at a rung")
    arrays: dict[str, RawArray] = {}
    if lane.scores is not None:
        if tuple(lane.scores) != metrics:
            raise ValueError(f"a lane has the metrics {', '.join(lane.scores)}")
        arrays[_SCORES] = _floats(lane.scores.row, (len(metrics),))
    arrays |= _of_curve(lane.curve, _CURVE)
    if lane.weights is not None:
        content = lane.weights.content
        arrays[_WEIGHTS] = RawArray("<f4", (len(content) // 4,), content)
    if lane.paused is not None:
        arrays |= _of_curve(lane.paused.curve, _PAUSED_CURVE)
        arrays |= {_escaped(name): array for name, array in lane.paused.arrays.items()}
    text = canonical(_description(lane, lanes, list(arrays))).encode()
    return {_OUTCOME: RawArray("|u1", (len(text),), text), **arrays}


def unpacked(
    epoch: int, arrays: Mapping[str, RawArray], lanes: int, metrics: tuple[str, ...], who: str
) -> Outcome:
    """The lane's outcome, from arrays that have been checked.

    Args:
        epoch: at which it paused, if it did.
        arrays: by their names, in any order.
        lanes: as for `packed`, like `metrics`.
        who: names the lane in messages.

    Raises:
        Damage: they are not a lane's.
    """
    found = _described(arrays.get(_OUTCOME), who)
    if arrays.keys() != {_OUTCOME, *found["names"]} or found["lanes"] != lanes:
        raise Damage(f"{who} lacks some of its arrays, or has others")
    scores, weights = arrays.get(_SCORES), arrays.get(_WEIGHTS)
    if scores is not None and scores[:2] != ("<f8", (len(metrics),)):
        raise Damage(f"the metrics of {who} are not {', '.join(metrics)}")
    if (weights is None) != (found["layout"] is None):
        raise Damage(f"{who} has weights without a layout, or a layout without weights")
    return Outcome(
        found["state"],
        None if scores is None else Scores(metrics, _numbers(scores, "d")),
        _curve(arrays, _CURVE, found["series"], who),
        None if weights is None else _weights(weights, found["layout"], who),
        found["duration_s"],
        found["worker"],
        found["error"],
        None if found["paused_series"] is None else _paused(epoch, arrays, found, who),
    )


def _description(lane: Outcome, lanes: int, names: list[str]) -> dict[str, Any]:
    weights, paused, error = lane.weights, lane.paused, lane.error
    return {
        "state": lane.state,
        "lanes": lanes,
        "names": names,
        "series": list(lane.curve.series),
        "paused_series": None if paused is None else list(paused.curve.series),
        "layout": None if weights is None else [(name, shape) for name, shape in weights.layout],
        "duration_s": None if lane.duration_s is None else float(lane.duration_s),
        "worker": lane.worker,
        "error": None if error is None else error[:LONGEST_TEXT],
    }


def _described(array: RawArray | None, who: str) -> dict[str, Any]:
    """The checked values of `_description`; raises Damage."""
    if array is None or array.dtype != "|u1" or len(array.content) > _LONGEST_DESCRIPTION:
        raise Damage(f"the outcome of {who} is missing or malformed")
    try:
        found = json.loads(array.content.decode())
    except (ValueError, RecursionError):
        raise Damage(f"the outcome of {who} is not JSON in UTF-8") from None
    if not isinstance(found, dict) or found.keys() != _KEYS or not _fits(found):
        raise Damage(f"the outcome of {who} has impossible values")
    return found


def _fits(found: Mapping[str, Any]) -> bool:
    duration = found["duration_s"]
    return (
        found["state"] in _STATES
        and type(found["lanes"]) is int
        and all(map(_are_names, (found["names"], found["series"])))
        and (found["paused_series"] is None or _are_names(found["paused_series"]))
        and (found["layout"] is None or _is_layout(found["layout"]))
        and (duration is None or (type(duration) is float and math.isfinite(duration)))
        and all(_is_text(found[key]) for key in ("worker", "error") if found[key] is not None)
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value)) and len({*value}) == len(value)


def _is_layout(value: object) -> bool:
    if not isinstance(value, list):
        return False
    for entry in value:
        match entry:
            case [str(), [*shape]] if all(type(size) is int and size >= 0 for size in shape):
                continue
        return False
    return True


def _of_curve(curve: Curve, prefix: str) -> dict[str, RawArray]:
    """The epochs, of shape (points,), and the series, of shape (series, points)."""
    points = len(curve.epochs)
    if any(len(losses) != points for losses in curve.series.values()):
        raise ValueError("the series of a curve have other lengths than its epochs")
    epochs = RawArray("<i8", (points,), struct.pack(f"<{points}q", *curve.epochs))
    losses = [loss for losses in curve.series.values() for loss in losses]
    series = _floats(losses, (len(curve.series), points))
    return {prefix + _EPOCHS: epochs, prefix + _SERIES: series}


def _curve(arrays: Mapping[str, RawArray], prefix: str, names: list[str], who: str) -> Curve:
    epochs, series = arrays.get(prefix + _EPOCHS), arrays.get(prefix + _SERIES)
    if epochs is None or epochs.dtype != "<i8" or len(epochs.shape) != 1:
        raise Damage(f"the curve of {who} has no epochs")
    points = epochs.shape[0]
    if series is None or series[:2] != ("<f8", (len(names), points)):
        raise Damage(f"the curve of {who} has not the series of its epochs")
    ascending = _numbers(epochs, "q")
    if points and (ascending[0] < 0 or any(a >= b for a, b in pairwise(ascending))):
        raise Damage(f"the epochs of the curve of {who} do not ascend")
    losses = _numbers(series, "d")
    parts = (losses[place * points : (place + 1) * points] for place in range(len(names)))
    return Curve(ascending, dict(zip(names, parts)))


def _weights(array: RawArray, listed: list[Any], who: str) -> Weights:
    layout: Layout = tuple((name, tuple(shape)) for name, shape in listed)
    size = sum(math.prod(shape) for _, shape in layout)
    if array[:2] != ("<f4", (size,)):
        raise Damage(f"the weights of {who} do not fill their layout")
    return Weights(layout, array.content)


def _paused(
    epoch: int, arrays: Mapping[str, RawArray], found: Mapping[str, Any], who: str
) -> Paused:
    """The state of the engine, whose arrays keep their order."""
    own = {_plain(name): arrays[name] for name in found["names"] if not _is_reserved(name)}
    return Paused(epoch, own, _curve(arrays, _PAUSED_CURVE, found["paused_series"], who))


def _is_reserved(name: str) -> bool:
    return name.startswith(":") and not name.startswith("::")


def _escaped(name: str) -> str:
    return f":{name}" if name.startswith(":") else name


def _plain(name: str) -> str:
    return name[1:] if name.startswith(":") else name


def _floats(values: Sequence[float], shape: tuple[int, ...]) -> RawArray:
    return RawArray("<f8", shape, struct.pack(f"<{len(values)}d", *values))


def _numbers(array: RawArray, code: str) -> tuple[Any, ...]:
    return struct.unpack(f"<{len(array.content) // 8}{code}", array.content)
