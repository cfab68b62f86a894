"""Checks that this software computes the numbers of a recorded study."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

from xortune.errors import UsageError
from xortune.settings import SAMPLER_VERSION, Provenance, StudySettings
from xortune.studies.problems import kind_of, problem_of, spec_of_study
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.engines.engine import Engine

_EFFECTS = {"optuna": "it may propose other trials"}
_EFFECT = "losses may differ in their last digits"


def versions(engine: Engine, device: str) -> dict[str, str]:
    """The versions of the libraries that affect results, read without importing them."""
    return {name: _version(name) for name in ("optuna", *engine.libraries(device))}


def check_versions(settings: StudySettings, provenance: Provenance, name: str) -> None:
    """Refuses to resume a study with software that may give different numbers.

    Raises:
        UsageError: lists the differences.
    """
    changes, kind = [], kind_of(settings.problem)
    if provenance.engine not in kind.trained:
        changes.append(
            f"it was trained by the engine {provenance.engine}, and this xortune has "
            f"{' and '.join(kind.trained)}: {_EFFECT}"
        )
    if settings.spec != spec_of_study(problem_of(settings).spec, settings):
        changes.append(f"the problem {settings.spec.problem} has changed: trials may differ")
    if provenance.sampler_version > SAMPLER_VERSION:
        changes.append(
            f"its sampler has version {provenance.sampler_version}, and this xortune has "
            f"{SAMPLER_VERSION}: {_EFFECTS['optuna']}"
        )
    for library in ("optuna", *kind.libraries(provenance.engine, settings.device)):
        recorded, version = provenance.versions.get(library), _version(library)
        if recorded not in (None, version):
            effect = _EFFECTS.get(library, _EFFECT)
            changes.append(f"{library} was {recorded}, here it is {version}: {effect}")
    if changes:
        raise UsageError(
            f"study {name} began with other software: {'; '.join(changes)}. Finished trials "
            "stay as they are. Install the software that it began with, or resume it with "
            f"{option('force', True)}."
        )


def _version(library: str) -> str:
    try:
        return metadata.version(library).partition("+")[0]
    except metadata.PackageNotFoundError:
        return "missing"
