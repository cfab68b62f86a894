"""The commands for searches that run as jobs of a cluster."""

from __future__ import annotations

import json
import os
import shlex
from argparse import Namespace
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xortune.shown import visible

if TYPE_CHECKING:
    from xortune.cli.screen import Screen
    from xortune.cluster.jobs import Job, JobServer
    from xortune.study import Study


def _submit(arguments: Namespace, screen: Screen) -> None:
    from xortune.cluster.jobs import cluster_folder
    from xortune.paths import numbered
    from xortune.searches import check_search, default_name
    from xortune.space import space_file

    settings = vars(arguments)
    settings.pop("command")
    space, results, address = (settings.pop(key) for key in ("space", "results", "address"))
    name = settings.pop("name", None)
    check_search(space, name or default_name(), **settings)
    cluster_folder(results)
    server = _server(address)
    if name is None:
        taken = {job.study for job in server.jobs() if job.results == results}
        name = next(free for free in numbered(default_name()) if free not in taken)
    id = server.submit(space_file(space), name, settings, results)
    _print(screen, f"job     {id}")
    _print(screen, f"study   {name}, in {visible(results)} on the cluster's head")
    _say_next(screen, server, id, "status", "logs --follow", "stop", "fetch")


def _status(arguments: Namespace, screen: Screen) -> None:
    server = _server(arguments.address)
    if arguments.job is None:
        jobs = server.jobs()
        if arguments.format == "json":
            _print(screen, json.dumps([_described(job) for job in jobs], indent=2))
        else:
            _print_jobs(jobs, screen)
        return
    job = server.job(arguments.job)
    described = {**_described(job), "last_line": _last_line(server.log(job.id) or job.message)}
    if arguments.format == "json":
        _print(screen, json.dumps(described, indent=2))
        return
    for key, value in described.items():
        if value not in (None, "") and not (key == "last_line" and job.state == "SUCCEEDED"):
            _print(screen, f"{key.replace('_', ' '):9} {visible(str(value))}")
    rest = ("fetch",) if job.has_ended else ("logs --follow", "stop", "fetch")
    _say_next(screen, server, job.id, *rest)


def _print_jobs(jobs: list[Job], screen: Screen) -> None:
    if not jobs:
        _print(screen, "no searches")
        return
    rows = [("job", "state", "study", "started"), *(_row(job) for job in jobs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        _print(screen, "  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())


def _row(job: Job) -> tuple[str, ...]:
    return tuple(map(visible, (job.id, job.state, job.study, _time(job.started) or "")))


def _logs(arguments: Namespace, screen: Screen) -> None:
    server = _server(arguments.address)
    if not arguments.follow:
        screen.out.write(_lines(server.log(arguments.job)))
        return
    try:
        for piece in server.follow(arguments.job):
            screen.out.write(_lines(piece))
            screen.out.flush()
    except KeyboardInterrupt:
        screen.say(f"the job goes on; it ends with: {_command(server, 'stop', arguments.job)}")
        raise


def _stop(arguments: Namespace, screen: Screen) -> None:
    server = _server(arguments.address)
    before = server.job(arguments.job)
    job = before if before.has_ended else server.stop(arguments.job)
    already = "had ended already" if before.has_ended else "has ended"
    _print(
        screen, f"job {job.id} {already}: {job.state}; what it has finished is kept on the cluster"
    )
    _say_next(screen, server, job.id, "logs", "fetch")


def _fetch(arguments: Namespace, screen: Screen) -> Study:
    from xortune.adoption import adopt
    from xortune.cluster.snapshot import unpack

    server = _server(arguments.address)
    job = server.job(arguments.job)
    name = job.study if arguments.name is None else arguments.name

    def fetch(file: Path) -> None:
        screen.say(f"fetching the ledger of job {job.id}")
        snapshot = server.snapshot(job)
        screen.say("it has come; its tables and runs are made here")
        unpack(snapshot, file)

    study = adopt(fetch, name, arguments.results)
    states = study.summary()["states"]
    done = sum(count for state, count in states.items() if state not in ("RUNNING", "WAITING"))
    if done < study.settings.trials:
        go_on = f"python -m xortune resume {shlex.quote(str(study.paths.folder))}"
        screen.say(
            f"the search is not finished, its job is {job.state}: these are {done} of "
            f"{study.settings.trials} trials. Go on here with: {go_on}"
        )
    return study


def _snapshot(arguments: Namespace, screen: Screen) -> None:
    from xortune.cluster.snapshot import pack
    from xortune.paths import DEFAULT_RESULTS, find_study

    for line in pack(find_study(arguments.study, DEFAULT_RESULTS)):
        screen.out.write(f"{line}\n")  # in one piece, since Ray writes to the same log


def _server(address: str | None) -> JobServer:
    from xortune.cluster.jobs import JobServer

    return JobServer(address or _default_address())


def _default_address() -> str:
    """As Ray's own commands for jobs have it."""
    from xortune.cluster.jobs import DEFAULT_ADDRESS

    return os.environ.get("RAY_API_SERVER_ADDRESS") or DEFAULT_ADDRESS


def _described(job: Job) -> dict[str, Any]:
    return {
        "job": job.id,
        "state": job.state,
        "study": job.study,
        "results": job.results,
        "started": _time(job.started),
        "ended": _time(job.ended),
        "exit_code": job.exit_code,
    }


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1].strip()


def _say_next(screen: Screen, server: JobServer, id: str, *commands: str) -> None:
    for command in commands:
        _print(screen, f"{command.split()[0]:7} {_command(server, command, id)}")


def _command(server: JobServer, command: str, id: str) -> str:
    name, *options = command.split()
    words = ["python", "-m", "xortune", name, visible(id), *options]
    if server.address != _default_address():
        words += ["--address", server.address]
    return shlex.join(words)


def _print(screen: Screen, line: str) -> None:
    screen.out.write(f"{line}\n")


def _lines(log: str) -> str:
    """Text from elsewhere, without what a terminal would obey."""
    return "\n".join(map(visible, log.expandtabs().split("\n")))


# A command that returns a study leaves it to the caller to show it.
COMMANDS: dict[str, Callable[[Namespace, Screen], Study | None]] = {
    "submit": _submit,
    "status": _status,
    "logs": _logs,
    "stop": _stop,
    "fetch": _fetch,
    "snapshot": _snapshot,
}
