"""Searches as jobs of a Ray cluster, through the HTTP interface of its job server."""

from __future__ import annotations

import asyncio
import inspect
import math
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from xortune.cluster.jobs.connection import (
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
from xortune.cluster.jobs.entrypoint import cluster_folder, entrypoint_of
from xortune.cluster.jobs.job import Job, any_job, mark, search_job
from xortune.cluster.ray_internals import STOP_WAIT_VARIABLE
from xortune.errors import UsageError, XortuneError
from xortune.wording import option

# On the cluster's machine, in the home folder of the user who started its Ray.
DEFAULT_RESULTS = "~/xortune-results"

_PACKAGE = Path(__file__).resolve().parents[2]
# A search that is stopped may take this long to write its tables and runs; Ray's default of three
# seconds is for scripts.
_STOP_S = 120
_POLL_S = 0.2
# For a wait that may take hours.
_LONG_POLL_S = 1.0
# A snapshot may take this long, together with its wait for the node.
_SNAPSHOT_S = 600
_BAD_INPUT = 2
_ID = re.compile(r"\w[\w.-]{0,199}", re.ASCII)


class JobServer:
    """The job server of a cluster.

    Args:
        address: its `http://host:port`; None takes that of RAY_API_SERVER_ADDRESS, as Ray's own
            commands for jobs do, or `DEFAULT_ADDRESS`.
        proxy: the `http://host:port` of a proxy to it; None takes that of XORTUNE_PROXY. No
            other proxy is used.

    Raises:
        UsageError: there is none, or it refuses the token. All methods raise it for a job that
            is unknown or not a search, and XortuneError if the server fails.
    """

    def __init__(self, address: str | None = None, proxy: str | None = None) -> None:
        given = default_address() if address is None else address
        from_environment = address is None and os.environ.get(ADDRESS_VARIABLE)
        place = f"{ADDRESS_VARIABLE}=" if from_environment else f"{option('address')} "
        self.address = checked_address(given, place)
        self._place = f"{place}{self.address}"
        self.proxy = proxy
        self._client = connect(self.address, self._place, proxy)

    def submit(
        self,
        space: Path | None,
        study: str,
        settings: Mapping[str, Any],
        results: str = DEFAULT_RESULTS,
        files: Sequence[Path] = (),
    ) -> str:
        """Starts a search as a job, and returns the job's id.

        Args:
            space: the search-space file, which is sent along, as is this package; None for the
                problem's own.
            study: the study's name.
            settings: options of the command `search`, by their names in Python.
            results: the results folder on the cluster's machine, absolute or from `~/` on.
            files: files, and folders of modules, to send along; the command finds them by their
                names.
        """
        sent = {file.name: file for file in files}
        words = ["search", f"--name={study}"]
        if space is not None:
            name = f"{space.stem}.yaml"
            sent[name] = space
            words.insert(1, f"./{name}")
        entrypoint = entrypoint_of(words, settings, results)
        return self._start(entrypoint, sent, mark("search", study, results))

    def resume(
        self,
        study: str,
        settings: Mapping[str, Any],
        results: str = DEFAULT_RESULTS,
        files: Sequence[Path] = (),
    ) -> str:
        """Resumes a study of the cluster as a new job, and returns the job's id.

        It runs on the machine that drove the study's latest job, where the study is.

        Args:
            study: the study's name.
            settings: options of the command `resume`, by their names in Python.
            results: as for `submit`.
            files: likewise.

        Raises:
            UsageError: a job is working on the study.
        """
        entrypoint = entrypoint_of(["resume", study], settings, results)
        before = [job for job in self.jobs() if (job.study, job.results) == (study, results)]
        busy = next((job for job in before if not job.has_ended), None)
        if busy is not None:
            raise UsageError(
                f"study {study}: job {busy.id} is working on it. Wait for it, or stop it first."
            )
        node = before[0].node if before else None
        sent = {file.name: file for file in files}
        return self._start(entrypoint, sent, mark("resume", study, results), node)

    def jobs(self) -> list[Job]:
        """The jobs that are searches, the latest first."""
        with self._answered():
            found = [search_job(details) for details in self._client.list_jobs()]
        jobs = [job for job in found if job is not None]
        return sorted(jobs, key=lambda job: job.started or 0, reverse=True)

    def job(self, id: str) -> Job:
        """The job of a search."""
        if not _ID.fullmatch(id):
            raise UsageError(f"job {id!r}: not a job's id. {_list_them(self)}")
        with self._answered(id):
            job = search_job(self._client.get_job_info(id))
        if job is None:
            raise UsageError(f"job {id}: not a search that xortune submitted. {_list_them(self)}")
        return job

    def log(self, id: str) -> str:
        """The output of a search so far."""
        self.job(id)
        with self._answered(id):
            return str(self._client.get_job_logs(id))

    def follow(self, id: str) -> Iterator[str]:
        """The output of a search, past and to come, in pieces, until it has ended."""
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
            # Ctrl-C leaves the wait for a piece unfinished.
            _cancel_all(loop)
            loop.run_until_complete(pieces.aclose())
            _cancel_all(loop)
            loop.close()

    def wait(self, id: str) -> Job:
        """Waits until a search has ended, and returns its job."""
        self.job(id)
        return self._wait(id, math.inf, "has not ended", poll=_LONG_POLL_S)

    def stop(self, id: str) -> Job:
        """Stops a search, waits until it has ended, and returns its job."""
        self.job(id)
        with self._answered(id):
            self._client.stop_job(id)
        return self._wait(id, _STOP_S + LONG_ANSWER_S, "has not stopped")

    def snapshot(self, job: Job) -> str:
        """The ledger of a search as it is now, for `unpack`.

        A second, short job prints it, on the machine that drives the search.
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
            raise error(f"job {job.id}: the cluster sent no study: {reason}")
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
            # itself, and Ray accepts only one of each kind.
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(_PACKAGE, Path(folder) / _PACKAGE.name, ignore=ignored)
            for name, file in files.items():
                if file.is_dir():
                    shutil.copytree(file, Path(folder) / name, ignore=_without_data)
                else:
                    shutil.copyfile(file, Path(folder) / name)
            environment = {
                "working_dir": folder,
                "env_vars": {STOP_WAIT_VARIABLE: str(_STOP_S)},
            }
            where = self._placed_on(node) if node else {}
            with self._answered():
                return str(
                    self._client.submit_job(
                        entrypoint=entrypoint, runtime_env=environment, metadata=metadata, **where
                    )
                )

    def _placed_on(self, node: str) -> dict[str, Any]:
        # Ray versions without this argument have driven the search from the head node too.
        known = inspect.signature(self._client.submit_job).parameters
        selector = "entrypoint_label_selector"
        return {selector: {"ray.io/node-id": node}} if selector in known else {}

    def _wait(self, id: str, seconds: float, complaint: str, poll: float = _POLL_S) -> Job:
        """The job once it has ended."""
        until = time.monotonic() + seconds
        while True:
            with self._answered(id):
                details = self._client.get_job_info(id)
            job = any_job(details)
            if job.has_ended:
                return job
            if time.monotonic() > until:
                raise XortuneError(
                    f"job {id}: {complaint} after {seconds:.0f} s, and is {job.state}."
                )
            time.sleep(poll)

    @contextmanager
    def _answered(self, id: str = "") -> Iterator[None]:
        """Turns the errors of Ray's client into ours."""
        import aiohttp
        import requests
        from ray.exceptions import RayError

        from xortune.cluster.jobs.client import Redirected

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
                raise UsageError(f"no job {id} here. {_list_them(self)}") from None
            raise XortuneError(f"{self._place}: {failure(str(error))}") from None


def _without_data(folder: str, names: list[str]) -> list[str]:
    """What does not go to the cluster of a folder of modules: anything but Python files."""
    inside = [(name, Path(folder) / name) for name in names]
    return [
        name
        for name, path in inside
        if name.startswith((".", "__pycache__")) or not (path.is_dir() or path.suffix == ".py")
    ]


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    """Ends the unfinished tasks of a loop that has stopped."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks))


def _list_them(server: JobServer) -> str:
    return f"List the jobs: python -m xortune status --address {server.address}"
