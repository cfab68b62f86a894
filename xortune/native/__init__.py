"""The training step in C: compiled when it is first needed, kept in the user's cache."""

from xortune.native.build import built_step
from xortune.native.library import Step, load_step

__all__ = ["Step", "built_step", "load_step"]
