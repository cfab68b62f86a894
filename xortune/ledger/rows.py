"""What the ledger's rows hold: written in one form, and checked when they are read.

Nothing that is read is trusted. SQLite does not notice when a byte of a value changes, so
every row carries a digest of the others of its values; and since a stranger can compute
digests too, every value is also held against what it may be.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from typing import Any

from xortune.errors import UsageError
from xortune.run_time import RunTime
from xortune.settings import StudySettings
from xortune.trial import LOSS_FNS, Curve, FinishedTrial, Outcome, Params, Scores, Trial

ASKED = "number, generation, lr, epochs, seed, loss_fn"
OUTCOME = "state, train_loss, mse, bce, accuracy, weights, duration_s, worker, error, curve, digest"
RUN = "number, wall, start_up, sampler, writing, workers, training, queue, idle, digest"

_NOTHING = (None,) * 9
_MAX_EPOCHS = 2**31 - 1
_MAX_SEED = 2**32 - 1
_LONGEST_TEXT = 100_000
# No float32, and so no learning rate of a space, is larger than 3.4e38.
_TOO_LARGE = 10**39
_DEVICES = ("cpu", "cuda", "both")
_NULL = type(None)
_FINISHED = ("COMPLETE", "PRUNED", "FAIL")
_TRIAL_KINDS = (int, int, float, int, int, str, str)


@dataclass(frozen=True)
class TrialRow:
    """A trial as the ledger has it, without its curve; `outcome` is None while it waits."""

    trial: Trial
    outcome: Outcome | None


class Damage(ValueError):
    """A value of the ledger that cannot be; the message says which."""


def digest(values: object) -> int:
    """64 bits that change when any of the values does; plain values, or bytes."""
    content = values if isinstance(values, bytes) else ascii(values).encode()
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "little", signed=True)


def asked_row(trial: Trial) -> tuple[Any, ...]:
    """`ASKED` and `OUTCOME` of a trial that waits."""
    return _sealed((*_asked(trial), "WAITING", *_NOTHING))


def finished_row(finished: FinishedTrial, curve: bytes) -> tuple[Any, ...]:
    """`ASKED` and `OUTCOME` of a trial with this packed curve."""
    outcome = finished.outcome
    weights = None if outcome.weights is None else json.dumps(outcome.weights)
    error = outcome.error
    return _sealed(
        (
            *_asked(finished.trial),
            outcome.state,
            *(_scores(outcome.scores) if outcome.scores else (None,) * 4),
            weights,
            None if outcome.duration_s is None else _real(outcome.duration_s),
            outcome.worker,
            None if error is None else error[:_LONGEST_TEXT],
            digest(curve),
        )
    )


def read_trial(row: tuple[Any, ...], number: int) -> tuple[TrialRow, int | None]:
    """A trial, and the digest of its curve, which a trial that waits does not have.

    Args:
        row: `ASKED` and `OUTCOME`.
        number: the one that was looked for.

    Raises:
        Damage: the row is not one that was written, or holds what no trial can.
    """
    if row[0] != number or digest(row[:-1]) != row[-1]:
        raise Damage(f"the row of trial {number} is not as it was written")
    if not _kinds_fit(tuple(map(type, row))):
        raise Damage(f"the row of trial {number} holds values of another kind")
    _, generation, lr, epochs, seed, loss_fn, state, *rest = row
    if not (
        generation >= 0
        and 0 < lr < math.inf
        and 1 <= epochs <= _MAX_EPOCHS
        and 0 <= seed <= _MAX_SEED
        and loss_fn in LOSS_FNS
    ):
        raise Damage(f"trial {number} has parameters that no trial can have")
    trial = Trial(number, generation, Params(lr, epochs, seed, loss_fn))
    if state == "WAITING" and rest[:-1] == list(_NOTHING):
        return TrialRow(trial, None), None
    return TrialRow(trial, _outcome(number, state, rest)), rest[8]


def pack_curve(curve: Curve) -> bytes:
    """Little-endian: the epochs as int64, then both losses as float64."""
    count = len(curve.epochs)
    return struct.pack(f"<{count}q{2 * count}d", *curve.epochs, *curve.training, *curve.validation)


def read_curve(packed: object, expected: int, number: int) -> Curve:
    """The curve of a trial.

    Args:
        packed: as from `pack_curve`.
        expected: its digest.
        number: the trial's.

    Raises:
        Damage: it is not one that was written, or no curve.
    """
    if not isinstance(packed, bytes) or digest(packed) != expected:
        raise Damage(f"the curve of trial {number} is not as it was written")
    count, rest = divmod(len(packed), 24)
    if rest:
        raise Damage(f"the curve of trial {number} is none")
    values = struct.unpack(f"<{count}q{2 * count}d", packed)
    epochs = values[:count]
    if count and (epochs[0] < 0 or any(a >= b for a, b in pairwise(epochs))):
        raise Damage(f"the epochs of trial {number}'s curve do not ascend")
    return Curve(epochs, values[count : 2 * count], values[2 * count :])


def setting_rows(settings: StudySettings) -> list[tuple[str, str]]:
    """Key and value, by key; their digest is that of this list."""
    return sorted((key, json.dumps(value)) for key, value in settings.to_dict().items())


def read_settings(rows: list[tuple[Any, ...]], expected: int) -> StudySettings:
    """The settings.

    Raises:
        Damage: they are not those that were written.
        ValueError: they are none.
    """
    if digest(rows) != expected:
        raise Damage("the settings are not as they were written")
    values = {key: json.loads(value) for key, value in rows}
    for key, value in values.items():
        if not _plain(value, depth=4):
            raise Damage(f"the setting {key!r:.40} is none")
    space = values.get("space")
    if not isinstance(space, dict) or not all(isinstance(v, dict) for v in space.values()):
        raise Damage("the setting 'space' is no search space")
    if values.get("device") not in _DEVICES or not isinstance(values.get("engine"), str):
        raise Damage("the settings 'device' and 'engine' name none")
    versions = values.get("versions", {})
    if not isinstance(versions, dict) or not all(isinstance(v, str) for v in versions.values()):
        raise Damage("the setting 'versions' holds none")
    try:
        return StudySettings.from_dict(values)
    except UsageError as error:
        raise Damage(f"the settings cannot be: {error}") from error


def run_row(number: int, run: RunTime) -> tuple[Any, ...]:
    """`RUN` of one run."""
    *before, workers, training, queue, idle = astuple(run)
    return _sealed((number, *map(_real, before), workers, *map(_real, (training, queue, idle))))


def read_run(row: tuple[Any, ...], number: int) -> RunTime:
    """One run.

    Raises:
        Damage: the row is not one that was written, or holds what no run can.
    """
    if row[0] != number or digest(row[:-1]) != row[-1]:
        raise Damage(f"the row of run {number} is not as it was written")
    values = row[1:-1]
    kinds = [float] * 4 + [int] + [float] * 3
    if list(map(type, values)) != kinds or not all(0 <= v < math.inf for v in values):
        raise Damage(f"the row of run {number} holds no times")
    return RunTime(*values)


def _asked(trial: Trial) -> tuple[Any, ...]:
    params = trial.params
    return (
        trial.number,
        trial.generation,
        _real(params.lr),
        params.epochs,
        params.seed,
        params.loss_fn,
    )


def _scores(scores: Scores) -> tuple[float, float, float, float]:
    return (
        _real(scores.train_loss),
        _real(scores.mse),
        _real(scores.bce),
        _real(scores.accuracy),
    )


def _sealed(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*values, digest(values))


def _real(value: float) -> float:
    """As SQLite gives it back: never an int, and it knows no negative zero."""
    return float(value) + 0.0


@lru_cache(maxsize=256)
def _kinds_fit(kinds: tuple[type, ...]) -> bool:
    """Whether a trial's values are of the types that they can be; few combinations occur."""
    scores, (weights, duration, worker, error, curve) = kinds[7:11], kinds[11:16]
    return (
        kinds[:7] == _TRIAL_KINDS
        and scores in ((float,) * 4, (_NULL,) * 4)
        and {weights, worker, error} <= {str, _NULL}
        and duration in (float, _NULL)
        and curve in (int, _NULL)
    )


