"""Packs of modules as programs that PyTorch compiles, where a search asks for them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from xortune.errors import NoEngineError, UsageError
from xortune.settings import Provenance
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.engines.engine import Engine, Pace
    from xortune.engines.stacked.padding import Padding
    from xortune.problems.module.lesson import ModuleLesson
    from xortune.studies.problems.module_engines import Look

_log = logging.getLogger("xortune")


class CompiledModuleChoice:
    """See `EngineChoice`: packs as compiled programs, which somebody has asked for."""

    training = "packs, as compiled programs"
    padding: tuple[int, int] | None = None  # until it is decided

    def __init__(self, look: Look, lesson: ModuleLesson) -> None:
        self._look = look
        self._lesson = lesson
        self._kept: tuple[str, Padding] | None = None
        self._force = False
        engine = look.stacked or look.plain
        self.generation: int = engine.generation
        self.fastest: Pace = engine.pace("cpu")

    def keep(self, name: str, provenance: Provenance, *, force: bool) -> None:
        from xortune.engines.stacked.padding import Padding

        self._force = force
        if provenance.padding is not None:
            self._kept = name, Padding(*provenance.padding)

    def refuse(self) -> None:
        if self._look.stacked is None:
            raise NoEngineError(self._look.fitness.alone)

    def decide(self, device: str) -> Engine:
        self.refuse()
        assert self._look.stacked is not None
        try:
            from xortune.engines.stacked.compiled_look import compiled_padding
        except ImportError as error:  # It needs what PyTorch does not promise to keep.
            raise NoEngineError(f"this version of PyTorch cannot compile it: {error}") from None
        _log.info("compiling the module at a few points of its space, which takes a while.")
        padding = compiled_padding(self._lesson, self._look.points)
        if self._kept is not None:
            name, recorded = self._kept
            if recorded.covers(padding):
                padding = recorded
            elif not self._force:
                raise other_padding(name, recorded, padding)
        self.padding = padding.multiple, padding.least
        _log.info(f"trials are trained in {self.training}.")
        return self._look.stacked.as_compiled(padding)

    def expected(self, device: str) -> Engine:
        return self._look.stacked or self._look.plain


def other_padding(name: str, recorded: Padding, here: Padding) -> UsageError:
    """That a study's lanes would have other bits on this machine."""
    return UsageError(
        f"study {name} began with lanes padded to {recorded}, and here its module needs {here}: "
        "this processor or this PyTorch rounds differently. Resume it where it began, or with "
        f"{option('force', True)}: trials from here on may differ in their last digits."
    )
