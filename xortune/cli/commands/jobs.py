"""The commands for searches that run as Ray jobs."""

from __future__ import annotations

import argparse
import json
import shlex
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xortune.cli.job_server import add_job_server, following, job_command, job_server
from xortune.cli.options import add_results, add_study, flag
from xortune.cli.results import show_result
from xortune.cli.screen import Screen
from xortune.escaping import visible
from xortune.paths import DEFAULT_RESULTS

if TYPE_CHECKING:
    from xortune.cluster.jobs import Job, JobServer

_RAY_LINE = "Running entrypoint for job "


def add(commands: Any) -> None:
    status = _add_job(commands, "status", "a job's status; all searches without JOB", nargs="?")
    formats = ("table", "json")
    status.add_argument("--format", choices=formats, default="table", help="(default: table)")
    logs = _add_job(commands, "logs", "the output of a job")
    flag(logs, "-f", "--follow", text="until the job has ended")
    wait = _add_job(commands, "wait", "wait for a job, and exit with its search's exit code")
    stop = _add_job(commands, "stop", "stop a job; finished trials are kept")
    fetch = _add_job(commands, "fetch", "copy a job's study here, or update the copy")
    fetch.add_argument("--name", help="the study's name here (default: as there)")
    add_results(fetch, default=DEFAULT_RESULTS)
    # `fetch` runs it on the cluster. Without help it is not listed.
    snapshot = commands.add_parser("snapshot")
    add_study(snapshot)
    for parser, run in (
        (status, _status),
        (logs, _logs),
        (wait, _wait),
        (stop, _stop),
        (fetch, _fetch),
        (snapshot, _snapshot),
    ):
        parser.set_defaults(run=run)


def _add_job(commands: Any, name: str, text: str, **nargs: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text)
    parser.add_argument("job", metavar="JOB", help="the id that submit printed", **nargs)
    add_job_server(parser)
    return parser


def _status(arguments: Namespace, screen: Screen) -> None:
    server = job_server(arguments.address, arguments.proxy)
    if arguments.job is None:
        _print_jobs(server.jobs(), arguments.format, screen)
        return
    job = server.job(arguments.job)
    described = {**_described(job), "last_line": _last_line(server.log(job.id) or job.message)}
    if arguments.format == "json":
        _print(screen, json.dumps(described, indent=2))
        return
    for key, value in described.items():
        if value not in (None, "") and not (key == "last_line" and job.state == "SUCCEEDED"):
            _print(screen, f"{key.replace('_', ' '):9} {visible(str(value))}")
    rest = ("fetch",) if job.has_ended else ("logs --follow", "wait", "stop", "fetch")
    _print(screen, following(server, job.id, *rest))


def _print_jobs(jobs: list[Job], form: str, screen: Screen) -> None:
    if form == "json":
        _print(screen, json.dumps([_described(job) for job in jobs], indent=2))
        return
    if not jobs:
        _print(screen, "no searches")
        return
    rows = [("job", "state", "study", "started")]
    rows += [(job.id, job.state, job.study, _time(job.started) or "") for job in jobs]
    widths = [max(len(visible(text)) for text in column) for column in zip(*rows)]
    for row in rows:
        cells = (visible(text).ljust(width) for text, width in zip(row, widths))
        _print(screen, "  ".join(cells).rstrip())


def _logs(arguments: Namespace, screen: Screen) -> None:
    server = job_server(arguments.address, arguments.proxy)
    if not arguments.follow:
        screen.out.write(_lines(server.log(arguments.job)))
        return
    with _continuing(server, arguments.job, screen):
        for piece in server.follow(arguments.job):
            screen.out.write(_lines(piece))
            screen.out.flush()


def _wait(arguments: Namespace, screen: Screen) -> int:
    server = job_server(arguments.address, arguments.proxy)
    with _continuing(server, arguments.job, screen):
        job = server.wait(arguments.job)
    screen.say(f"job {job.id} has ended: {job.state}, exit code {job.outcome}")
    if job.outcome:
        screen.say(f"its last line: {_last_line(server.log(job.id) or job.message)}")
    return job.outcome


@contextmanager
def _continuing(server: JobServer, id: str, screen: Screen) -> Iterator[None]:
    """While entered, Ctrl-C says how to stop the job, which continues."""
    try:
        yield
    except KeyboardInterrupt:
        screen.say(f"the job continues. To stop it: {job_command(server, 'stop', id)}")
        raise


def _stop(arguments: Namespace, screen: Screen) -> None:
    server = job_server(arguments.address, arguments.proxy)
    job, ended = server.job(arguments.job), "had ended already"
    if not job.has_ended:
        job, ended = server.stop(arguments.job), "has ended"
    _print(screen, f"job {job.id} {ended}: {job.state}; finished trials are kept on the cluster")
    _print(screen, following(server, job.id, "logs", "fetch"))


def _fetch(arguments: Namespace, screen: Screen) -> None:
    from xortune.ledger.snapshot import unpack
    from xortune.studies.fetched import adopt

    server = job_server(arguments.address, arguments.proxy)
    job = server.job(arguments.job)
    name = job.study if arguments.name is None else arguments.name

    def fetch(file: Path) -> None:
        screen.say(f"fetching the ledger of job {job.id}")
        snapshot = server.snapshot(job)
        screen.say("received; writing its tables and runs")
        unpack(snapshot, file)

    study = adopt(fetch, name, arguments.results)
    states = study.summary()["states"]
    done = sum(count for state, count in states.items() if state not in ("RUNNING", "WAITING"))
    if done < study.settings.trials:
        remedy = "Fetch it again later: a study that is resumed here takes no more from the job"
        if job.has_ended:
            folder = shlex.quote(str(study.paths.folder))
            remedy = f"Resume it here with: python -m xortune resume {folder}"
        screen.say(
            f"the search is not finished, its job is {job.state}: these are {done} of "
            f"{study.settings.trials} trials. {remedy}"
        )
    if job.state == "FAILED":
        screen.say(
            f"job {job.id} FAILED: the study was fetched as it is on the cluster, and may be "
            f"from an earlier job. See {job_command(server, 'logs', job.id)}"
        )
    show_result(study, screen)


def _snapshot(arguments: Namespace, screen: Screen) -> None:
    from xortune.ledger.snapshot import pack
    from xortune.paths import DEFAULT_RESULTS, find_study

    for line in pack(find_study(arguments.study, DEFAULT_RESULTS)):
        screen.out.write(f"{line}\n")  # in one call, since Ray writes to the same log


def _described(job: Job) -> dict[str, Any]:
    return {
        "job": job.id, "state": job.state, "study": job.study, "results": job.results,
        "started": _time(job.started), "ended": _time(job.ended), "exit_code": job.exit_code,
    }  # fmt: skip


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")


def _last_line(text: str) -> str:
    """The last line of the search itself: Ray writes to the same log at any time."""
    lines = [line for line in text.strip().splitlines() if not line.startswith(_RAY_LINE)]
    return (lines or [""])[-1].strip()


def _print(screen: Screen, line: str) -> None:
    screen.out.write(f"{line}\n")


def _lines(log: str) -> str:
    """Untrusted text, without control characters."""
    return "\n".join(map(visible, log.expandtabs().split("\n")))
