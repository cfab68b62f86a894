"""Looks at a module as a search would before it begins, and times a trial."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xortune.engines.collection import no_collection
from xortune.errors import UsageError
from xortune.studies.request import checked_request
from xortune.trial import Lane, Params
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.engines.engine import Engine
    from xortune.problems.module.problem import ModuleProblem
    from xortune.studies.problems.module_engines import Look
    from xortune.studies.problems.subject import SpaceSource

_TRIALS = 100  # of a search for which the engine is chosen
_LANES = 64  # of the pack that is timed,
_MOST_WEIGHTS = 8_000_000  # unless they have more weights than this together
_EPOCHS = 2  # beyond the first


@dataclass(frozen=True)
class Checked:
    """What was found of a module that can be searched.

    Attributes:
        engine: the name of the engine that a search takes, as it is recorded.
        words: how it trains, and why it was chosen.
        seconds: of a processor, for a trial at the smallest point, by the name of each engine that
            can train it; without packs of models so large that nobody would want them.
        lines: all of it, for people.
    """

    engine: str
    words: str
    seconds: Mapping[str, float]
    lines: tuple[str, ...]


def check(
    problem: Any,
    space: SpaceSource | None = None,
    *,
    include: Sequence[str | Path] | None = None,
    data: Any = None,
    target: str | None = None,
    verbose: bool = False,
) -> Checked:
    """Looks at a module at a few points of a space. Writes nothing.

    Args:
        problem: an `xortune.Problem` with a model, or its file.
        space, include, data, target: as for `xortune.search`.
        verbose: show what the problem's code prints.

    Raises:
        UsageError: a search would refuse it, for the same reasons.
    """
    about = {"problem": problem, "include": include, "data": data, "target": target}
    request = checked_request(space, None, "auto", {**about, "trials": _TRIALS, "verbose": verbose})
    from xortune.problems.module.problem import ModuleProblem
    from xortune.studies.problems.module_engines import ModuleChoice, look_at

    found = request.subject.problem
    if not isinstance(found, ModuleProblem):
        raise UsageError(
            f"{option('problem')}: has a function, which only a search can try. This is for a "
            "module: Problem(model=...)."
        )
    look = look_at(found, request.settings, shown=request.options.verbose)
    choice = ModuleChoice(look, "auto")
    engine = choice.expected("cpu")
    fits = look.fitness.size.weights * _LANES <= _MOST_WEIGHTS
    engines = [engine] if engine not in (look.stacked, look.plain) else []
    engines += [look.stacked] if look.stacked is not None and fits else []
    seconds = {e.name: _seconds(e, look.points[0]) for e in (*engines, look.plain)}
    said = choice.words(engine)
    lines = [
        *_lines(found, look, f"{engine.name}: {said}"),
        *(_timed(name, seconds[name], look) for name in seconds),
    ]
    return Checked(engine.name, said, seconds, tuple(lines))


def _lines(problem: ModuleProblem, look: Look, said: str) -> list[str]:
    rows = problem.material.rows
    test = "" if rows.x_test is None else f", {len(rows.x_test):,} for a test"
    fitness = look.fitness
    padding = "" if look.stacked is None else f"; stacks padded to {fitness.padding} lanes"
    return [
        f"{problem.spec.problem}: {len(rows.x):,} rows for training, {len(rows.x_validation):,} "
        f"for validation{test}",
        f"sound at {fitness.points} points of the space, with up to {fitness.size.weights:,} "
        "weights",
        f"a step takes up to {fitness.step_flops / 1e6:.3g} MFLOP{padding}",
        said,
    ]


def _seconds(engine: Engine, params: Params) -> float:
    """The seconds of a processor for one trial; in packs, for its share.

    Engines of modules train on one thread, and other programs are not counted.
    """
    lanes = _LANES if _in_packs(engine.name) else 1
    trainer = engine.open("cpu")
    took = []
    for epochs in (1, 1, 1 + _EPOCHS):  # The first call also prepares.
        values = [{**params, "epochs": epochs, "seed": seed} for seed in range(lanes)]
        pack = [Lane(engine.spec.assignment(one), n) for n, one in enumerate(values)]  # type: ignore[arg-type]
        with no_collection():  # It would be counted as of every epoch.
            started = time.process_time()
            trainer.train(pack, None)
            took.append(time.process_time() - started)
    an_epoch = max(took[2] - took[1], 0.0) / _EPOCHS
    return (took[1] + an_epoch * (_epochs(params) - 1)) / lanes


def _timed(name: str, seconds: float, look: Look) -> str:
    how = f"in a pack of {_LANES}" if _in_packs(name) else "on its own"
    epochs = _epochs(look.points[0])
    took = f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"
    return f"{name}: {took} for a trial of {epochs:,} epochs, {how}"


def _in_packs(name: str) -> bool:
    return not name.startswith("plain")


def _epochs(params: Params) -> int:
    epochs = params["epochs"]
    assert isinstance(epochs, int)
    return epochs
