"""Chooses the engine of a study of XOR: PyTorch's own kernels, or C that is compiled here."""

from __future__ import annotations

import logging
import threading

from xortune.engines.engine import Engine
from xortune.engines.xor.engines import CompiledEngine, EagerEngine
from xortune.engines.xor.names import family
from xortune.engines.xor.native import built_library
from xortune.errors import NoEngineError
from xortune.problems.xor.spec import SPEC
from xortune.spec import ProblemSpec

_log = logging.getLogger("xortune")


def libraries(recorded_name: str, device: str) -> tuple[str, ...]:
    """As `Engine.libraries`, for a recorded engine."""
    engine = CompiledEngine if family(recorded_name) == "compiled" else EagerEngine
    return engine.libraries(device)


class EngineChoice:
    """Starts compiling in the background, unless the eager engine was requested.

    Compiling takes a third of a second where the library is not cached, and Ray and PyTorch
    take seconds to start, so it never delays a search. `auto` prefers the compiled engine. The
    spec is that of the engines.
    """

    generation = EagerEngine.generation
    # The pace of a CPU at best.
    fastest = CompiledEngine.pace("cpu")

    def __init__(self, wanted: str, data: str, spec: ProblemSpec = SPEC) -> None:
        self._wanted = wanted
        self._data = data
        self._spec = spec
        self._library: bytes | None = None
        self._reason = ""
        self._thread = threading.Thread(target=self._build, daemon=True)
        if wanted != "eager":
            self._thread.start()

    def decide(self, device: str) -> Engine:
        """The engine for a study on `cpu`, `cuda` or `both`.

        Raises:
            NoEngineError: the compiled engine is requested, and is not available.
        """
        engine = self.expected(device)
        if engine.name == CompiledEngine.name or self._wanted == "eager":
            return engine
        if self._wanted == "compiled":
            self._thread.join()
            raise NoEngineError(self._reason or f"it runs on CPUs, and the device is {device}")
        if device != "cuda":
            _log.warning(f"training with PyTorch's own kernels, which is slower: {self._reason}.")
        return engine

    def expected(self, device: str) -> Engine:
        """As `decide`, without raising or warning."""
        if self._wanted != "eager" and device != "cuda":
            self._thread.join()
            if self._library is not None:
                return CompiledEngine(self._data, self._library, self._spec)
        return EagerEngine(self._data, self._spec)

    def _build(self) -> None:
        try:
            self._library = built_library()
        except NoEngineError as error:
            self._reason = str(error)
