"""The engines of tables, and which of them a study gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xortune.engines.mlp.names import LIBRARIES as MLP_LIBRARIES
from xortune.engines.mlp.names import MLP
from xortune.engines.plain.names import LIBRARIES as PLAIN_LIBRARIES
from xortune.engines.plain.names import PLAIN

if TYPE_CHECKING:
    from xortune.engines.compiled_choice import CompiledChoice
    from xortune.engines.mlp.engine import MlpEngine
    from xortune.problems.table.table import Table
    from xortune.spec import ProblemSpec

# The names that a search accepts, and the recorded ones that this version can train.
ENGINES = ("auto", "mlp", "plain")
NAMES = (MLP, PLAIN)
_WANTED = {"auto": None, "mlp": True, "plain": False}


def libraries(recorded_name: str, device: str) -> tuple[str, ...]:
    """As `Engine.libraries`, for a recorded engine."""
    return MLP_LIBRARIES if recorded_name == MLP else PLAIN_LIBRARIES


def engine_choice(table: Table, wanted: str, spec: ProblemSpec) -> CompiledChoice:
    """The choice for a table: C that is compiled here, or PyTorch's own loop.

    Args:
        table: with its rows and folds.
        wanted: one of `ENGINES`.
        spec: the table's, with the loss and the objectives of the study.
    """
    from xortune.engines.compiled_choice import Candidates, CompiledChoice
    from xortune.engines.mlp.engine import MlpEngine
    from xortune.engines.plain.engine import PlainEngine

    rows = table.training, table.validation, table.recipe.target

    def compiled(library: bytes) -> MlpEngine:
        return MlpEngine(*rows, spec, library, table.folds)

    candidates = Candidates(
        compiled=compiled,
        build=_built,
        other=PlainEngine(*rows, spec, table.folds),
        other_named="PyTorch's own loop",
        pace=compiled(b"").pace("cpu"),
        generation=MlpEngine.generation,
    )
    return CompiledChoice(candidates, _WANTED[wanted])


def _built() -> bytes:
    from xortune.engines.mlp.native.build import built_library

    return built_library()
