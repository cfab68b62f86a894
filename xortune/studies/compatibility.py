"""Whether this software gives a recorded study the numbers that it began with."""

from __future__ import annotations

from importlib import metadata

from xortune.errors import UsageError
from xortune.settings import COMPILED, EAGER, SAMPLER_VERSION, EngineName, StudySettings
from xortune.wording import option

# What each engine was asked for as, also in its earlier versions, whose names differ in number.
_FAMILIES: dict[str, EngineName] = {"eager": "eager", "compiled": "compiled"}
_EFFECTS = {
    "optuna": "it may propose other trials",
    "torch": "losses may differ in their last digits",
}


def versions(engine: str, device: str) -> dict[str, str]:
    """The versions of the libraries that decide an answer, read without importing them.

    Optuna proposes trials, and PyTorch trains and measures them, unless C does.
    """
    in_c = engine == COMPILED and device == "cpu"
    libraries = ("optuna",) if in_c else ("optuna", "torch")
    return {name: metadata.version(name).partition("+")[0] for name in libraries}


def family(engine: str) -> EngineName:
    """The choice of engine that a recorded engine, or an earlier version of it, goes back to."""
    return _FAMILIES.get(engine.partition("-")[0], "auto")


def check_versions(settings: StudySettings, name: str) -> None:
    """Raises UsageError where resuming a study may give other numbers than it began with."""
    changes = []
    if settings.engine not in (EAGER, COMPILED):
        changes.append(
            f"it was trained by the engine {settings.engine}, and this xortune has "
            f"{EAGER} and {COMPILED}: losses may differ in their last digits"
        )
    if settings.sampler_version > SAMPLER_VERSION:
        changes.append(
            f"its sampler has version {settings.sampler_version}, and this xortune has "
            f"{SAMPLER_VERSION}: it may propose other trials"
        )
    for library, version in versions(settings.engine, settings.device).items():
        recorded = settings.versions.get(library, version)
        if recorded != version:
            changes.append(f"{library} was {recorded}, here it is {version}: {_EFFECTS[library]}")
    if changes:
        raise UsageError(
            f"study {name} was begun with other software: {'; '.join(changes)}. Trials that are "
            "finished stay as they are. Install what it was begun with, or resume it with "
            f"{option('force', True)}."
        )
