"""Tries a module as a search would before it begins, and times a trial."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xortune.errors import UsageError
from xortune.plain_numbers import brief
from xortune.studies.request import checked_request
from xortune.trial import Lane
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.engines.engine import Engine
    from xortune.problems.module.rows import ModuleRows
    from xortune.studies.problems.subject import SpaceSource

_LANES = 64  # of the pack that is timed
_EPOCHS = 3


@dataclass(frozen=True)
class Checked:
    """What was found of a module that can be searched.

    Attributes:
        engine: the name of the engine that a search takes, as it is recorded.
        words: what that means, and why it was chosen.
        seconds: how long a trial of the smallest point takes with each engine that can train it,
            by the engine's name.
        lines: all of it, for people.
    """

    engine: str
    words: str
    seconds: dict[str, float]
    lines: tuple[str, ...]


def check(
    problem: Any,
    space: SpaceSource | None = None,
    *,
    include: Sequence[str | Path] | None = None,
    data: Any = None,
    target: str | None = None,
) -> Checked:
    """Tries a module at a few points of a space. Writes nothing.

    Args:
        problem: an `xortune.Problem` with a model, or its file.
        space, include, data, target: as for `xortune.search`.

    Raises:
        UsageError: a search would refuse it, for the same reasons.
    """
    from xortune.problems.module.problem import ModuleProblem
    from xortune.studies.problems.module_engines import looked_at_module

    about = {"problem": problem, "include": include, "data": data, "target": target}
    request = checked_request(space, None, "auto", about)
    found = request.subject.problem
    if not isinstance(found, ModuleProblem):
        raise UsageError(
            f"{option('problem')} {brief(problem)}: has a function, which only a search can try. "
            "This is for a module: Problem(model=...)."
        )
    looked = looked_at_module(found, request.settings)
    chosen = looked.chosen("auto")
    seconds = {engine.name: _seconds(engine) for engine in looked.engines}
    lines = (
        f"{found.code.file or 'this problem'}: {_rows(found.material.rows)}",
        f"tried at {looked.points} points of the space, and nothing is wrong",
        f"{chosen.name}: {looked.words('auto')}",
        *(_time(name, seconds[name], looked.epochs) for name in seconds),
    )
    return Checked(chosen.name, looked.words("auto"), seconds, lines)


def _rows(rows: ModuleRows) -> str:
    test = "" if rows.x_test is None else f", {len(rows.x_test):,} for the test"
    return f"{len(rows.x):,} rows to learn from, {len(rows.x_validation):,} for validation{test}"


def _seconds(engine: Engine) -> float:
    """The seconds of a trial with the defaults: of a pack for engines that like packs."""
    lanes = min(_LANES, engine.pace("cpu").largest) if engine.name.startswith("stacked") else 1
    trainer = engine.open("cpu")
    took = []
    for epochs in (1, 1, 1 + _EPOCHS):  # The first call also prepares.
        trials = [engine.spec.assignment({"epochs": epochs, "seed": s}) for s in range(lanes)]
        started = time.perf_counter()
        trainer.train([Lane(params, number) for number, params in enumerate(trials)], None)
        took.append(time.perf_counter() - started)
    an_epoch = max(took[2] - took[1], 0.0) / _EPOCHS
    epochs = engine.spec.defaults["epochs"]
    return (took[1] + an_epoch * (float(epochs or 1) - 1)) / lanes


def _time(name: str, seconds: float, epochs: int) -> str:
    how = f"in a pack of {_LANES}" if name.startswith("stacked") else "one at a time"
    return f"  {name}: a trial of {epochs:,} epochs takes {seconds * 1000:.3g} ms {how}"
