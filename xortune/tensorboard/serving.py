"""Serves runs with TensorBoard, in this process."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path
from typing import NoReturn

from xortune.errors import XortuneError


def serve(
    folder: Path, host: str, port: int, at_work: Callable[[str], None] = lambda address: None
) -> NoReturn:
    """Serves the runs below a folder until a signal ends it; new ones appear by themselves.

    Args:
        folder: read again every few seconds.
        host: the address to listen on.
        port: 0 for a free one.
        at_work: called with the address once it answers, such as `http://127.0.0.1:6006/`.

    Raises:
        XortuneError: it cannot listen there.
    """
    import absl.logging
    from tensorboard import program

    absl.logging.set_verbosity(absl.logging.ERROR)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = program.TensorBoard()
    server.configure(argv=["tensorboard", f"--logdir={folder}", f"--host={host}", f"--port={port}"])
    try:
        with redirect_stderr(io.StringIO()):  # It advertises how it reads files.
            address = server.launch()
    except (program.TensorBoardServerException, OSError, ValueError) as error:
        reason = getattr(error, "msg", None) or getattr(error, "strerror", None) or error
        raise XortuneError(
            f"TensorBoard cannot listen on port {port} of {host}: {reason}. Choose another port, "
            "or 0 for a free one."
        ) from None
    at_work(address)
    while True:
        threading.Event().wait()
