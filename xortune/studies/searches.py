"""Makes and resumes studies: `xortune.search` and `xortune.resume`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xortune.errors import (
    NoEngineError,
    StudyExistsError,
    UsageError,
)
from xortune.interrupt import StopSignal
from xortune.ledger import Ledger
from xortune.loop.clock import Clock
from xortune.paths import (
    DEFAULT_RESULTS,
    StudyPaths,
    as_path,
    check_writable,
    find_study,
    is_study,
    new_study,
    numbered,
)
from xortune.settings import (
    DeviceName,
    Provenance,
    RunOptions,
    StudySettings,
    default_generation,
    differences,
    truth,
)
from xortune.space import Narrowing, load_space
from xortune.studies.compatibility import check_versions, versions
from xortune.studies.finishing import Training, Watch, finish
from xortune.studies.held_out import is_over
from xortune.studies.options import (
    RESUME_KEYWORDS,
    RUN_KEYWORDS,
    SEARCH_KEYWORDS,
    ResumeKeywords,
    SearchKeywords,
    shown_with,
)
from xortune.studies.problems import kind_of, resumed
from xortune.studies.progress import watched
from xortune.studies.request import (
    Request,
    changed_settings,
    checked_request,
    default_name,
    each_point_once,
    heard,
    known,
    run_options,
    run_settings,
)
from xortune.studies.study import Study
from xortune.studies.trainings import CHANGEABLE, changes_at_fault
from xortune.wording import option

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from xortune.engines.engine import Engine, EngineChoice
    from xortune.loop.runner import Runner
    from xortune.loop.search import Progress
    from xortune.studies.problems.subject import Subject
    from xortune.trial_table import TrialTable

_log = logging.getLogger("xortune")

# The findings of a search that has ended.
_OF_THE_END = ("confirmation", "stopped", "test_of_recommended")


@dataclass(frozen=True)
class _Wanted:
    """The words of a resume: the new total, by force or not, the subject, and the run's options.

    The subject is named by keywords of `SUBJECT_KEYWORDS`, unless it is there already. `changed`
    has further settings with new values: None lifts a limit, and `confirm` () leaves it out.
    """

    trials: int | None
    force: bool
    named: Mapping[str, Any]
    options: Mapping[str, Any]
    subject: Subject | None = None
    changed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Rest:
    """A study to resume: its settings and subject, and what is left to train.

    `before` are the settings so far. Only a confirmation may be left: then `left` is 0, and
    `done` is false.
    """

    settings: StudySettings
    subject: Subject | None  # None if nothing is left, and none was named
    left: int
    done: bool
    force: bool
    options: RunOptions
    before: StudySettings


@shown_with(SEARCH_KEYWORDS)
def search(
    space: str | Path | Mapping[str, Any] | None = None,
    *,
    narrow: Narrowing | None = None,
    name: str | None = None,
    results: str | Path = DEFAULT_RESULTS,
    engine: str = "auto",
    exist_ok: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    stop: StopSignal | None = None,
    **settings: Unpack[SearchKeywords],
) -> Study:
    """Searches, and returns the study.

    Args:
        space: a shipped name, the path of a search-space file, or its content; by default the
            problem's own.
        narrow: the part of the space to search, by parameter: a value, a tuple of the lowest
            and the highest, or a list of choices.
        name: the study's name; by default the problem's name, the date and the time.
        results: the folder of the study's own folder.
        engine: `auto` takes the fastest available; the choice is recorded.
        exist_ok: a study of that name with the same settings is returned if it is finished,
            and resumed if not.
        on_progress: called after every pack. By default a notebook shows a line of progress.
        stop: an entered `StopSignal`; by default a new one.
        **settings: what is searched, by default the lab's problem: `data`, a shipped name, a
            table's file, a DataFrame or arrays `(X, y)`, with `target` and more; or `problem`,
            an `xortune.Problem` or its file. See `xortune.studies.options.SearchKeywords`, and
            the fields of `StudySettings` and `RunOptions`.

    Raises:
        UsageError: bad input, or a study of that name (with `exist_ok`, one with other
            settings); nothing is written.
        Interrupted: Ctrl-C, SIGTERM, SIGHUP; finished trials are kept, tables are written.
        XortuneError: the search failed; likewise.

    Example:
        study = xortune.search("default", trials=100, sampler="random")
        study.trials.head()
        study = xortune.search(data="wine.csv", target="quality")
    """
    clock = Clock()
    request = checked_request(space, narrow, engine, settings)
    folder = as_path("results", results)
    if faults := truth("exist_ok", exist_ok):
        raise UsageError(faults[0])
    if exist_ok and name is None:
        raise UsageError(f"{option('exist_ok')}: say which study, with {option('name')}.")
    if exist_ok and name is not None and is_study(folder, name):
        return _existing(StudyPaths(folder / name), request, on_progress, stop)
    free = numbered(default_name(request.settings.spec))
    names = free if name is None else iter([_free(folder, name)])
    check_writable(folder)
    with watched(on_progress) as observer, nullcontext(stop) if stop else StopSignal() as stop:
        return _new_study(request, folder, names, Watch(clock, observer, stop))


@shown_with(RESUME_KEYWORDS)
def resume(
    study: str | Path,
    *,
    trials: int | None = None,
    force: bool = False,
    data: Any = None,
    problem: Any = None,
    include: Sequence[str | Path] | None = None,
    results: str | Path = DEFAULT_RESULTS,
    on_progress: Callable[[Progress], None] | None = None,
    stop: StopSignal | None = None,
    **options: Unpack[ResumeKeywords],
) -> Study:
    """Resumes a study after a crash or an interruption, or extends it to a larger total.

    Args:
        study: as for `load`.
        trials: the study's new total; by default as recorded.
        force: resume even if the engine or a library has another version than recorded, or the
            function is another: then finished trials are kept without a rank.
        data: of a study of a table: its data, named again. Other data is refused.
        problem: of a study of a function or a module: its problem, named again.
        include: as for `search`.
        results: the results folder.
        on_progress: as for `search`.
        stop: as for `search`.
        **options: the fields of `RunOptions`, where the device is the recorded one unless given;
            `confirm`, `stop_at`, `plateau` and `epoch_budget`, with which a study that has
            reached one of them continues; and `mixed`. See
            `xortune.studies.options.ResumeKeywords`.

    Raises:
        As `search`.

    Example:
        xortune.resume("results/first", trials=200)
        xortune.resume("results/first", plateau="none", timeout="10m")
    """
    if faults := truth("force", force):
        raise UsageError(faults[0])
    run = known(options, RESUME_KEYWORDS)
    changed = changed_settings({name: run.pop(name) for name in CHANGEABLE if name in run})
    run_settings(run)
    paths = find_study(as_path("study", study), as_path("results", results))
    named = {"data": data, "problem": problem, "include": include}
    wanted = _Wanted(
        trials,
        bool(force),
        {key: value for key, value in named.items() if value is not None},
        run,
        changed=changed,
    )
    return _continued(paths, wanted, on_progress, stop)


def _free(folder: Path, name: str) -> str:
    """The name, if it is free; raises UsageError if not, with what a resume would need."""
    try:
        return new_study(folder, name).name
    except UsageError as error:
        needed = None
        with suppress(UsageError):
            if is_study(folder, name):
                recorded = Study(StudyPaths(folder / name)).settings.problem
                needed = kind_of(recorded).named_by
        more = "" if needed is None else f" (and {option(needed)} again)"
        raise UsageError(f"{error}{more}") from None


def _continued(
    paths: StudyPaths,
    wanted: _Wanted,
    on_progress: Callable[[Progress], None] | None,
    stop: StopSignal | None,
) -> Study:
    clock = Clock()
    with (
        watched(on_progress) as observer,
        nullcontext(stop) if stop else StopSignal() as stop,
        Ledger.open(paths, partial(stop.check, paths.folder)) as ledger,
    ):
        rest = _resumable(ledger, paths.name, wanted)
        watch = Watch(clock, observer, stop)
        if not rest.done:
            _resume(ledger, paths, rest, watch)
        else:
            finish(ledger, paths, None, rest.subject, watch, rest.options.best_with_runs)
        stop.check(paths.folder)
    if rest.done:
        _log_done(paths)
    return Study(paths)


def _new_study(request: Request, folder: Path, names: Iterator[str], watch: Watch) -> Study:
    settings, stop, subject = request.settings, watch.stop, request.subject
    choice = subject.choice(request.engine, settings, request.options)
    if settings.generation is None:
        size = default_generation(settings, choice.generation)
        settings = replace(settings, generation=size)
    with _runner(request.options, settings, settings.trials, choice, stop) as runner:
        try:
            with stop.raising():  # It may wait for a compiler.
                engine = choice.decide(runner.device)
        except NoEngineError as error:
            raise UsageError(
                f"{option('engine')} {request.engine}: {error}. Use {option('engine', 'auto')}."
            ) from None
        _check_machines(runner, engine, stop)
        settings = _with_confirmation(replace(settings, device=runner.device), engine)
        provenance = Provenance(
            engine.name,
            versions(engine, runner.device),
            training=choice.training,
            padding=choice.padding,
        )
        stop.check()
        paths, created = _created(folder, names, settings, provenance, stop)
        with created as ledger:
            training = Training(runner, engine, request.options.timeout)
            finish(ledger, paths, training, subject, watch, request.options.best_with_runs)
        stop.check(paths.folder)
    return Study(paths)


def _resume(ledger: Ledger, paths: StudyPaths, rest: _Rest, watch: Watch) -> None:
    """Trains the rest of a study."""
    settings, stop, provenance = rest.settings, watch.stop, ledger.provenance()
    options, subject = rest.options, rest.subject
    assert subject is not None
    if options.device == "auto":
        options = replace(options, device=settings.device)  # type: ignore[arg-type]
    family = kind_of(settings.problem).family(provenance.engine)
    choice = subject.choice(family, settings, options)
    choice.keep(paths.name, provenance, force=rest.force)
    with _runner(options, settings, rest.left, choice, stop) as runner:
        stop.check(paths.folder)
        try:
            with stop.raising():  # It may wait for a compiler.
                engine = choice.decide(runner.device)
        except NoEngineError as error:
            kind = kind_of(settings.problem)
            on_cpus = f", with {option('device', 'cpu')}" if kind.on_gpus else ""
            remedy = f"Resume it where there is a C compiler (gcc or clang){on_cpus}."
            if kind.named_by == "problem":
                remedy = "Restore the module with which it began, or begin a new study."
            raise UsageError(
                f"study {paths.name} began with the engine {provenance.engine}: {error}. {remedy}"
            ) from None
        if runner.device != settings.device:
            _log.warning(
                f"study {paths.name} began on {settings.device} and is resumed on "
                f"{runner.device}: the trials from here on may differ in their last digits."
            )
        _check_machines(runner, engine, stop)
        here, there = (about.get("digest") for about in (subject.recorded, settings.problem))
        # A function without a readable text has no digest.
        if here != there or (here is None and settings.problem and rest.force):
            provenance = replace(provenance, outdated=_finished_spans(ledger.trials()))
            settings = replace(settings, problem=subject.recorded)
        settings = _reconfirmed(rest.before, settings, engine)
        if rest.before.confirm and not settings.confirm:
            _log.warning(f"study {paths.name}: its confirmation is withdrawn.")
        same = engine.name == provenance.engine
        provenance = replace(
            provenance,
            engine=engine.name,
            reference=provenance.reference if same else {},
            other_references=provenance.other_references if same else {},
            training=choice.training,
            padding=choice.padding,
            versions={**provenance.versions, **versions(engine, runner.device)},
            forced=provenance.forced or rest.force,
        )
        # They say nothing of the trials to come, and a kill may follow.
        kept = {key: f for key, f in ledger.findings().items() if key not in _OF_THE_END}
        ledger.record(replace(settings, device=runner.device), provenance, kept)
        training = Training(runner, engine, options.timeout)
        finish(ledger, paths, training, subject, watch, options.best_with_runs)


def _with_confirmation(settings: StudySettings, engine: Engine) -> StudySettings:
    """The settings with the numbers of a confirmation, which follow from the estimated work."""
    from xortune.loop.confirmation import counts_for

    if settings.confirm is not None:
        return settings
    space = load_space(settings.space, settings.spec)
    pace = engine.pace("cuda" if settings.device == "cuda" else "cpu")
    return replace(settings, confirm=counts_for(settings, space, pace))


def _reconfirmed(before: StudySettings, settings: StudySettings, engine: Engine) -> StudySettings:
    """The settings of an extended study, whose confirmation is that of one begun like this."""
    derived = _with_confirmation(replace(before, confirm=None), engine).confirm
    if settings.confirm != before.confirm or before.confirm != derived:
        return settings  # The user has chosen.
    return _with_confirmation(replace(settings, confirm=None), engine)


def _finished_spans(table: TrialTable) -> tuple[tuple[int, int], ...]:
    """The first and the last number of each run of finished trials."""
    numbers = [n for n in range(len(table)) if table.is_finished(n)]
    firsts = [n for n in numbers if n == 0 or not table.is_finished(n - 1)]
    lasts = [n for n in numbers if n + 1 == len(table) or not table.is_finished(n + 1)]
    return tuple(zip(firsts, lasts))


def _runner(
    options: RunOptions, settings: StudySettings, left: int, choice: EngineChoice, stop: StopSignal
) -> AbstractContextManager[Runner]:
    # Imported once the search is watched: Optuna may warn.
    from xortune.studies.runner_choice import chosen_runner

    space = load_space(settings.space, settings.spec)
    return chosen_runner(options, space, settings, left, choice, stop)


def _log_done(paths: StudyPaths) -> None:
    with Ledger.read(paths) as ledger:
        stopped = ledger.findings().get("stopped")
    if stopped is None:
        _log.warning(f"study {paths.name} is finished already: there was nothing to do.")
        return
    by, after = stopped["by"], stopped["after"]
    _log.warning(
        f"study {paths.name} stopped after {after} trials: {stopped['reason']}. There was nothing "
        f"to do. To go on, give a wider {option(by)}, or {option(by, 'none')}."
    )


def _created(
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


def _existing(
    paths: StudyPaths,
    request: Request,
    on_progress: Callable[[Progress], None] | None,
    stop: StopSignal | None,
) -> Study:
    """The study of that name, resumed unless it is finished.

    Raises:
        UsageError: it has other settings than the request.
    """
    with Ledger.read(paths) as ledger:
        found = ledger.settings()
        engine = kind_of(found.problem).family(ledger.provenance().engine)
        done = _is_done(ledger, ledger.trials())
    device: DeviceName = request.options.device
    different = differences(found, replace(request.settings, device=device))
    if request.engine not in ("auto", engine):
        different.append(f"{option('engine')} is {engine!r} there and {request.engine!r} here")
    if different:
        raise UsageError(
            f"{option('name')} {paths.name!r}: {paths.folder} exists already, with other settings: "
            f"{'; '.join(different)}. Choose another {option('name')}, or the same settings."
        )
    if done and paths.trials_csv.exists() and paths.trials_parquet.exists():
        _log_done(paths)
        return Study(paths)
    options = {name: getattr(request.options, name) for name in RUN_KEYWORDS}
    wanted = _Wanted(None, False, {}, options, request.subject)
    return _continued(paths, wanted, on_progress, stop)


def _resumable(ledger: Ledger, name: str, wanted: _Wanted) -> _Rest:
    """The rest of a study."""
    settings, provenance, table = ledger.settings(), ledger.provenance(), ledger.trials()
    force, subject = wanted.force, wanted.subject
    if not force:
        check_versions(settings, provenance, name)
    if faults := changes_at_fault(settings, wanted.changed):
        raise UsageError("\n".join(faults))
    settings = replace(settings, **wanted.changed)
    if wanted.trials is not None:
        settings = _extended(settings, provenance, name, wanted.trials, len(table))
    options = run_options(kind_of(settings.problem), wanted.options)
    before = ledger.settings()
    left = max(settings.trials - table.finished, 0)
    done = settings == replace(before, mixed=settings.mixed) and _is_done(ledger, table)
    if subject is None and (wanted.named or not done):
        with heard(wanted.options) if "problem" in wanted.named else nullcontext():
            subject = resumed(settings, name, wanted.named, force)
    return _Rest(settings, subject, left, done, force, options, before)


def _is_done(ledger: Ledger, table: TrialTable) -> bool:
    """Whether a resume of a study with its recorded settings would train nothing."""
    settings, found = ledger.settings(), ledger.findings()
    confirmed = found.get("confirmation", {}).get("wanted", [])
    if settings.confirm and [*settings.confirm] != confirmed and ledger.has_complete_trial():
        return False
    return is_over(ledger, table)


def _extended(
    settings: StudySettings, provenance: Provenance, name: str, trials: int, asked: int
) -> StudySettings:
    """The settings with another total; `asked` trials exist already."""
    extended = replace(settings, trials=trials)
    if settings.rungs:
        # Trials of a generation that was compared already are not compared again.
        starts = (*settings.starts, settings.trials)
        extended = replace(extended, starts=tuple(n for n in starts if n < extended.trials))
    if extended.trials < asked:
        raise UsageError(
            f"{option('trials')} {trials}: study {name} has {asked} trials already, and the "
            "number is the study's total. Give a larger one, or leave it out."
        )
    if extended.trials < settings.trials:
        _log.warning(
            f"study {name}: its total falls from {settings.trials} to {extended.trials} trials."
        )
    space = load_space(settings.space, settings.spec)
    return each_point_once(extended, space, provenance.sampler_version, asked)


def _check_machines(runner: Runner, engine: Engine, stop: StopSignal) -> None:
    # Nothing has been written, so a signal may interrupt at once.
    with stop.errors_as_interrupts(), stop.raising():
        runner.check(engine)
    stop.check()
