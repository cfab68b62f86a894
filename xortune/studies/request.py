"""Checks the settings of a search before anything is written."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from xortune.errors import SpaceError, UsageError
from xortune.paths import check_name, shipped_spaces
from xortune.plain_numbers import brief
from xortune.prints import hidden_prints
from xortune.settings import SAMPLER_VERSION, RunOptions, StudySettings, one_of
from xortune.space import Narrowing, SearchSpace, count_points, narrowed, restricted
from xortune.spec import Direction, ProblemSpec
from xortune.studies.foreign import RECORDED, meant_setting
from xortune.studies.options import RUN_KEYWORDS, SEARCH_KEYWORDS
from xortune.studies.problems import (
    ENGINES,
    SPEC,
    SUBJECT_KEYWORDS,
    TABLE_SPACE,
    kind_of,
    requested,
)
from xortune.studies.trainings import (
    TRAINING_KEYWORDS,
    Trainings,
    notes_on_confirmation,
    read,
)
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.studies.problems.subject import Kind, SpaceSource, Subject

_log = logging.getLogger("xortune")
_T = TypeVar("_T")
_OF_RESUME = ("trials", "force", "data", "problem", "include", "results", "on_progress", "stop")
_OF_SEARCH = ("space", "narrow", "name", "results", "engine", "exist_ok", "on_progress", "stop")
_WAYS: dict[str, Direction | None] = {"": None, "max": "maximize", "min": "minimize"}


@dataclass(frozen=True)
class Request:
    """A search that can begin; `engine` is one of its kind's."""

    subject: Subject
    settings: StudySettings
    options: RunOptions
    engine: str


def check_search(
    space: SpaceSource | None,
    name: str | None,
    engine: str = "auto",
    narrow: Narrowing | None = None,
    **settings: Any,
) -> Request:
    """Raises UsageError where `search` would; for a search that runs elsewhere."""
    if name is not None:
        check_name(name)
    return checked_request(space, narrow, engine, settings)


def checked_request(
    space: SpaceSource | None,
    narrow: Narrowing | None,
    engine: str,
    keywords: Mapping[str, Any],
) -> Request:
    """The request of a search; logs the notes on its subject and its space.

    Raises:
        UsageError: lists all faults.
    """
    given = known(keywords, SEARCH_KEYWORDS)
    about, run, asked = (
        {key: given.pop(key) for key in names if key in given}
        for names in (SUBJECT_KEYWORDS, RUN_KEYWORDS, TRAINING_KEYWORDS)
    )
    objective, metric = given.pop("objective", None), given.pop("metric", None)
    faults = _Faults()
    with heard(run) if "problem" in about else nullcontext():
        subject = faults.tried(lambda: requested(about, space, asked.get("folds")))
    spec = SPEC if subject is None else subject.problem.spec
    loaded = part = None
    if subject is not None:
        spec = faults.tried(lambda: _with_objective(spec, objective, metric)) or spec
        loaded = faults.tried(lambda: _loaded(subject, space, spec))
    if loaded is not None:
        part = faults.tried(lambda: narrowed(loaded, narrow or {}))
    kind = kind_of({} if subject is None else subject.recorded)
    faults.texts += one_of("engine", engine, ENGINES if subject is None else kind.engines)
    values, wrong = read(asked)
    faults.texts += wrong
    given = {"log_every": spec.log_every, **given}
    options = faults.tried(lambda: run_options(kind, run))
    if subject is None or loaded is None or part is None:
        faults.tried(lambda: StudySettings(spec, {}, **given))
        raise faults.error()
    trainings = Trainings(values, kind, loaded, part)
    faults.texts += trainings.faults()
    part = restricted(part, trainings.spec)
    settings = faults.tried(lambda: _settings(subject, part, {**given, **trainings.settings()}))
    if settings is None or options is None or faults.texts:
        raise faults.error()
    _say_notes(subject, restricted(loaded, part.spec), space is None)
    settings = each_point_once(settings, part)
    for note in (*trainings.notes(), *notes_on_confirmation(settings)):
        _log.warning(note)
    return Request(subject, settings, options, engine)


def _loaded(subject: Subject, source: SpaceSource | None, spec: ProblemSpec) -> SearchSpace:
    """The search space; a fault says so where it is a shipped one of another problem."""
    try:
        return subject.space(source, spec)
    except SpaceError as error:
        if not isinstance(source, str) or source not in shipped_spaces():
            raise
        is_of_tables, own = source == TABLE_SPACE, subject.default_space
        if own in (None, source) or is_of_tables == (own == TABLE_SPACE):
            raise
        hint = f"is for the lab's problem. Leave it out: that of tables is {own}"
        if is_of_tables:
            hint = f"is for tables. Name one, with {option('data')} and {option('target')}"
        raise UsageError(f"{error}\nThe search space {source} {hint}.") from None


