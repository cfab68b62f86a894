"""The commands for searches that run as Ray jobs."""

from __future__ import annotations

import json
import shlex
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xortune.errors import UsageError
from xortune.escaping import visible
from xortune.studies.foreign import RECORDED
from xortune.studies.problems import DATA_NAMES, SUBJECT_KEYWORDS

if TYPE_CHECKING:
    from xortune.cli.screen import Screen
    from xortune.cluster.jobs import Job, JobServer
    from xortune.studies.study import Study

_RAY_LINE = "Running entrypoint for job "


def _submit(arguments: Namespace, screen: Screen) -> None:
    settings = vars(arguments)
    settings.pop("command")
    address, proxy, results = (settings.pop(key) for key in ("address", "proxy", "results"))
    submit = _resumed if settings.pop("resume", False) else _started
    server, id, name = submit(settings, results, address, proxy)
    # The id alone on standard output: JOB=$(xortune submit).
    _print(screen, id)
    screen.out.flush()
    _note(screen, f"study   {name}, in {visible(results)} on the cluster's head")
    _note(screen, _next(server, id, "status", "logs --follow", "wait", "stop", "fetch"))


def _started(
    settings: dict[str, Any], results: str, address: str | None, proxy: str | None
) -> tuple[JobServer, str, str]:
    """Submits a search; returns the server, the job's id, and the study's name."""
    from xortune.cluster.jobs import cluster_folder
    from xortune.paths import numbered
    from xortune.space import space_file
    from xortune.studies.request import check_search, default_name

    if settings.pop("force", False):
        raise UsageError("--force: is for --resume. Leave it out.")
    space, name = settings.pop("space", None), settings.pop("name", None)
    request = check_search(space, name, **settings)
    spec, space = request.settings.spec, space or request.subject.default_space
    files = _files(settings)
    cluster_folder(results)
    server = _server(address, proxy)
    if name is None:
        taken = {job.study for job in server.jobs() if job.results == results}
        name = next(free for free in numbered(default_name(spec)) if free not in taken)
    file = None if space is None else space_file(space)
    return server, server.submit(file, name, settings, results, files), name


def _resumed(
    settings: dict[str, Any], results: str, address: str | None, proxy: str | None
) -> tuple[JobServer, str, str]:
    """Submits a resume; likewise."""
    from xortune.cluster.jobs import cluster_folder
    from xortune.studies.request import changed_settings, check_search
    from xortune.studies.trainings import CHANGEABLE

    study = settings.pop("space", None)
    if study is None:
        raise UsageError("--resume: name the study: python -m xortune submit STUDY --resume")
    fixed = next((key for key in settings if key in RECORDED), None)
    if settings.get("data") in DATA_NAMES:
        fixed = "data"
    if fixed is not None:
        value = settings[fixed]
        flag, value = ("set", value[0]) if fixed == "narrow" else (fixed.replace("_", "-"), value)
        raise UsageError(
            f"--{flag} {value}: is recorded in the study, and stays as it was. Leave it out."
        )
    changed_settings({key: settings[key] for key in CHANGEABLE if key in settings})
    others = ("force", *SUBJECT_KEYWORDS, *CHANGEABLE)
    check_search(None, study, **{k: v for k, v in settings.items() if k not in others})
    files = _files(settings)
    cluster_folder(results)
    server = _server(address, proxy)
    return server, server.resume(study, settings, results, files), study


def _files(settings: dict[str, Any]) -> list[Path]:
    """The files and folders that a search needs; `settings` then name them as the job finds them.

    Raises:
        UsageError: one is missing, or two have one name.
    """
    data, (file, colon, name) = settings.get("data"), settings.get("problem", "").partition(":")
    files = [Path(text).resolve() for text in settings.get("include", ())]
    if data is not None and data not in DATA_NAMES:
        files.append(Path(data))
        settings["data"] = f"./{Path(data).name}"
    if file:
        files.append(Path(file))
        settings["problem"] = f"./{Path(file).name}{colon}{name}"
    if settings.get("include"):
        settings["include"] = [f"./{path.name}" for path in files[: len(settings["include"])]]
    for path in files:
        if not path.exists():
            raise UsageError(f"{path}: there is no such file or folder to send to the cluster.")
    names = ["xortune", *(path.name for path in files)]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(
            f"{twice}: two files or folders of this name go to the cluster. Rename one."
        )
    return files


def _status(arguments: Namespace, screen: Screen) -> None:
    server = _server(arguments.address, arguments.proxy)
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
    _print(screen, _next(server, job.id, *rest))


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
    server = _server(arguments.address, arguments.proxy)
    if not arguments.follow:
        screen.out.write(_lines(server.log(arguments.job)))
        return
    with _continuing(server, arguments.job, screen):
        for piece in server.follow(arguments.job):
            screen.out.write(_lines(piece))
            screen.out.flush()


def _wait(arguments: Namespace, screen: Screen) -> int:
    server = _server(arguments.address, arguments.proxy)
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
        screen.say(f"the job continues. To stop it: {_command(server, 'stop', id)}")
        raise


def _stop(arguments: Namespace, screen: Screen) -> None:
    server = _server(arguments.address, arguments.proxy)
    job, ended = server.job(arguments.job), "had ended already"
    if not job.has_ended:
        job, ended = server.stop(arguments.job), "has ended"
    _print(screen, f"job {job.id} {ended}: {job.state}; finished trials are kept on the cluster")
    _print(screen, _next(server, job.id, "logs", "fetch"))


def _fetch(arguments: Namespace, screen: Screen) -> Study:
    from xortune.ledger.snapshot import unpack
    from xortune.studies.fetched import adopt

    server = _server(arguments.address, arguments.proxy)
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
            f"from an earlier job. See {_command(server, 'logs', job.id)}"
        )
    return study


def _snapshot(arguments: Namespace, screen: Screen) -> None:
    from xortune.ledger.snapshot import pack
    from xortune.paths import DEFAULT_RESULTS, find_study

    for line in pack(find_study(arguments.study, DEFAULT_RESULTS)):
        screen.out.write(f"{line}\n")  # in one call, since Ray writes to the same log


def _server(address: str | None, proxy: str | None) -> JobServer:
    from xortune.cluster.jobs import JobServer

    return JobServer(address, proxy)


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


def _next(server: JobServer, id: str, *commands: str) -> str:
    """A line for each command that may follow."""
    return "\n".join(f"{c.split()[0]:7} {_command(server, c, id)}" for c in commands)


def _command(server: JobServer, command: str, id: str) -> str:
    from xortune.cluster.jobs import default_address

    name, *options = command.split()
    words = ["python", "-m", "xortune", name, visible(id), *options]
    if server.address != default_address():
        words += ["--address", server.address]
    if server.proxy is not None and "@" not in server.proxy:  # passwords are not repeated
        words += ["--proxy", server.proxy]
    return shlex.join(words)


def _print(screen: Screen, line: str) -> None:
    screen.out.write(f"{line}\n")


def _note(screen: Screen, line: str) -> None:
    screen.err.write(f"{line}\n")


def _lines(log: str) -> str:
    """Untrusted text, without control characters."""
    return "\n".join(map(visible, log.expandtabs().split("\n")))


# A command returns a study for the caller to show, its exit code, or nothing.
COMMANDS: dict[str, Callable[[Namespace, Screen], Study | int | None]] = {
    "submit": _submit,
    "status": _status,
    "logs": _logs,
    "wait": _wait,
    "stop": _stop,
    "fetch": _fetch,
    "snapshot": _snapshot,
}
