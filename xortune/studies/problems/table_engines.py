"""The engines of tables, and which of them a study gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xortune.engines.mlp.names import LIBRARIES as MLP_LIBRARIES
from xortune.engines.mlp.names import MLP
from xortune.engines.plain.names import LIBRARIES as PLAIN_LIBRARIES
from xortune.engines.plain.names import PLAIN
from xortune.errors import UsageError

if TYPE_CHECKING:
    from xortune.engines.compiled_choice import CompiledChoice
    from xortune.engines.mlp.engine import MlpEngine
    from xortune.problems.table.table import Table
    from xortune.space import Domain, SearchSpace
    from xortune.spec import ProblemSpec

# The names that a search accepts, and the recorded ones that this version can train.
ENGINES = ("auto", "mlp", "plain")
NAMES = (MLP, PLAIN)
# From this many weights on, on one core, PyTorch's products take no longer, and less memory.
_MOST_WEIGHTS = 2**23
# A study keeps values of up to 2^28 bytes.
_KEPT_WEIGHTS = 67_000_000
# The trials by which the pace is estimated.
_TYPICAL = 64
_WANTED = {"auto": None, "mlp": True, "plain": False}


def libraries(recorded_name: str, device: str) -> tuple[str, ...]:
    """As `Engine.libraries`, for a recorded engine."""
    return MLP_LIBRARIES if recorded_name == MLP else PLAIN_LIBRARIES


def engine_choice(
    table: Table, wanted: str, spec: ProblemSpec, space: SearchSpace
) -> CompiledChoice:
    """The choice for a table: C that is compiled here, or PyTorch's own loop.

    Args:
        table: with its rows and folds.
        wanted: one of `ENGINES`.
        spec: the table's, with the loss and the objectives of the study.
        space: of the study.
    """
    from xortune.engines.compiled_choice import Candidates, CompiledChoice
    from xortune.engines.mlp.engine import MlpEngine
    from xortune.engines.plain.engine import PlainEngine
    from xortune.space.spread import spread_points

    weights = _weights_of_largest(table, space)
    rows = table.training, table.validation, table.recipe.target
    # Of replicates the space has no seed; that of the spec is taken.
    points: list[dict[str, Any]] = [dict(point) for point in spread_points(space, _TYPICAL)]
    typical = [spec.assignment(point) for point in points]

    def compiled(library: bytes) -> MlpEngine:
        return MlpEngine(rows, spec, library, table.folds, typical)

    candidates = Candidates(
        compiled=compiled,
        build=_built,
        other=PlainEngine(*rows, spec, table.folds, typical),
        other_named="PyTorch's own loop",
        pace=compiled(b"").pace("cpu"),
        generation=MlpEngine.generation,
        unfit=f"the space has networks of {weights:,} weights" if weights > _MOST_WEIGHTS else "",
    )
    return CompiledChoice(candidates, _WANTED[wanted])


def _weights_of_largest(table: Table, space: SearchSpace) -> int:
    """The weights of the largest network of a space.

    Raises:
        UsageError: no study can keep as many.
    """
    from xortune.problems.table.weights import count_weights

    width, depth = (_largest(space.domains[name]) for name in ("width", "depth"))
    inputs, outputs = table.training.x.shape[1], table.recipe.target.outputs
    weights = count_weights(inputs, outputs, {"width": width, "depth": depth})
    if weights > _KEPT_WEIGHTS:
        raise UsageError(
            f"a network of width {width:,} and depth {depth} has {weights:,} weights, and a study "
            f"keeps networks of up to {_KEPT_WEIGHTS:,}. Take a smaller width or depth into the "
            "space."
        )
    return weights


def _largest(domain: Domain) -> int:
    from xortune.space import Choice

    return max(map(int, domain.values)) if isinstance(domain, Choice) else int(domain.high)


def _built() -> bytes:
    from xortune.engines.mlp.native.build import built_library

    return built_library()
