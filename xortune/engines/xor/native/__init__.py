"""Training in C: compiled when it is first needed, kept in the user's cache."""

from xortune.engines.xor.native.build import built_library
from xortune.engines.xor.native.library import WIDTH, CFunctions, load_library

__all__ = ["WIDTH", "CFunctions", "built_library", "load_library"]
