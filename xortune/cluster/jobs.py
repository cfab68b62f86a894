"""Searches as jobs of a Ray cluster, through its job server: nothing but HTTP in between."""

from __future__ import annotations

import asyncio
import inspect
import math
import os
import re
import shlex
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from xortune.cluster.job_connection import (
    ADDRESS_VARIABLE,
    LONG_ANSWER_S,
    checked_address,
    connect,
    default_address,
    failure,
    last_line,
    redirection,
    refusal,
)
from xortune.errors import UsageError, XortuneError

# On the cluster's machine, in the home of whoever started its Ray.
DEFAULT_RESULTS = "~/xortune-results"
ENDED = ("SUCCEEDED", "FAILED", "STOPPED")

_PACKAGE = Path(__file__).resolve().parent.parent
# How long a search may take to write its tables and runs after it was told to stop; Ray's
# own three seconds are for scripts.
_STOP_S = 120
_POLL_S = 0.2
# Of a wait that may take hours.
_LONG_POLL_S = 1.0
# How long a snapshot may wait for its node, and take.
_SNAPSHOT_S = 600
_BAD_INPUT = 2
# The metadata by which a job is known to be ours.
_MARK = "xortune"
_ID = re.compile(r"\w[\w.-]{0,199}", re.ASCII)


@dataclass(frozen=True)
class Job:
    """A search on a cluster, as Ray's job server knows it.

    Attributes:
        id: Ray's.
        state: PENDING, RUNNING, SUCCEEDED, FAILED or STOPPED.
        study: the study's name.
        results: the results folder on the cluster's machine.
        started: seconds since the epoch; None before that.
        ended: likewise.
        exit_code: of the search; None until it has one.
        message: what Ray says of it, of any length.
        node: the id of the node that the search is driven from; None before that.
    """

    id: str
    state: str
    study: str
    results: str
    started: float | None
    ended: float | None
    exit_code: int | None
    message: str
    node: str | None

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED

    @property
    def outcome(self) -> int:
        """The exit code of a search that has ended, as a shell has it."""
        if self.exit_code is None:
            return {"SUCCEEDED": 0, "STOPPED": 128 + signal.SIGTERM}.get(self.state, 1)
        return 128 - self.exit_code if self.exit_code < 0 else self.exit_code


