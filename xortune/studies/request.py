"""What a search is asked for, checked before anything is written."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from xortune.errors import UsageError
from xortune.paths import check_name
from xortune.settings import EngineName, RunOptions, StudySettings, check_engine
from xortune.space import PARAMETERS, Narrowing, SearchSpace, count_points, load_space, narrowed

_log = logging.getLogger("xortune")

RUN_OPTIONS = tuple(field.name for field in fields(RunOptions))
_DECIDED = ("space", "engine", "device", "versions", "forced", "sampler_version")
_SETTINGS = tuple(field.name for field in fields(StudySettings) if field.name not in _DECIDED)


def check_search(
    space: str,
    name: str,
    engine: EngineName = "auto",
    narrow: Narrowing | None = None,
    **settings: Any,
) -> None:
    """For a search that runs elsewhere: raises UsageError where `search` would; writes nothing."""
    check_name(name)
    validated(space, narrow, engine, settings)


def validated(
    space: str | Path | Mapping[str, Any],
    narrow: Narrowing | None,
    engine: EngineName,
    settings: Mapping[str, Any],
) -> tuple[SearchSpace, StudySettings, RunOptions]:
    """The space, recorded settings and run options of a search; logs what the space notes.

    Raises:
        UsageError: names all faults.
    """
    given = known(settings, (*_SETTINGS, *RUN_OPTIONS))
    loaded = load_space(space)
    for note in loaded.notes:
        _log.warning(note)
    loaded, study_settings, options = _checked(loaded, narrow, given, engine)
    return loaded, each_point_once(study_settings, loaded), options


def each_point_once(settings: StudySettings, space: SearchSpace, asked: int = 0) -> StudySettings:
    """Settings whose total is the number of the space's points at most; says so.

    Args:
        settings: as they were given, or recorded.
        space: the search space.
        asked: how many trials there are already.
    """
    points = count_points(space)
    if settings.sampler_version == 1 or points is None or settings.trials < points:
        return settings
    if points == 1:
        words = "the search space has 1 point, which is trained once"
    else:
        words = f"the search space has {points} points, and each is trained once"
    if asked >= points:
        words += f": there are no more, and the study stays at {asked} trials"
    elif settings.trials > points:
        words += f": the study ends with {points} of the {settings.trials} trials asked for"
    _log.warning(f"{words}.")
    return replace(settings, trials=max(points, asked))


def known(given: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """The keywords that are not None, which stands for the default."""
    unknown = [key for key in given if key not in names]
    if unknown:
        close = difflib.get_close_matches(unknown[0], names, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        if unknown[0] in PARAMETERS:
            hint = f" To fix a parameter: narrow={{{unknown[0]!r}: {given[unknown[0]]!r}}}."
        raise UsageError(f"unknown setting {unknown[0]!r}.{hint} There are {', '.join(names)}.")
    return {key: value for key, value in given.items() if value is not None}


def default_name() -> str:
    """`xor-`, the date and the time."""
    return datetime.now().strftime("xor-%Y%m%d-%H%M%S")


def _checked(
    space: SearchSpace, narrow: Narrowing | None, given: Mapping[str, Any], engine: str
) -> tuple[SearchSpace, StudySettings, RunOptions]:
    """The narrowed space, recorded settings and run options; all faults are raised together."""
    options = {key: value for key, value in given.items() if key in RUN_OPTIONS}
    recorded = {key: value for key, value in given.items() if key not in options}
    faults = []
    try:
        space = narrowed(space, narrow or {})
    except UsageError as error:
        faults.append(str(error))
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
    return space, settings, run_options
