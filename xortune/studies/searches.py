"""Makes and resumes studies: `xortune.search` and `xortune.resume`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xortune.errors import (
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
    differences,
    truth,
)
from xortune.space import Narrowing
from xortune.studies.beginning import begun
from xortune.studies.finishing import Watch
from xortune.studies.options import (
    RESUME_KEYWORDS,
    RUN_KEYWORDS,
    SEARCH_KEYWORDS,
    ResumeKeywords,
    SearchKeywords,
    shown_with,
)
from xortune.studies.problems import kind_of
from xortune.studies.progress import watched
from xortune.studies.request import (
    Request,
    changed_settings,
    checked_request,
    default_name,
    known,
    run_settings,
)
from xortune.studies.resuming import Wanted, continued, is_done, log_done
from xortune.studies.study import Study
from xortune.studies.trainings import CHANGEABLE
from xortune.wording import option

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from xortune.loop.search import Progress


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
        return begun(request, folder, names, Watch(clock, observer, stop))


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
            code is other: then finished trials are kept without a rank.
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
    wanted = Wanted(
        trials,
        bool(force),
        {key: value for key, value in named.items() if value is not None},
        run,
        changed=changed,
    )
    return continued(paths, wanted, on_progress, stop)


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
        done = is_done(ledger, ledger.trials())
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
        log_done(paths)
        return Study(paths)
    options = {name: getattr(request.options, name) for name in RUN_KEYWORDS}
    wanted = Wanted(None, False, {}, options, request.subject)
    return continued(paths, wanted, on_progress, stop)