class JobServer:
    """The job server of a cluster.

    Args:
        address: its `http://host:port`; None takes that of RAY_API_SERVER_ADDRESS, as Ray's own
            commands for jobs do, or `DEFAULT_ADDRESS`.
        proxy: the `http://host:port` of a proxy to it; None takes that of XORTUNE_PROXY. No
            other proxy is used.

    Raises:
        UsageError: there is none, or it does not let us in. All methods raise it for a job
            that is unknown or not a search, and XortuneError where the server fails.
    """

    def __init__(self, address: str | None = None, proxy: str | None = None) -> None:
        given = default_address() if address is None else address
        from_environment = address is None and os.environ.get(ADDRESS_VARIABLE)
        place = f"{ADDRESS_VARIABLE}=" if from_environment else "--address "
        self.address = checked_address(given, place)
        self._place = f"{place}{self.address}"
        self.proxy = proxy
        self._client = connect(self.address, self._place, proxy)

    def submit(
        self, space: Path, study: str, settings: Mapping[str, Any], results: str = DEFAULT_RESULTS
    ) -> str:
        """Starts a search as a job, and returns the job's id.

        Args:
            space: the search-space file, which travels along, as does this package.
            study: the study's name.
            settings: options of the command line's `search`, by their names in Python.
            results: the results folder on the cluster's machine, absolute or from `~/` on.
        """
        name = f"{space.stem}.yaml"
        entrypoint = _entrypoint(["search", f"./{name}", f"--name={study}"], settings, results)
        return self._start(entrypoint, {name: space}, _metadata("search", study, results))

    def resume(
        self, study: str, settings: Mapping[str, Any], results: str = DEFAULT_RESULTS
    ) -> str:
        """Resumes a study of the cluster as a new job, and returns the job's id.

        It runs on the machine that the study's latest job was driven from, where the study is.

        Args:
            study: the study's name.
            settings: options of the command line's `resume`, by their names in Python.
            results: as for `submit`.

        Raises:
            UsageError: a job is at work on the study.
        """
        entrypoint = _entrypoint(["resume", study], settings, results)
        before = [job for job in self.jobs() if (job.study, job.results) == (study, results)]
        busy = next((job for job in before if not job.has_ended), None)
        if busy is not None:
            raise UsageError(
                f"study {study}: job {busy.id} is at work on it. Wait for it, or stop it first."
            )
        node = before[0].node if before else None
        return self._start(entrypoint, {}, _metadata("resume", study, results), node)

    def jobs(self) -> list[Job]:
        """The jobs that are searches, the latest first."""
        with self._answered():
            found = [_job(details) for details in self._client.list_jobs()]
        jobs = [job for job in found if job is not None]
        return sorted(jobs, key=lambda job: job.started or 0, reverse=True)

    def job(self, id: str) -> Job:
        if not _ID.fullmatch(id):
            raise UsageError(f"job {id!r}: is no job's id. {_list_them(self)}")
        with self._answered(id):
            job = _job(self._client.get_job_info(id))
        if job is None:
            raise UsageError(f"job {id}: is no search that xortune submitted. {_list_them(self)}")
        return job

    def log(self, id: str) -> str:
        """What the search has printed so far."""
        self.job(id)
        with self._answered(id):
            return str(self._client.get_job_logs(id))

    def follow(self, id: str) -> Iterator[str]:
        """What the search has printed and will print, in pieces, until it has ended."""
        self.job(id)
        loop = asyncio.new_event_loop()
        pieces = self._client.tail_job_logs(id)
        try:
            with self._answered(id):
                while True:
                    yield loop.run_until_complete(anext(pieces))
        except StopAsyncIteration:
            return
        finally:
            # Ctrl-C leaves the piece that was waited for under way.
            _cancel_all(loop)
            loop.run_until_complete(pieces.aclose())
            _cancel_all(loop)
            loop.close()

    def wait(self, id: str) -> Job:
        """Waits until a search has ended, and returns how."""
        self.job(id)
        return self._wait(id, math.inf, "has not ended", poll=_LONG_POLL_S)

    def stop(self, id: str) -> Job:
        """Tells a search to stop, waits until it has, and returns how it ended."""
        self.job(id)
        with self._answered(id):
            self._client.stop_job(id)
        return self._wait(id, _STOP_S + LONG_ANSWER_S, "has not stopped")

    def snapshot(self, job: Job) -> str:
        """The ledger of a search as it is now, for `unpack`.

        A second, short job prints it, on the machine that the search is driven from.
        """
        folder = cluster_folder(str(PurePosixPath(job.results) / job.study))
        id = self._start(f"exec python -m xortune snapshot {folder}", {}, {}, job.node)
        try:
            sent = self._wait(id, _SNAPSHOT_S, "has sent nothing")
        except BaseException:
            with self._answered(id):
                self._client.stop_job(id)
            raise
        with self._answered(id):
            log = str(self._client.get_job_logs(id))
        if sent.exit_code != 0:
            reason = last_line(log) or last_line(sent.message)
            error = UsageError if sent.exit_code == _BAD_INPUT else XortuneError
            raise error(f"job {job.id}: no study came from the cluster: {reason}")
        return log

    def _start(
        self,
        entrypoint: str,
        files: Mapping[str, Path],
        metadata: dict[str, str],
        node: str | None = None,
    ) -> str:
        with tempfile.TemporaryDirectory(prefix="xortune-") as folder:
            # The working folder, not py_modules: a search that joins a cluster sends those
            # itself, and Ray takes no two of one kind.
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(_PACKAGE, Path(folder) / _PACKAGE.name, ignore=ignored)
            for name, file in files.items():
                shutil.copyfile(file, Path(folder) / name)
            environment = {
                "working_dir": folder,
                "env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(_STOP_S)},
            }
            where = self._placed_on(node) if node else {}
            with self._answered():
                return str(
                    self._client.submit_job(
                        entrypoint=entrypoint, runtime_env=environment, metadata=metadata, **where
                    )
                )

    def _placed_on(self, node: str) -> dict[str, Any]:
        # Rays that cannot place a job have driven the search from their head node too.
        known = inspect.signature(self._client.submit_job).parameters
        option = "entrypoint_label_selector"
        return {option: {"ray.io/node-id": node}} if option in known else {}

    def _wait(self, id: str, seconds: float, complaint: str, poll: float = _POLL_S) -> Job:
        """The job once it has ended."""
        until = time.monotonic() + seconds
        while True:
            with self._answered(id):
                details = self._client.get_job_info(id)
            job = _any_job(details)
            if job.has_ended:
                return job
            if time.monotonic() > until:
                raise XortuneError(
                    f"job {id}: {complaint} after {seconds:.0f} s, and is {job.state}."
                )
            time.sleep(poll)

    @contextmanager
    def _answered(self, id: str = "") -> Iterator[None]:
        """Sorts what Ray's client raises."""
        import aiohttp
        import requests
        from ray.exceptions import RayError

        from xortune.cluster.job_client import Redirected

        try:
            yield
        except (ConnectionError, requests.RequestException, aiohttp.ClientError) as error:
            raise XortuneError(
                f"{self._place}: the connection was lost: {last_line(str(error))}"
            ) from None
        except Redirected as error:
            raise UsageError(redirection(self._place, error.location)) from None
        except RayError as error:
            raise UsageError(refusal(self._place, error)) from None
        except RuntimeError as error:
            if "status code 404" in str(error):
                raise UsageError(f"job {id}: there is none here. {_list_them(self)}") from None
            raise XortuneError(f"{self._place}: {failure(str(error))}") from None


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    """Ends what a loop that has stopped still has to do."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks))


def cluster_folder(results: str) -> str:
    """A folder on the cluster's machine as a word for its shell.

    Raises:
        UsageError: it depends on where the job happens to run.
    """
    if results.startswith("~/"):
        return f'"$HOME"/{shlex.quote(results[2:])}'
    if not PurePosixPath(results).is_absolute():
        raise UsageError(
            f"--results {results}: is on the cluster's machine, so give an absolute path, or "
            "one that starts with '~/'."
        )
    return shlex.quote(results)


def _entrypoint(command: list[str], settings: Mapping[str, Any], results: str) -> str:
    """What the cluster's shell runs: a command of xortune, on the cluster that it is a job of."""
    words = ["exec", "python", "-m", "xortune", *command, "--address=auto"]
    options = dict(settings)
    words += [f"--set={text}" for text in options.pop("narrow", ())]
    for key, value in options.items():
        option = f"--{key.replace('_', '-')}"
        words.append(option if value is True else f"{option}={value}")
    return f"{shlex.join(words)} --results {cluster_folder(results)}"


def _metadata(kind: str, study: str, results: str) -> dict[str, str]:
    return {_MARK: kind, "study": study, "results": results}


def _job(details: Any) -> Job | None:
    """A job of ours; None for another's."""
    return _any_job(details) if _MARK in (details.metadata or {}) else None


def _any_job(details: Any) -> Job:
    metadata = details.metadata or {}
    return Job(
        id=details.submission_id,
        state=str(details.status.value),
        study=metadata.get("study", ""),
        results=metadata.get("results", ""),
        started=_seconds(details.start_time),
        ended=_seconds(details.end_time),
        exit_code=details.driver_exit_code,
        message=details.message or "",
        node=details.driver_node_id,
    )


def _seconds(milliseconds: int | None) -> float | None:
    return None if not milliseconds else milliseconds / 1000


def _list_them(server: JobServer) -> str:
    return f"List those there are: python -m xortune status --address {server.address}"
