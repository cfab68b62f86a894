"""Modules that are perceptrons, in C: the choice between that and what needs no compiler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xortune.engines.compiled_choice import Candidates, CompiledChoice

if TYPE_CHECKING:
    from xortune.engines.engine import Engine
    from xortune.studies.problems.module_engines import Look

# From this many weights on, PyTorch's products take no longer, and less memory.
_MOST_WEIGHTS = 2**23


def compiled_choice(look: Look, wanted: str) -> CompiledChoice | None:
    """The choice for a module; None where C cannot train it, or another engine is asked for.

    The library begins to be compiled at once.
    """
    if look.in_c is None or wanted not in ("auto", "mlp"):
        return None
    weights = look.perceptrons.weights
    unbuilt = look.in_c(b"")
    candidates = Candidates(
        compiled=look.in_c,
        build=_built,
        other=look.engine("auto"),
        other_named="PyTorch",
        pace=unbuilt.pace("cpu"),
        generation=unbuilt.generation,
        unfit=f"the space has networks of {weights:,} weights" if weights > _MOST_WEIGHTS else "",
    )
    return CompiledChoice(candidates, True if wanted == "mlp" else None)


def words_in_c(engine: Engine) -> str:
    """How C trains, for the user."""
    return f"C, in packs of up to {engine.pace('cpu').largest:,}, same bits in any pack"


def _built() -> bytes:
    from xortune.engines.mlp.native.build import built_library

    return built_library()
