"""The training step in C: compiled when it is first needed, kept in the user's cache."""

from xortune.engines.xor.native.build import built_step
from xortune.engines.xor.native.library import WIDTH, Step, load_step

__all__ = ["WIDTH", "Step", "built_step", "load_step"]
