"""A job that is a search, as Ray's job server describes it."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Any

ENDED = ("SUCCEEDED", "FAILED", "STOPPED")
# The metadata by which the job of a search is known.
_MARK = "xortune"


@dataclass(frozen=True)
class Job:
    """A search on a cluster, as Ray's job server knows it.

    Attributes:
        id: Ray's id of the job.
        state: PENDING, RUNNING, SUCCEEDED, FAILED or STOPPED.
        study: the study's name.
        results: the results folder on the cluster's machine.
        started: seconds since the epoch; None before that.
        ended: likewise.
        exit_code: the exit code of the search; None until it has one.
        message: Ray's words on the job's state, of any length.
        node: the id of the node that drives the search; None before that.
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
        """The exit code of a search that has ended, as in a shell: 128 and a signal's number."""
        if self.exit_code is None:
            return {"SUCCEEDED": 0, "STOPPED": 128 + signal.SIGTERM}.get(self.state, 1)
        return 128 - self.exit_code if self.exit_code < 0 else self.exit_code


def mark(kind: str, study: str, results: str) -> dict[str, str]:
    """The metadata of a search's job, with its kind: `search` or `resume`."""
    return {_MARK: kind, "study": study, "results": results}


def search_job(details: Any) -> Job | None:
    """The job of a search; None for any other job.

    Args:
        details: Ray's `JobDetails`.
    """
    return any_job(details) if _MARK in (details.metadata or {}) else None


def any_job(details: Any) -> Job:
    """A job that xortune started, though it may not be a search."""
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
