"""Begins a study: its engine, its machines, its folder, and then its search."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from xortune.errors import (
    NoEngineError,
    StudyExistsError,
    UsageError,
)
from xortune.interrupt import StopSignal
from xortune.ledger import Ledger
from xortune.paths import (
    StudyPaths,
)
from xortune.settings import (
    Provenance,
    RunOptions,
    StudySettings,
    default_generation,
)
from xortune.space import load_space
from xortune.studies.compatibility import versions
from xortune.studies.finishing import Training, Watch, finish
from xortune.studies.request import (
    Request,
)
from xortune.studies.study import Study
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.engines.engine import Engine, EngineChoice
    from xortune.loop.runner import Runner


def begun(request: Request, folder: Path, names: Iterator[str], watch: Watch) -> Study:
    """Searches, in a new study of the first of the names that is free.

    Raises:
        UsageError: the engine, or the machines, cannot do it; nothing is written.
    """
    settings, stop, subject = request.settings, watch.stop, request.subject
    choice = subject.choice(request.engine, settings, request.options)
    with _said_of(request):  # Before machines are sought.
        choice.refuse()
    if settings.generation is None:
        size = default_generation(settings, choice.generation)
        settings = replace(settings, generation=size)
    with runner_for(request.options, settings, settings.trials, choice, stop) as runner:
        with _said_of(request), stop.raising():  # It may wait for a compiler.
            engine = choice.decide(runner.device)
        check_machines(runner, engine, stop)
        settings = with_confirmation(replace(settings, device=runner.device), engine)
        provenance = Provenance(
            engine.name,
            versions(engine, runner.device),
            training=choice.training,
            padding=choice.padding,
        )
        stop.check()
        paths, ledger = created(folder, names, settings, provenance, stop)
        with ledger:
            training = Training(runner, engine, request.options.timeout)
            finish(ledger, paths, training, subject, watch, request.options.best_with_runs)
        stop.check(paths.folder)
    return Study(paths)


@contextmanager
def _said_of(request: Request) -> Iterator[None]:
    """Turns NoEngineError into a UsageError that names the engine asked for."""
    try:
        yield
    except NoEngineError as error:
        raise UsageError(
            f"{option('engine')} {request.engine}: {error}. Use {option('engine', 'auto')}."
        ) from None


def with_confirmation(settings: StudySettings, engine: Engine) -> StudySettings:
    """The settings with the numbers of a confirmation, which follow from the estimated work."""
    from xortune.loop.confirmation import counts_for

    if settings.confirm is not None:
        return settings
    space = load_space(settings.space, settings.spec)
    pace = engine.pace("cuda" if settings.device == "cuda" else "cpu")
    return replace(settings, confirm=counts_for(settings, space, pace))


def runner_for(
    options: RunOptions, settings: StudySettings, left: int, choice: EngineChoice, stop: StopSignal
) -> AbstractContextManager[Runner]:
    """The runner for so many trials that are left."""
    # Imported once the search is watched: Optuna may warn.
    from xortune.studies.runner_choice import chosen_runner

    space = load_space(settings.space, settings.spec)
    return chosen_runner(options, space, settings, left, choice, stop)


def created(
    folder: Path,
    names: Iterator[str],
    settings: StudySettings,
    provenance: Provenance,
    stop: StopSignal,
) -> tuple[StudyPaths, Ledger]:
    """A new study of the first name that is free; making its folder claims it."""
    for name in names:
        paths = StudyPaths(folder / name)
        check = partial(stop.check, paths.folder)
        try:
            return paths, Ledger.create(paths, settings, provenance, check)
        except StudyExistsError as error:
            taken = error
    raise taken


def check_machines(runner: Runner, engine: Engine, stop: StopSignal) -> None:
    """Raises what makes an engine impossible on the machines of a runner."""
    # Nothing has been written, so a signal may interrupt at once.
    with stop.errors_as_interrupts(), stop.raising():
        runner.check(engine)
    stop.check()
