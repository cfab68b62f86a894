"""Making and resuming studies: the Python face."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import fields, replace
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xortune.engine_choice import EngineChoice
from xortune.errors import Interrupted, NoEngineError, UsageError, XortuneError
from xortune.interrupt import StopSignal
from xortune.ledger import Ledger
from xortune.paths import (
    DEFAULT_RESULTS,
    StudyPaths,
    check_name,
    check_writable,
    find_study,
    new_study,
)
from xortune.settings import (
    COMPILED,
    EAGER,
    EngineName,
    RunOptions,
    StudySettings,
    check_engine,
    default_generation,
)
from xortune.space import SearchSpace, load_space
from xortune.study import Study
from xortune.times import Clock

if TYPE_CHECKING:
    from xortune.search_loop import Progress, Runner

_log = logging.getLogger("xortune")
_WANTED: dict[str, EngineName] = {EAGER: "eager", COMPILED: "compiled"}
_OPTIONS = tuple(field.name for field in fields(RunOptions))
_DECIDED = ("space", "engine", "device", "versions", "forced")
_SETTINGS = tuple(field.name for field in fields(StudySettings) if field.name not in _DECIDED)
# They propose trials, and train and measure them.
_LIBRARIES = ("optuna", "torch")


def _ignore(progress: Progress) -> None:
    """Nobody watches."""


def search(
    space: str | Path | Mapping[str, Any] = "default",
    *,
    name: str | None = None,
    results: str | Path = DEFAULT_RESULTS,
    engine: EngineName = "auto",
    on_progress: Callable[[Progress], None] = _ignore,
    stop: StopSignal | None = None,
    **settings: Any,
) -> Study:
    """Searches, and returns the study.

    Args:
        space: a shipped name, the path of a search-space file, or its content.
        name: the study's name; by default `xor-`, the date and the time.
        results: the folder that the study's own folder goes into.
        engine: `auto` compiles the training step where it can; the choice is recorded.
        on_progress: called after every pack.
        stop: what signals do, entered already; by default a `StopSignal` of its own.
        **settings: the fields of `StudySettings` and `RunOptions`, such as `trials=50`,
            `sampler="random"` or `runner="inline"`.

    Raises:
        UsageError: bad input, or a study of that name; nothing is written.
        Interrupted: Ctrl-C, SIGTERM, SIGHUP; what was finished is kept, tables are written.
        XortuneError: the search failed; likewise.
    """
    clock = Clock()
    loaded, study_settings, options = _validated(space, engine, settings)
    if study_settings.generation is None:
        default = default_generation(study_settings.sampler, study_settings.trials)
        study_settings = replace(study_settings, generation=default)
    folder = Path(results)
    paths = new_study(folder, default_name() if name is None else name)
    check_writable(folder)
    choice = EngineChoice(engine)
    with nullcontext(stop) if stop else StopSignal() as stop, _runner(options, stop) as runner:
        try:
            name, library = choice.decide(runner.device)
        except NoEngineError as error:
            raise UsageError(f"--engine {engine}: {error}. Use --engine eager.") from None
        study_settings = replace(
            study_settings, device=runner.device, engine=name, versions=_versions()
        )
        stop.check()
        with Ledger.create(paths, study_settings) as ledger:
            _run(ledger, paths, loaded, runner, library, clock, on_progress, stop)
        stop.check(paths.folder)
    return Study(paths)


def resume(
    study: str | Path,
    *,
    trials: int | None = None,
    force: bool = False,
    results: str | Path = DEFAULT_RESULTS,
    on_progress: Callable[[Progress], None] = _ignore,
    stop: StopSignal | None = None,
    **options: Any,
) -> Study:
    """Goes on with a study after a crash, an interruption, or to a larger total.

    Args:
        study: as for `load`.
        trials: the study's new total; by default as recorded.
        force: go on though an engine or a library has another version than recorded.
        results: the results folder.
        on_progress: called after every pack.
        stop: as for `search`.
        **options: the fields of `RunOptions`. The device is the recorded one unless given.

    Raises:
        As `search`.
    """
    clock = Clock()
    run_options = RunOptions(**_known(options, _OPTIONS))
    paths = find_study(study, Path(results))
    with nullcontext(stop) if stop else StopSignal() as stop, Ledger.open(paths) as ledger:
        settings = _resumable(ledger, paths.name, trials, force)
        if run_options.device == "auto":
            run_options = replace(run_options, device=settings.device)  # type: ignore[arg-type]
        choice = EngineChoice(_WANTED.get(settings.engine, "auto"))
        started = nullcontext() if _is_done(ledger, settings) else _runner(run_options, stop)
        with started as runner:
            stop.check(paths.folder)
            library = None
            if runner is not None:
                engine, library = _recorded_engine(choice, runner, paths.name)
                _note_device(settings, runner, paths.name)
                settings = replace(settings, device=runner.device, engine=engine)
                forced = settings.forced or force
                ledger.write_settings(replace(settings, versions=_versions(), forced=forced))
            space = load_space(settings.space)
            _run(ledger, paths, space, runner, library, clock, on_progress, stop)
        stop.check(paths.folder)
    return Study(paths)


def _run(
    ledger: Ledger,
    paths: StudyPaths,
    space: SearchSpace,
    runner: Runner | None,
    library: bytes | None,
    clock: Clock,
    on_progress: Callable[[Progress], None],
    stop: StopSignal,
) -> None:
    """Runs the search, which needs no runner when everything is done, and writes the tables.

    What fails first is raised, and does not keep the rest from being tried.
    """
    from xortune.report import tabulate
    from xortune.search_loop import Search
    from xortune.tensorboard import RunWriter

    settings = ledger.settings()
    runs = RunWriter(paths, space, settings.metric)
    search = Search(ledger, space, settings, runs, clock, on_progress, stop.check)

    def train() -> None:
        if runner is not None:
            try:
                with stop.to_blame():
                    runner.run(search, library)
            except XortuneError as error:
                error.folder = paths.folder
                raise

    def write_tables() -> None:
        with clock.writing():
            tabulate(ledger, paths)

    failures: list[BaseException] = []
    parts: tuple[Callable[[], object], ...] = (
        train,
        search.write_runs,
        write_tables,
        lambda: ledger.add_run(clock.total(runner.workers if runner else 0)),
    )
    for part in parts:
        try:
            part()
        except Interrupted as interruption:
            failures.append(Interrupted(interruption.signum, paths.folder))
        except BaseException as error:
            failures.append(error)
    if failures:
        raise failures[0]


@contextmanager
def _runner(options: RunOptions, stop: StopSignal) -> Iterator[Runner]:
    if options.runner == "inline":
        from xortune.search_loop import InlineRunner

        yield InlineRunner(options)
        return
    from xortune.cluster import ray_runner

    with ExitStack() as stack:
        # Nothing is half done yet, and a Ray that got the signal too may never answer.
        with stop.to_blame(), stop.raising():
            runner = stack.enter_context(ray_runner(options, _import_the_rest))
        stop.check()
        yield runner


def _import_the_rest() -> None:
    """What a search needs besides Ray: a second and a half."""
    import xortune.report
    import xortune.search_loop  # noqa: F401


def _resumable(ledger: Ledger, name: str, trials: int | None, force: bool) -> StudySettings:
    """The settings to go on with; the total is a new one unless None."""
    settings = ledger.settings()
    if not force:
        _check_versions(settings, name)
    if trials is None:
        return settings
    extended = replace(settings, trials=trials)
    asked = len(ledger.trials())
    if trials < asked:
        raise UsageError(
            f"--trials {trials}: study {name} has {asked} trials already, and the number is the "
            "study's total. Give a larger one, or leave it out."
        )
    return extended


def _is_done(ledger: Ledger, settings: StudySettings) -> bool:
    finished = [row for row in ledger.trials() if row.outcome is not None]
    return len(finished) >= settings.trials


def _versions() -> dict[str, str]:
    """Of the libraries that decide an answer; read off the disk, since they load slowly."""
    return {name: metadata.version(name).partition("+")[0] for name in _LIBRARIES}


def _check_versions(settings: StudySettings, name: str) -> None:
    """Refuses to go on silently with what may give other numbers."""
    changes = []
    if settings.engine not in _WANTED:
        changes.append(
            f"it was trained by the engine {settings.engine}, and this xortune has "
            f"{' and '.join(_WANTED)}: losses may differ in their last digits"
        )
    effects = {
        "optuna": "it may propose other trials",
        "torch": "losses may differ in their last digits",
    }
    for library, version in _versions().items():
        recorded = settings.versions.get(library, version)
        if recorded != version:
            changes.append(f"{library} was {recorded}, here it is {version}: {effects[library]}")
    if changes:
        raise UsageError(
            f"study {name} was begun with other software: {'; '.join(changes)}. Trials that are "
            "finished stay as they are. Install what it was begun with, or go on with --force."
        )


def _recorded_engine(choice: EngineChoice, runner: Runner, name: str) -> tuple[str, bytes | None]:
    """The engine that the study was begun with, and its library."""
    try:
        return choice.decide(runner.device)
    except NoEngineError as error:
        raise UsageError(
            f"study {name} was begun with the compiled engine: {error}. Resume it where there "
            "is a C compiler (gcc or clang), with --device cpu."
        ) from None


def _note_device(settings: StudySettings, runner: Runner, name: str) -> None:
    if runner.device != settings.device:
        _log.warning(
            f"study {name} was begun on {settings.device} and goes on on {runner.device}: "
            "the trials from here on may differ in their last digits."
        )


def check_search(space: str, name: str, engine: EngineName = "auto", **settings: Any) -> None:
    """For a search that runs elsewhere: raises UsageError where `search` would; writes nothing."""
    check_name(name)
    _validated(space, engine, settings)


def _validated(
    space: str | Path | Mapping[str, Any], engine: EngineName, settings: Mapping[str, Any]
) -> tuple[SearchSpace, StudySettings, RunOptions]:
    given = _known(settings, (*_SETTINGS, *_OPTIONS))
    loaded = load_space(space)
    for note in loaded.notes:
        _log.warning(note)
    return loaded, *_checked(loaded, given, engine)


def _checked(
    space: SearchSpace, given: Mapping[str, Any], engine: str
) -> tuple[StudySettings, RunOptions]:
    """Recorded settings and run options; all their faults are raised together."""
    options = {key: value for key, value in given.items() if key in _OPTIONS}
    recorded = {key: value for key, value in given.items() if key not in options}
    faults = []
    try:
        check_engine(engine)
    except UsageError as error:
        faults.append(str(error))
    try:
        settings = StudySettings(space=space.parameters, **recorded)
    except UsageError as error:
        faults.append(str(error))
    try:
        run_options = RunOptions(**options)
    except UsageError as error:
        faults.append(str(error))
    if faults:
        raise UsageError("\n".join(faults))
    return settings, run_options


def _known(given: Mapping[str, Any], known: tuple[str, ...]) -> dict[str, Any]:
    """The keywords that are not None, which stands for the default."""
    unknown = [key for key in given if key not in known]
    if unknown:
        close = difflib.get_close_matches(unknown[0], known, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise UsageError(f"unknown setting {unknown[0]!r}.{hint} There are {', '.join(known)}.")
    return {key: value for key, value in given.items() if value is not None}


def default_name() -> str:
    """`xor-`, the date and the time."""
    return datetime.now().strftime("xor-%Y%m%d-%H%M%S")
