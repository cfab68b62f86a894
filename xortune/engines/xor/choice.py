"""Which engine trains a study: PyTorch's kernels, or the step that is compiled from C."""

from __future__ import annotations

import logging
import threading

from xortune.engines.xor.native import built_step
from xortune.errors import NoEngineError
from xortune.settings import COMPILED, EAGER, EngineName

_log = logging.getLogger("xortune")


class EngineChoice:
    """Begins to build the compiled step, in the background, unless it is not wanted.

    It takes a third of a second where the cache does not have it, while Ray and PyTorch take
    seconds to start: so there is no search that it would make slower.

    Args:
        wanted: `eager` and `compiled` are what they say; `auto` is compiled where it can be.
    """

    def __init__(self, wanted: EngineName) -> None:
        self._wanted = wanted
        self._library: bytes | None = None
        self._reason = ""
        self._thread = threading.Thread(target=self._build, daemon=True)
        if wanted != "eager":
            self._thread.start()

    def decide(self, device: str) -> tuple[str, bytes | None]:
        """The engine's recorded name, and the library of the compiled one.

        Raises:
            NoEngineError: the compiled one is wanted, and cannot be had.
        """
        if self._wanted == "eager" or (self._wanted == "auto" and device == "cuda"):
            return EAGER, None
        self._thread.join()
        if self._library is not None and device != "cuda":
            return COMPILED, self._library
        reason = self._reason or f"it is for CPUs, and the device is {device}"
        if self._wanted == "compiled":
            raise NoEngineError(reason)
        _log.warning(f"PyTorch's own kernels train this study, which takes longer: {reason}.")
        return EAGER, None

    def expected(self, device: str) -> str:
        """The recorded name of the engine that `decide` will choose, if it chooses one."""
        if self._wanted == "eager" or device == "cuda":
            return EAGER
        self._thread.join()
        return EAGER if self._library is None else COMPILED

    def _build(self) -> None:
        try:
            self._library = built_step()
        except NoEngineError as error:
            self._reason = str(error)
