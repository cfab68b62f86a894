"""A driver that kills itself at a write boundary: what a child of the fork server runs.

Nothing here is in the product: the child wraps what writes.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import xortune
import xortune.report.frame
import xortune.tensorboard.runs
from xortune import atomic_files
from xortune.ledger.transactions import LedgerFile

# Two loss functions, a lane that diverges, three generations, two packs in each.
SPACE = {
    "lr": {"values": [0.5, 3e38]},
    "epochs": {"min": 2, "max": 9},
    "seed": {"min": 0, "max": 99},
    "loss_fn": {"values": ["mse", "bce_with_logits"]},
}
SETTINGS: dict[str, Any] = {
    "confirm": "2:3",
    "trials": 8,
    "generation": 3,
    "log_every": 3,
    "engine": "eager",
    "study_seed": 2,
}
RUN: dict[str, Any] = {"runner": "inline", "pack_size": 2}


def kill() -> None:
    """What no process survives."""
    os.kill(os.getpid(), signal.SIGKILL)


class Boundaries:
    """Counts the write boundaries of this process, and does something at one of them.

    Args:
        at: the number, from 0, of the boundary; None passes all.
        act: what is done there.
    """

    def __init__(self, at: int | None, act: Callable[[], object] = kill) -> None:
        self._at = at
        self._act = act
        self.passed: list[str] = []

    def __call__(self, name: str) -> None:
        self.passed.append(name)
        if len(self.passed) - 1 == self._at:
            self._act()

    def install(self) -> None:
        """Wraps every transaction, and every file that is written whole."""
        self._wrap_transactions()
        self._wrap_files()
        make_folder = xortune.tensorboard.runs.RunWriter._make_folder

        def made(writer: Any, run: Path) -> None:
            self("before a run's folder")
            make_folder(writer, run)

        xortune.tensorboard.runs.RunWriter._make_folder = made  # type: ignore[method-assign]
        make = Path.mkdir

        def mkdir(path: Path, *args: Any, **named: Any) -> None:
            make(path, *args, **named)
            self(f"after mkdir {path.name}")

        Path.mkdir = mkdir  # type: ignore[method-assign]

    def _wrap_transactions(self) -> None:
        transaction = LedgerFile.transaction

        @contextmanager
        def counted(file: LedgerFile) -> Iterator[Any]:
            self("before a transaction")
            # So small that a transaction writes into the file before it commits.
            file._connection.execute("PRAGMA cache_size = 1")
            with transaction(file) as connection:
                yield _Counted(connection, self)
                self("before a commit")
            self("after a transaction")

        LedgerFile.transaction = counted  # type: ignore[method-assign, assignment]

    def _wrap_files(self) -> None:
        write_new = atomic_files._write_new
        rename, unlink = os.rename, os.unlink

        def written(file: str, content: bytes) -> None:
            self(f"before {Path(file).parent.name}")
            half = len(content) // 2
            write_new(file, content[:half])
            self(f"half of a file in {Path(file).parent.name}")
            with open(file, "ab") as rest:  # noqa: PTH123
                rest.write(content[half:])
            self(f"a file in {Path(file).parent.name} without its name")

        def renamed(old: Any, new: Any) -> None:
            rename(old, new)
            self(f"after {Path(new).name[:20]}")

        def unlinked(file: Any, **named: Any) -> None:
            unlink(file, **named)
            self(f"after unlink {Path(file).name[:20]}")

        atomic_files._write_new = written
        os.rename, os.unlink = renamed, unlinked  # type: ignore[assignment]


class _Counted:
    """A connection whose every statement is a boundary."""

    def __init__(self, connection: Any, boundary: Callable[[str], None]) -> None:
        self._connection = connection
        self._boundary = boundary

    def execute(self, *args: Any) -> Any:
        done = self._connection.execute(*args)
        self._boundary("in a transaction")
        return done

    def executemany(self, *args: Any) -> Any:
        done = self._connection.executemany(*args)
        self._boundary("in a transaction")
        return done


def search(results: str, last: int | None, journal: str | None = None) -> int:
    """A search that is killed at a boundary; writes their names into a file if it is not."""
    boundaries = Boundaries(last)
    boundaries.install()
    xortune.search(SPACE, name="one", results=results, **SETTINGS, **RUN)
    if journal is not None:
        with open(journal, "w") as file:  # noqa: PTH123
            file.write("\n".join(boundaries.passed))
    return 0


def resume(results: str, last: int | None, trained: str) -> int:
    """A resume that is killed at a boundary; appends the numbers of the trials it trains."""
    from xortune.loop import runner

    opened = runner._opened

    def noting(search: Any, device: str) -> Any:
        trainer = opened(search, device)

        def train(lanes: Any, *args: Any, **options: Any) -> Any:
            with open(trained, "a") as file:  # noqa: PTH123
                file.writelines(f"{' '.join(map(str, lane.params.values()))}\n" for lane in lanes)
            return trainer.train(lanes, *args, **options)

        return SimpleNamespace(train=train)

    runner._opened = noting
    logging.getLogger("xortune").setLevel(logging.ERROR)
    boundaries = Boundaries(last)
    boundaries.install()
    from xortune.cli.main import main

    return main(["resume", f"{results}/one", "--runner=inline", "--pack-size=2", "--quiet"])
