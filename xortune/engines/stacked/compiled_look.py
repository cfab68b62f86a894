"""Looks at the compiled programs of a module: whether its lanes keep their bits there, too."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from xortune.engines.plain.module import own_generators
from xortune.engines.stacked.form import made
from xortune.engines.stacked.neighbours import padding_needed
from xortune.engines.stacked.padding import PADDINGS, Padding
from xortune.engines.stacked.programs import Programs
from xortune.engines.user_code import UserError
from xortune.errors import NoEngineError
from xortune.problems.module.lesson import ModuleLesson

_ROWS = 1024


def check_compiler() -> None:
    """Raises NoEngineError where there is no C++ compiler."""
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler:
        raise NoEngineError(
            "no C++ compiler was found (g++, or the one that the variable CXX names)"
        ) from None


def compiled_padding(
    lesson: ModuleLesson,
    points: Iterable[Mapping[str, Any]],
    heartbeat: Callable[[], None] = lambda: None,
) -> Padding:
    """What lanes of a module need to keep their bits in compiled programs, at some points.

    Raises:
        NoEngineError: there is no compiler, PyTorch cannot compile the module, or its lanes depend
            on each other however they are padded.
    """
    check_compiler()
    found = PADDINGS[0]
    seen: set[Hashable] = set()
    with own_generators(shown=lesson.shown):
        for params in points:
            rows = max(_ROWS, params["batch_size"])
            short = replace(lesson, x=lesson.x[:rows], y=lesson.y[:rows])
            try:
                kind = made(short, params)[1].structure
                if kind in seen:
                    continue
                seen.add(kind)
                programs = Programs(short.words)
                padding = padding_needed(short, dict(params), heartbeat, programs)
            except UserError as error:
                raise NoEngineError(str(error)) from None
            except Exception as error:  # Whatever PyTorch's compiler makes of the module.
                lines = str(error).strip().splitlines() or [type(error).__name__]
                raise NoEngineError(f"PyTorch cannot compile it: {lines[0][:200]}") from error
            if padding is None:
                raise NoEngineError("its numbers in a compiled stack depend on its neighbours")
            found = max(found, padding, key=PADDINGS.index)
    return found
