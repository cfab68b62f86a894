"""Checks the settings of a search before anything is written."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from xortune.errors import UsageError
from xortune.paths import check_name
from xortune.plain_numbers import brief
from xortune.settings import SAMPLER_VERSION, RunOptions, StudySettings, one_of
from xortune.space import Narrowing, SearchSpace, count_points, narrowed
from xortune.spec import Direction, ProblemSpec
from xortune.studies.options import RUN_KEYWORDS, SEARCH_KEYWORDS
from xortune.studies.problems import ENGINES, SPEC, SUBJECT_KEYWORDS, kind_of, requested
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
    about = {key: given.pop(key) for key in SUBJECT_KEYWORDS if key in given}
    objective, metric = given.pop("objective", None), given.pop("metric", None)
    run = {key: given.pop(key) for key in RUN_KEYWORDS if key in given}
    faults: list[str] = []

    def tried(make: Callable[[], _T]) -> _T | None:
        try:
            return make()
        except UsageError as error:
            faults.append(str(error))
            return None

    subject = tried(lambda: requested(about, space, given.get("folds")))
    found = SPEC if subject is None else subject.problem.spec
    spec = found
    if subject is not None:
        spec = tried(lambda: _with_objective(found, objective, metric)) or found
    loaded = None if subject is None else tried(lambda: subject.space(space, spec))
    part = None if loaded is None else tried(lambda: narrowed(loaded, narrow or {}))
    recorded = {} if subject is None else subject.recorded
    kind = kind_of(recorded)
    faults += one_of("engine", engine, ENGINES if subject is None else kind.engines)
    data = "" if subject is None else subject.problem.data
    parameters = {} if part is None else part.parameters
    given.setdefault("log_every", spec.log_every)
    settings = tried(lambda: StudySettings(spec, parameters, data=data, problem=recorded, **given))
    options = tried(lambda: run_options(kind, run))
    if subject is None or part is None or settings is None or options is None or faults:
        raise UsageError("\n".join(faults))
    for note in subject.notes:
        _log.warning(note)
    for note in loaded.notes if loaded else ():
        # The defaults of a problem's own space are no news.
        (_log.debug if space is None else _log.warning)(note)
    return Request(subject, each_point_once(settings, part), options, engine)


def run_options(kind: Kind, given: Mapping[str, Any]) -> RunOptions:
    """The options of a run, where the engines of a kind can have them.

    Raises:
        UsageError: lists all faults.
    """
    options, faults = RunOptions(**given), []
    if not kind.on_gpus and options.device in ("cuda", "both"):
        faults.append(
            f"{option('device')} {options.device}: tables are trained on CPUs. Leave it out."
        )
    if options.trial_timeout is not None and kind.named_by != "problem":
        timeout = f"{options.trial_timeout:g}"
        faults.append(f"{option('trial_timeout')} {timeout}: is for functions. Leave it out.")
    if faults:
        raise UsageError("\n".join(faults))
    return options if kind.on_gpus else replace(options, device="cpu")


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
        others = _OF_SEARCH if names is SEARCH_KEYWORDS else _OF_RESUME
        close = difflib.get_close_matches(unknown[0], (*names, *others), n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        if unknown[0] in SPEC.names:
            hint = f" To fix a parameter: narrow={{{unknown[0]!r}: {given[unknown[0]]!r}}}."
        raise UsageError(
            f"unknown setting {unknown[0]!r}.{hint} The settings are "
            f"{', '.join(sorted({*names, *others}))}."
        )
    return {key: value for key, value in given.items() if value is not None}


def default_name(spec: ProblemSpec) -> str:
    """The problem's name, the date and the time."""
    return f"{spec.problem}-{datetime.now():%Y%m%d-%H%M%S}"
