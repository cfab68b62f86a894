"""Compiling step.c, once for every user and machine."""

from __future__ import annotations

import platform
from pathlib import Path

from xortune.engines.compiling import Sources, compiled
from xortune.engines.xor.native.library import load_library

_SOURCE = Path(__file__).with_name("step.c")
# None of these changes a finite result: contraction is off, and none permits reordering.
# `finite-math` and `signed-zeros` make a clamp one instruction. The C code selects wider
# instructions at run time, so a library runs on every processor of an architecture, and workers
# need no compiler.
_FLAGS = (
    *("-std=gnu11", "-O3", "-shared", "-fPIC"),
    *("-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"),
    *("-ffinite-math-only", "-fno-signed-zeros"),
    *(("-mprefer-vector-width=512",) if platform.machine() in ("x86_64", "AMD64") else ()),
)
_SECONDS = 60


def built_library() -> bytes:
    """The shared library, from the cache or compiled, which takes a third of a second.

    A cache that is damaged, cannot be written, or is not the user's own is ignored.

    Raises:
        NoEngineError: there is no C compiler, or it fails; the message says which.
    """
    return compiled(Sources("step", (_SOURCE,), (), _FLAGS, _SECONDS), load_library)
