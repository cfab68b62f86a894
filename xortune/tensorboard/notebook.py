"""TensorBoard below a notebook's cell."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def show(folder: Path) -> None:
    """Shows the runs below a folder, as `%tensorboard --logdir FOLDER` does."""
    from tensorboard import notebook

    with _own_program():
        notebook.start(f"--logdir {shlex.quote(str(folder))}")


@contextmanager
def _own_program() -> Iterator[None]:
    """Names the TensorBoard of this environment, which need not be the first on the path."""
    variable = "TENSORBOARD_BINARY"
    own = Path(sys.executable).with_name("tensorboard")
    if variable in os.environ or not own.exists():
        yield
        return
    os.environ[variable] = str(own)
    try:
        yield
    finally:
        del os.environ[variable]
