"""Resumes a study: what of it is left, and how it changes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from xortune.errors import (
    NoEngineError,
    UsageError,
)
from xortune.interrupt import StopSignal
from xortune.ledger import Ledger
from xortune.loop.clock import Clock
from xortune.paths import (
    StudyPaths,
)
from xortune.settings import (
    Provenance,
    RunOptions,
    StudySettings,
)
from xortune.space import load_space
from xortune.studies.beginning import check_machines, runner_for, with_confirmation
from xortune.studies.compatibility import check_versions, versions
from xortune.studies.finishing import Training, Watch, finish
from xortune.studies.held_out import is_over
from xortune.studies.problems import kind_of, resumed
from xortune.studies.progress import watched
from xortune.studies.request import (
    each_point_once,
    heard,
    run_options,
)
from xortune.studies.study import Study
from xortune.studies.trainings import changes_at_fault
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.engines.engine import Engine, EngineChoice
    from xortune.loop.search import Progress
    from xortune.studies.problems.subject import Subject
    from xortune.trial_table import TrialTable

_log = logging.getLogger("xortune")

# The findings of a search that has ended.
_OF_THE_END = ("confirmation", "stopped", "test_of_recommended")


@dataclass(frozen=True)
class Wanted:
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


def continued(
    paths: StudyPaths,
    wanted: Wanted,
    on_progress: Callable[[Progress], None] | None,
    stop: StopSignal | None,
) -> Study:
    """Trains what is left of a study, if anything."""
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
        log_done(paths)
    return Study(paths)


def _resumable(ledger: Ledger, name: str, wanted: Wanted) -> _Rest:
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
    done = settings == replace(before, mixed=settings.mixed) and is_done(ledger, table)
    if subject is None and (wanted.named or not done):
        with heard(wanted.options) if "problem" in wanted.named else nullcontext():
            subject = resumed(settings, name, wanted.named, force)
    return _Rest(settings, subject, left, done, force, options, before)


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
    with runner_for(options, settings, rest.left, choice, stop) as runner:
        stop.check(paths.folder)
        try:
            with stop.raising():  # It may wait for a compiler.
                engine = choice.decide(runner.device)
        except NoEngineError as error:
            raise UsageError(
                f"study {paths.name} began with the engine {provenance.engine}: {error}. "
                f"{_remedy(settings, family)}"
            ) from None
        if runner.device != settings.device:
            _log.warning(
                f"study {paths.name} began on {settings.device} and is resumed on "
                f"{runner.device}: the trials from here on may differ in their last digits."
            )
        check_machines(runner, engine, stop)
        changed = _is_other_code(subject.recorded, settings.problem, force=rest.force)
        same = not changed and _rounds_alike(provenance, choice, engine, runner.device)
        if changed:
            provenance = replace(provenance, outdated=_finished_spans(ledger.trials()))
            settings = replace(settings, problem=subject.recorded)
        settings = _reconfirmed(rest.before, settings, engine)
        if rest.before.confirm and not settings.confirm:
            _log.warning(f"study {paths.name}: its confirmation is withdrawn.")
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


def _is_other_code(here: Mapping[str, Any], there: Mapping[str, Any], *, force: bool) -> bool:
    """Whether the trials from here on are trained by other code than those of the study so far."""
    if here.get("digest") is None:  # A function without a readable text has none.
        return here.get("digest") != there.get("digest") or (force and bool(there))
    same_name = here.get("name") == there.get("name", here.get("name"))
    return here["digest"] != there.get("digest") or not same_name


def _rounds_alike(
    provenance: Provenance, choice: EngineChoice, engine: Engine, device: str
) -> bool:
    """Whether the study's reference packs tell kinds of processor apart from here on, too.

    By force its engine, that engine's libraries, or the padding of its lanes may be others: then
    the same processor gives other bits, which says nothing of its kind.
    """
    here, there = versions(engine, device), provenance.versions
    return (
        engine.name == provenance.engine
        and provenance.padding in (None, choice.padding)
        and all(there.get(name) in (None, here[name]) for name in engine.libraries(device))
    )


def _remedy(settings: StudySettings, family: str) -> str:
    """What to do where the engine of a study is not to be had."""
    kind = kind_of(settings.problem)
    compiler = "Resume it where there is a C compiler (gcc or clang)"
    if kind.named_by != "problem":
        on_cpus = f", with {option('device', 'cpu')}" if kind.on_gpus else ""
        return f"{compiler}{on_cpus}."
    if family == "stacked-compiled":
        return "Resume it where it began: with its module, its PyTorch and a C++ compiler."
    restore = "Restore the module with which it began, or begin a new study."
    return f"{compiler}. {restore}" if family == "mlp" else restore


def _reconfirmed(before: StudySettings, settings: StudySettings, engine: Engine) -> StudySettings:
    """The settings of an extended study, whose confirmation is that of one begun like this."""
    derived = with_confirmation(replace(before, confirm=None), engine).confirm
    if settings.confirm != before.confirm or before.confirm != derived:
        return settings  # The user has chosen.
    return with_confirmation(replace(settings, confirm=None), engine)


def is_done(ledger: Ledger, table: TrialTable) -> bool:
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


def _finished_spans(table: TrialTable) -> tuple[tuple[int, int], ...]:
    """The first and the last number of each run of finished trials."""
    numbers = [n for n in range(len(table)) if table.is_finished(n)]
    firsts = [n for n in numbers if n == 0 or not table.is_finished(n - 1)]
    lasts = [n for n in numbers if n + 1 == len(table) or not table.is_finished(n + 1)]
    return tuple(zip(firsts, lasts))


def log_done(paths: StudyPaths) -> None:
    """Says why there is nothing to do."""
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
