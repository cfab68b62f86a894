"""`submit`: a search as a Ray job on a cluster."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xortune.cli.job_server import add_job_server, following, job_server
from xortune.cli.options import flag
from xortune.cli.screen import Screen
from xortune.cli.search_options import add_study_settings, add_worker_options
from xortune.errors import UsageError
from xortune.escaping import visible
from xortune.studies.foreign import RECORDED
from xortune.studies.problems import DATA_NAMES, SUBJECT_KEYWORDS

if TYPE_CHECKING:
    from xortune.cluster.jobs import JobServer


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "submit", help="search on a cluster, as a Ray job", argument_default=argparse.SUPPRESS
    )
    parser.set_defaults(run=run)
    target = add_study_settings(parser)
    parser.set_defaults(space=None)
    flag(parser, "--resume", text="SPACE is the name of a study there: resume it")
    flag(parser, "--force", text="resume it with other software or other code")
    target.add_argument(
        "--results", metavar="DIR", default="~/xortune-results",
        help="the folder of studies on the cluster's head (default: ~/xortune-results there)",
    )  # fmt: skip
    add_worker_options(parser.add_argument_group("options of the run"))
    add_job_server(parser)


def run(arguments: Namespace, screen: Screen) -> None:
    settings = vars(arguments)
    del settings["command"], settings["run"]
    address, proxy, results = (settings.pop(key) for key in ("address", "proxy", "results"))
    submit = _resumed if settings.pop("resume", False) else _started
    server, id, name = submit(settings, results, address, proxy)
    # The id alone on standard output: JOB=$(xortune submit).
    screen.out.write(f"{id}\n")
    screen.out.flush()
    next_commands = following(server, id, "status", "logs --follow", "wait", "stop", "fetch")
    screen.err.write(
        f"study   {name}, in {visible(results)} on the cluster's head\n{next_commands}\n"
    )


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
    server = job_server(address, proxy)
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
    server = job_server(address, proxy)
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
