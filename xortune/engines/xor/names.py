"""The names of XOR's engines, apart from their code, which takes a while to import."""

from __future__ import annotations

# The names that a search accepts.
ENGINES = ("auto", "eager", "compiled")
# The recorded names of the engines that this version can train.
EAGER, COMPILED = NAMES = ("eager-1", "compiled-2")


def family(recorded_name: str) -> str:
    """The entry of `ENGINES` for a recorded engine of any version; `auto` if unknown."""
    wanted = recorded_name.rpartition("-")[0]
    return wanted if wanted in ENGINES else "auto"
