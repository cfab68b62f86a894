"""`python -m xortune`."""

import os
import signal
import sys
from contextlib import suppress
from types import FrameType

from xortune.interrupt import handle


def run() -> int:
    """Runs the command line as this whole process; returns its exit code."""
    # Imports take a while, and an exception in the middle of one is a traceback.
    handle(_leave)
    from xortune.cli import main
    from xortune.cli.signals import kill_descendants

    code = main()
    handle(signal.SIG_IGN)
    if code > 128:
        # A Ray that was stopped while it started may leave threads that never end.
        kill_descendants()
        os._exit(code)
    return code


def _leave(signum: int, frame: FrameType | None) -> None:
    with suppress(OSError):
        os.write(2, b"xortune: stopped before anything was started\n")
    os._exit(128 + signum)


if __name__ == "__main__":
    sys.exit(run())
