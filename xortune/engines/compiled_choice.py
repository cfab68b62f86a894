"""The choice between an engine in C that is compiled here, and one that needs no compiler."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from xortune.engines.engine import Engine, Pace
from xortune.errors import NoEngineError
from xortune.settings import Provenance

_log = logging.getLogger("xortune")


@dataclass(frozen=True)
class Candidates:
    """The two engines.

    Attributes:
        compiled: makes the engine in C from its library.
        build: gives the library, from a cache or a compiler; raises NoEngineError.
        other: what trains without a compiler, and on GPUs.
        other_named: what the other one is called in a warning.
        pace: of the engine in C on a CPU.
        generation: of the engine in C: see `Engine.generation`.
        unfit: why the engine in C is not worth choosing for this study; empty if it is.
    """

    compiled: Callable[[bytes], Engine]
    build: Callable[[], bytes]
    other: Engine
    other_named: str
    pace: Pace
    generation: int
    unfit: str = ""


class CompiledChoice:
    """See `EngineChoice`. Compiling starts at once, in the background, unless it is not wanted.

    It takes up to some seconds where the library is not cached, and Ray and PyTorch take seconds
    to start, so it hardly delays a search.

    Args:
        candidates: the two engines.
        wanted: whether the engine in C is asked for; None for where it is available, and fit.
    """

    training = ""
    padding: tuple[int, int] | None = None

    def __init__(self, candidates: Candidates, wanted: bool | None) -> None:
        self._candidates = candidates
        self._wanted = wanted
        self._library: bytes | None = None
        self._reason = "" if wanted else candidates.unfit
        self._tried = wanted is not False and not self._reason
        self._thread = threading.Thread(target=self._build, daemon=True)
        if self._tried:
            self._thread.start()
        other = candidates.other
        self.generation = candidates.generation if self._tried else other.generation
        self.fastest = candidates.pace if self._tried else other.pace("cpu")

    def keep(self, name: str, provenance: Provenance, *, force: bool) -> None:
        """There is nothing that a study records beyond the engine's name."""

    def refuse(self) -> None:
        """Some machines may have a compiler."""

    def decide(self, device: str) -> Engine:
        engine = self.expected(device)
        if engine is not self._candidates.other or self._wanted is False:
            return engine
        if self._wanted:
            self._thread.join()
            raise NoEngineError(self._reason or f"it runs on CPUs, and the device is {device}")
        named = self._candidates.other_named
        if not self._tried:
            _log.info(f"training with {named}: {self._reason}.")
        elif device != "cuda":
            _log.warning(f"training with {named}, which is slower: {self._reason}.")
        return engine

    def expected(self, device: str) -> Engine:
        if self._tried and device != "cuda":
            self._thread.join()
            if self._library is not None:
                return self._candidates.compiled(self._library)
        return self._candidates.other

    def _build(self) -> None:
        try:
            self._library = self._candidates.build()
        except NoEngineError as error:
            self._reason = str(error)