class _Faults:
    """Collects the faults of a request."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def tried(self, make: Callable[[], _T]) -> _T | None:
        """What `make` returns; None after a UsageError, which becomes a fault."""
        try:
            return make()
        except UsageError as error:
            self.texts.append(str(error))
            return None

    def error(self) -> UsageError:
        return UsageError("\n".join(self.texts))


def _settings(subject: Subject, space: SearchSpace, given: Mapping[str, Any]) -> StudySettings:
    about: dict[str, Any] = {"data": subject.problem.data, "problem": subject.recorded}
    return StudySettings(space.spec, space.parameters, **about, **given)


def _say_notes(subject: Subject, space: SearchSpace, is_own: bool) -> None:
    for note in subject.notes:
        _log.warning(note)
    for note in space.notes:
        # The defaults of a problem's own space are no news.
        (_log.debug if is_own else _log.warning)(note)


@contextmanager
def heard(options: Mapping[str, Any]) -> Iterator[None]:
    """Hides what a user's code prints while it is loaded, and says so, unless it is to be shown."""
    with hidden_prints(shown=bool(options.get("verbose"))) as prints:
        yield
    if prints.found:
        shows = option("verbose", True)
        _log.warning(f"what the problem prints while it is loaded is hidden; {shows} shows it.")


def run_options(kind: Kind, given: Mapping[str, Any]) -> RunOptions:
    """The options of a run, where the engines of a kind can have them.

    Raises:
        UsageError: lists all faults.
    """
    options, faults = run_settings(given), []
    if not kind.on_gpus and options.device in ("cuda", "both"):
        what = "modules" if kind.named_by == "problem" else "tables"
        faults.append(
            f"{option('device')} {options.device}: {what} are trained on CPUs. Leave it out."
        )
    if options.trial_timeout is not None and not kind.is_function:
        timeout = f"{options.trial_timeout:g}"
        faults.append(f"{option('trial_timeout')} {timeout}: is for functions. Leave it out.")
    if faults:
        raise UsageError("\n".join(faults))
    return options if kind.on_gpus else replace(options, device="cpu")


def run_settings(given: Mapping[str, Any]) -> RunOptions:
    """The options of a run, with a timeout that may be a text; raises UsageError likewise."""
    faults = _Faults()
    values, faults.texts = read(given)
    options = faults.tried(lambda: RunOptions(**values))
    if options is None or faults.texts:
        raise faults.error()
    return options


def changed_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a resume changes, as plain values; None for a limit that it lifts.

    Raises:
        UsageError: lists all faults.
    """
    faults = _Faults()
    values, faults.texts = read(given)
    faults.tried(lambda: StudySettings(SPEC, {}, **values))
    if faults.texts:
        raise faults.error()
    return values


def _with_objective(spec: ProblemSpec, objective: Any, metric: Any) -> ProblemSpec:
    """The spec with the objective `NAME`, `NAME:max` or `NAME:min`; `metric` is its other name."""
    name, value = ("metric", metric) if objective is None else ("objective", objective)
    if value is None:
        return spec
    if objective is not None and metric is not None:
        raise UsageError(
            f"{option('metric')} {brief(metric)}: is another name of {option('objective')}. "
            "Give one of the two."
        )
    text, _, way = value.partition(":") if isinstance(value, str) else (value, "", "")
    faults = one_of(name, text, spec.metric_names)
    if faults and (close := difflib.get_close_matches(text, spec.metric_names, n=1)):
        faults[0] += f" Did you mean {close[0]!r}?"
    if way not in _WAYS:
        faults.append(f"{option(name)} {brief(value)}: after the colon comes max or min.")
    if faults:
        raise UsageError("\n".join(faults))
    return spec.with_objective(text, _WAYS[way])


def each_point_once(
    settings: StudySettings,
    space: SearchSpace,
    sampler_version: int = SAMPLER_VERSION,
    asked: int = 0,
) -> StudySettings:
    """Settings whose total is at most the number of the space's points; logs the reason.

    Version 1 of the sampler proposes points repeatedly; `asked` trials exist already.
    """
    points = count_points(space)
    if sampler_version == 1 or points is None or settings.trials < points:
        return settings
    count = "1 point, which" if points == 1 else f"{points} points, and each"
    words = f"the search space has {count} is trained once"
    if asked >= points:
        words += f": there are no more, and the study stays at {asked} trials"
    elif settings.trials > points:
        words += f": the study ends with {points} of the {settings.trials} trials asked for"
    _log.warning(f"{words}.")
    return replace(settings, trials=max(points, asked))


def known(given: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """The keywords without those that are None, which stands for the default."""
    unknown = [key for key in given if key not in names]
    if unknown:
        raise _unknown(unknown[0], given[unknown[0]], names)
    return {key: value for key, value in given.items() if value is not None}


def _unknown(key: str, value: Any, names: tuple[str, ...]) -> UsageError:
    """The error for a keyword that is not one of these names."""
    is_search = names is SEARCH_KEYWORDS
    all_names = sorted({*names, *(_OF_SEARCH if is_search else _OF_RESUME)})
    listed = f"The settings are {', '.join(all_names)}."
    if not is_search and key in RECORDED:
        return UsageError(f"{meant_setting(key, (), repr, of_resume=True)} {listed}")
    hint = meant_setting(key, all_names, repr, of_resume=not is_search)
    if not hint and (close := difflib.get_close_matches(key, all_names, n=1)):
        hint = f"Did you mean {close[0]!r}?"
    if key in SPEC.names:
        hint = f"To fix a parameter: narrow={{{key!r}: {value!r}}}."
    return UsageError(f"unknown setting {key!r}.{hint and ' '}{hint} {listed}")


def default_name(spec: ProblemSpec) -> str:
    """The problem's name, the date and the time."""
    return f"{spec.problem}-{datetime.now():%Y%m%d-%H%M%S}"
