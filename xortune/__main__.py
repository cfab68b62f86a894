"""`python -m xortune`."""

import os
import signal
import sys
from contextlib import suppress
from types import FrameType

_SIGNALS = [getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP")]


def run() -> int:
    """Runs the command line as the whole of this process; returns its exit code."""
    heeded = [s for s in _SIGNALS if s is not None and signal.getsignal(s) != signal.SIG_IGN]
    for number in heeded:
        # Imports take a while, and an exception in the middle of one is a traceback.
        signal.signal(number, _leave)
    from xortune.cli import main
    from xortune.cli.double_ctrl_c import kill_descendants

    code = main()
    for number in heeded:
        signal.signal(number, signal.SIG_IGN)
    if code > 128:
        # A Ray that was stopped while it started may leave threads that never end.
        kill_descendants()
        os._exit(code)
    return code


def _leave(signum: int, frame: FrameType | None) -> None:
    with suppress(OSError):
        os.write(2, b"xortune: stopped before anything was begun\n")
    os._exit(128 + signum)


if __name__ == "__main__":
    sys.exit(run())
