"""Compiling the C code of multilayer perceptrons."""

from __future__ import annotations

import platform
from pathlib import Path

from xortune.engines.compiling import Sources, compiled
from xortune.engines.mlp.checked import load_library

_FOLDER = Path(__file__).parent
_FILES = ("mlp.c", "avx512.c", "avx2.c", "neon.c")
# None of these changes a result: contraction is off, and none permits reordering. The C code
# selects wider instructions at run time, so a library runs on every processor of an architecture.
_FLAGS = (
    *("-std=gnu11", "-O2", "-shared", "-fPIC"),
    *("-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"),
    *(("-mprefer-vector-width=512",) if platform.machine() in ("x86_64", "AMD64") else ()),
)


def built_library() -> bytes:
    """The shared library, from the cache or compiled, which takes three seconds.

    Raises:
        NoEngineError: there is no C compiler, or it fails; the message says which.
    """
    return compiled(sources(), load_library)


def sources() -> Sources:
    """What the library is made of."""
    files = tuple(_FOLDER / name for name in _FILES)
    headers = tuple(sorted(_FOLDER.glob("*.h")))
    return Sources("mlp", files, headers, _FLAGS, slow=True)