def _outcome(number: int, state: Any, values: list[Any]) -> Outcome:
    scores = None if values[0] is None else Scores(*values[:4])
    weights, duration_s, worker, error, curve = values[4:9]
    complete = state == "COMPLETE"
    if state not in _FINISHED or curve is None:
        raise Damage(f"trial {number} is in a state that there is not")
    if (scores is not None) != complete or (weights is not None and not complete):
        raise Damage(f"trial {number} has scores and weights that do not go with its state")
    if scores is not None and not all(map(math.isfinite, values[:4])):
        raise Damage(f"a score of trial {number} is not finite")
    if duration_s is not None and not math.isfinite(duration_s):
        raise Damage(f"the duration of trial {number} is not finite")
    for text in (weights, worker, error):
        if text is not None and len(text) > _LONGEST_TEXT:
            raise Damage(f"trial {number} holds a text of {len(text)} characters")
    return Outcome(
        state=state,
        scores=scores,
        weights=None if weights is None else _weights(number, weights),
        duration_s=duration_s,
        worker=worker,
        error=error,
    )


def _weights(number: int, text: str) -> tuple[float, ...]:
    weights = tuple(map(float, json.loads(text)))
    if len(weights) != 9 or not all(map(math.isfinite, weights)):
        raise Damage(f"the weights of trial {number} are not nine numbers")
    return weights


def _plain(value: Any, depth: int) -> bool:
    """Whether it is a small number, a text, or a shallow collection of such."""
    if isinstance(value, (dict, list)):
        parts: Iterable[Any] = value.values() if isinstance(value, Mapping) else value
        return depth > 0 and all(_plain(part, depth - 1) for part in parts)
    if isinstance(value, (int, float)):
        return math.isfinite(value) if isinstance(value, float) else abs(value) < _TOO_LARGE
    return value is None or len(value) <= _LONGEST_TEXT
