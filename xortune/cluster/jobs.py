"""Searches as jobs of a Ray cluster, through its job server: nothing but HTTP in between."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import logging
import os
import re
import shlex
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from xortune.cluster.authentication import known_token
from xortune.errors import UsageError, XortuneError

DEFAULT_ADDRESS = "http://127.0.0.1:8265"
# On the cluster's machine, in the home of whoever started its Ray.
DEFAULT_RESULTS = "~/xortune-results"
ENDED = ("SUCCEEDED", "FAILED", "STOPPED")

_PACKAGE = Path(__file__).resolve().parent.parent
_CONNECT_S = 5
_ANSWER_S = 10
# A log of 100 MB takes Ray four seconds to put together.
_LONG_ANSWER_S = 120
# How long a search may take to write its tables and runs after it was told to stop; Ray's
# own three seconds are for scripts.
_STOP_S = 120
_POLL_S = 0.2
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


class JobServer:
    """The job server of a cluster.

    Args:
        address: its `http://host:port`.

    Raises:
        UsageError: there is none, or it does not let us in. All methods raise it for a job
            that is unknown or no search, and XortuneError where the server fails.
    """

    def __init__(self, address: str) -> None:
        self.address = _checked(address)
        self._client = _connect(self.address)

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
        folder = cluster_folder(results)
        name = f"{space.stem}.yaml"
        words = ["exec", "python", "-m", "xortune", "search", f"./{name}", "--address", "auto"]
        options = dict(settings)
        words += [f"--set={text}" for text in options.pop("narrow", ())]
        words += [f"--{key.replace('_', '-')}={value}" for key, value in options.items()]
        words += [f"--name={study}"]
        metadata = {_MARK: "search", "study": study, "results": results}
        return self._start(f"{shlex.join(words)} --results {folder}", {name: space}, metadata)

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
            loop.run_until_complete(pieces.aclose())
            loop.close()

    def stop(self, id: str) -> Job:
        """Tells a search to stop, waits until it has, and returns how it ended."""
        self.job(id)
        with self._answered(id):
            self._client.stop_job(id)
        return self._wait(id, _STOP_S + _LONG_ANSWER_S, "has not stopped")

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
            reason = _last_line(log) or _last_line(sent.message)
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

    def _wait(self, id: str, seconds: float, complaint: str) -> Job:
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
            time.sleep(_POLL_S)

    @contextmanager
    def _answered(self, id: str = "") -> Iterator[None]:
        """Sorts what Ray's client raises."""
        import aiohttp
        import requests
        from ray.exceptions import RayError

        try:
            yield
        except (ConnectionError, requests.RequestException, aiohttp.ClientError) as error:
            raise XortuneError(
                f"--address {self.address}: the connection was lost: {_last_line(str(error))}"
            ) from None
        except RayError as error:
            raise UsageError(_refusal(self.address, error)) from None
        except RuntimeError as error:
            if "status code 404" in str(error):
                raise UsageError(f"job {id}: there is none here. {_list_them(self)}") from None
            raise XortuneError(f"--address {self.address}: {_last_line(str(error))}") from None


def _checked(address: str) -> str:
    """The address with its scheme, which may be left out.

    Ray would take more: a module's name before the `://`, which it imports.
    """
    url = address if "://" in address else f"http://{address}"
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname)
        fits = fits and (parts.port is not None or "://" in address)
    except ValueError:
        fits = False
    if not fits or parts.query or parts.fragment or parts.username:
        raise UsageError(
            f"--address {address}: expected the job server's http://host:port, such as "
            f"{DEFAULT_ADDRESS}."
        )
    return url.rstrip("/")


def _connect(address: str) -> Any:
    """Ray's own client, which is made to give up after a while."""
    if importlib.util.find_spec("aiohttp") is None:
        raise UsageError(
            "the commands for jobs need Ray's job client. Install it with: "
            "pip install 'xortune[cluster]'"
        )
    import requests
    from ray.exceptions import RayError
    from ray.job_submission import JobSubmissionClient

    # They log every upload, at a level of their own.
    for name in ("dashboard_sdk", "job.sdk"):
        logging.getLogger(f"ray.dashboard.modules.{name}").setLevel(logging.WARNING)
    for name in ("packaging", "working_dir"):
        logging.getLogger(f"ray._private.runtime_env.{name}").setLevel(logging.WARNING)

    class Client(JobSubmissionClient):  # type: ignore[misc]
        patience = _ANSWER_S

        def _do_request(self, method: str, endpoint: str, **arguments: Any) -> Any:
            timeout = (_CONNECT_S, self.patience)
            return super()._do_request(method, endpoint, timeout=timeout, **arguments)

    try:
        with _named(address):
            client = Client(address, headers=_headers())
    except requests.ConnectionError:
        complaint = "nothing answers there"
    except requests.Timeout:
        complaint = f"what is there has not answered for {_ANSWER_S} s"
    except (requests.RequestException, RuntimeError, LookupError, TypeError, ValueError):
        complaint = "what answers there is no Ray"
    except ConnectionError:
        complaint = "nothing answers there"
    except RayError as error:
        raise UsageError(_refusal(address, error)) from None
    else:
        client.patience = _LONG_ANSWER_S
        return client
    raise UsageError(
        f"--address {address}: no job server: {complaint}. A cluster has one where it was "
        "started: ray start --head --dashboard-host 127.0.0.1"
    )


@contextmanager
def _named(address: str) -> Iterator[None]:
    """Ray's client prefers two variables of the environment to the address it is given."""
    key = "RAY_API_SERVER_ADDRESS"
    before = os.environ.get(key)
    os.environ[key] = address
    try:
        yield
    finally:
        if before is None:
            del os.environ[key]
        else:
            os.environ[key] = before


def _headers() -> dict[str, str]:
    """The token where there is one, as for everything else of Ray's; its client wants a mode."""
    if os.environ.get("RAY_AUTH_MODE", "token").lower() != "token":
        return {}
    token = known_token() or ""
    if not (token.isascii() and token.isprintable()):
        raise UsageError("the token for Ray is no plain text. Copy the cluster's token again.")
    return {"Authorization": f"Bearer {token}"} if token else {}


def _refusal(address: str, error: Exception) -> str:
    fault = "asks for a token" if "required" in str(error) else "does not take this token"
    return (
        f"--address {address}: that Ray {fault}. Set RAY_AUTH_TOKEN to the cluster's token, "
        "or copy it to ~/.ray/auth_token; its head node prints it: ray get-auth-token"
    )


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


def _last_line(text: str) -> str:
    """Where a traceback says what happened."""
    return (text.strip().splitlines() or [""])[-1]
