"""The process that calls a user's function: it serves one trainer, and ends with it."""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from xortune.engines.function.calls import called
from xortune.engines.function.output import Output
from xortune.engines.function.seeding import Seeding, seed_of
from xortune.errors import UsageError
from xortune.problems.code.code import Code
from xortune.spec import ProblemSpec

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Job(NamedTuple):
    """What the trainer sends first."""

    code: Code
    spec: ProblemSpec
    study_seed: int
    path: tuple[str, ...]  # more folders for `sys.path`
    is_heard: bool  # whether anybody sees what the function prints


class Task(NamedTuple):
    """A trial to train."""

    number: int
    config: dict[str, Any]
    seed: int | None = None  # None for that of the study's seed and the number
    limits: tuple[tuple[int, float], ...] = ()


class Refused(NamedTuple):
    """Why the code cannot be loaded here; otherwise the first answer is None."""

    reason: str


def main(descriptor: int, parent: int) -> None:
    """Serves tasks, lists of them with `log_every`, until the connection closes.

    Args:
        descriptor: of the connection to the trainer.
        parent: the trainer's process; when it ends, so does this one.
    """
    _end_with(parent)
    os.set_inheritable(descriptor, False)
    with Connection(descriptor) as connection, suppress(EOFError, BrokenPipeError, ConnectionError):
        _serve(connection)


def _serve(connection: Connection) -> None:
    job = Job(*pickle.loads(connection.recv_bytes()))
    sys.path += [entry for entry in job.path if entry not in sys.path]
    seeding, output = Seeding(), None if job.is_heard else Output()
    code = job.code
    with code.imports():
        seeding.seed(seed_of(job.study_seed, -1))
        try:
            problem = code.load()
        except UsageError as error:
            connection.send(Refused(str(error)))
            return
        shown = code.shown
        connection.send(None)
        if output is not None:
            output.since_last()  # What the file prints when it is loaded is no call's.
        while True:
            tasks, log_every = connection.recv()
            for task in tasks:
                given = task.seed
                seeding.seed(seed_of(job.study_seed, task.number) if given is None else given)
                answer = called(problem, job.spec, task.config, log_every, shown, task.limits)
                if answer.error is not None:
                    answer = answer._replace(error=code.without_folders(answer.error))
                if output is not None:
                    answer = answer._replace(printed=output.since_last())
                connection.send(answer)


def _end_with(parent: int) -> None:
    """Has the kernel end this process with its parent, even if that is killed."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
