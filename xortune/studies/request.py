"""Checks the settings of a search before anything is written."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from xortune.errors import UsageError
from xortune.paths import check_name
from xortune.settings import SAMPLER_VERSION, RunOptions, StudySettings
from xortune.space import Narrowing, SearchSpace, count_points, load_space, narrowed
from xortune.studies.options import RUN_KEYWORDS, SEARCH_KEYWORDS
from xortune.studies.problems import DEFAULT_DATA, SPEC, problem_faults

_log = logging.getLogger("xortune")
_T = TypeVar("_T")


@dataclass(frozen=True)
class Request:
    """A search that can begin; `engine` is one of `ENGINES`."""

    settings: StudySettings
    options: RunOptions
    engine: str


def check_search(
    space: str, name: str, engine: str = "auto", narrow: Narrowing | None = None, **settings: Any
) -> None:
    """Raises UsageError where `search` would; for a search that runs elsewhere."""
    check_name(name)
    checked_request(space, narrow, engine, settings)


def checked_request(
    space: str | Path | Mapping[str, Any],
    narrow: Narrowing | None,
    engine: str,
    keywords: Mapping[str, Any],
) -> Request:
    """The request of a search; logs the notes on its space.

    Raises:
        UsageError: lists all faults.
    """
    given = known(keywords, SEARCH_KEYWORDS)
    data, metric = given.pop("data", DEFAULT_DATA), given.pop("metric", None)
    faults = problem_faults(data, metric, engine)
    spec = SPEC if faults or metric is None else SPEC.with_objective(metric)
    given.setdefault("log_every", spec.log_every)
    run = {key: given.pop(key) for key in RUN_KEYWORDS if key in given}

    def tried(make: Callable[[], _T]) -> _T | None:
        try:
            return make()
        except UsageError as error:
            faults.append(str(error))
            return None

    loaded = tried(lambda: load_space(space, spec))
    part = None if loaded is None else tried(lambda: narrowed(loaded, narrow or {}))
    parameters = {} if part is None else part.parameters
    settings = tried(lambda: StudySettings(spec, parameters, data=data, **given))
    options = tried(lambda: RunOptions(**run))
    if loaded is not None:
        for note in loaded.notes:
            _log.warning(note)
    if part is None or settings is None or options is None or faults:
        raise UsageError("\n".join(faults))
    return Request(each_point_once(settings, part), options, engine)


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
        close = difflib.get_close_matches(unknown[0], names, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        if unknown[0] in SPEC.names:
            hint = f" To fix a parameter: narrow={{{unknown[0]!r}: {given[unknown[0]]!r}}}."
        raise UsageError(
            f"unknown setting {unknown[0]!r}.{hint} The settings are {', '.join(names)}."
        )
    return {key: value for key, value in given.items() if value is not None}


def default_name() -> str:
    """The problem's name, the date and the time."""
    return datetime.now().strftime(f"{SPEC.problem}-%Y%m%d-%H%M%S")
