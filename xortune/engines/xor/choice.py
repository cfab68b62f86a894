"""Which engine trains a study of XOR: PyTorch's own kernels, or C that is compiled here."""

from __future__ import annotations

import logging
import threading

from xortune.engines.engine import Engine
from xortune.engines.xor.engines import CompiledEngine, EagerEngine
from xortune.engines.xor.native import built_library
from xortune.errors import NoEngineError

# What can be asked for.
ENGINES = ("auto", "eager", "compiled")
# The recorded names of the engines that this version can train.
NAMES = (EagerEngine.name, CompiledEngine.name)

_log = logging.getLogger("xortune")


def family(recorded_name: str) -> str:
    """The entry of `ENGINES` that a recorded engine, of any version, goes back to.

    Example:
        family("compiled-1")  # compiled; auto for a name that is not known
    """
    wanted = recorded_name.rpartition("-")[0]
    return wanted if wanted in ENGINES else "auto"


def libraries(recorded_name: str, device: str) -> tuple[str, ...]:
    """The packages whose version decides the bits of a recorded engine on a device."""
    compiled = family(recorded_name) == "compiled"
    return (CompiledEngine("", b"") if compiled else EagerEngine("")).libraries(device)


class EngineChoice:
    """Begins to compile in the background, unless the eager engine was requested.

    Compiling takes a third of a second where the cache does not have the library, while Ray and
    PyTorch take seconds to start: so it never delays a search.

    Args:
        wanted: one of `ENGINES`; `auto` is compiled where that is possible.
        data: the name of the data set.
    """

    generation = EagerEngine.generation
    # What a CPU trains with at best.
    fastest = CompiledEngine("", b"").pace("cpu")

    def __init__(self, wanted: str, data: str) -> None:
        self._wanted = wanted
        self._data = data
        self._library: bytes | None = None
        self._reason = ""
        self._thread = threading.Thread(target=self._build, daemon=True)
        if wanted != "eager":
            self._thread.start()

    def decide(self, device: str) -> Engine:
        """The engine for a study on `cpu`, `cuda` or `both`.

        Raises:
            NoEngineError: the compiled one is wanted, and is not available.
        """
        engine = self.expected(device)
        if engine.name == CompiledEngine.name or self._wanted == "eager":
            return engine
        if self._wanted == "compiled":
            self._thread.join()
            raise NoEngineError(self._reason or f"it is for CPUs, and the device is {device}")
        if device != "cuda":
            _log.warning(
                f"PyTorch's own kernels train this study, which takes longer: {self._reason}."
            )
        return engine

    def expected(self, device: str) -> Engine:
        """The engine that `decide` will choose, if it chooses one."""
        if self._wanted != "eager" and device != "cuda":
            self._thread.join()
            if self._library is not None:
                return CompiledEngine(self._data, self._library)
        return EagerEngine(self._data)

    def _build(self) -> None:
        try:
            self._library = built_library()
        except NoEngineError as error:
            self._reason = str(error)
