"""The engines of modules, and which of them a study gets."""

from __future__ import annotations

from xortune.engines.plain.names import LIBRARIES as PLAIN_LIBRARIES
from xortune.engines.plain.names import PLAIN
from xortune.engines.stacked.names import LIBRARIES as STACKED_LIBRARIES
from xortune.engines.stacked.names import STACKED

# The names that a search accepts, and the recorded ones that this version can train.
ENGINES = ("auto", "stacked", "plain")
NAMES = (STACKED, PLAIN)


def libraries(recorded_name: str, device: str) -> tuple[str, ...]:
    """As `Engine.libraries`, for a recorded engine."""
    return STACKED_LIBRARIES if recorded_name == STACKED else PLAIN_LIBRARIES
