"""The command lines that jobs run on the cluster."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from xortune.errors import UsageError
from xortune.wording import option


def cluster_folder(results: str) -> str:
    """A folder on the cluster's machine as a word for its shell.

    Raises:
        UsageError: it is relative to the folder in which the job happens to run.
    """
    if results.startswith("~/"):
        return f'"$HOME"/{shlex.quote(results[2:])}'
    if not PurePosixPath(results).is_absolute():
        raise UsageError(
            f"{option('results')} {results}: is on the cluster's machine, so give an absolute "
            "path, or one that starts with '~/'."
        )
    return shlex.quote(results)


def entrypoint_of(command: list[str], settings: Mapping[str, Any], results: str) -> str:
    """The command of a job, for the cluster's shell. It joins the cluster that it runs on.

    Args:
        command: the words of a command of xortune.
        settings: its options, by their names in Python.
        results: the results folder on the cluster's machine.
    """
    words = ["exec", "python", "-m", "xortune", *command, "--address=auto"]
    options = dict(settings)
    for flag, key in (("--set", "narrow"), ("--include", "include")):
        words += [f"{flag}={text}" for text in options.pop(key, ())]
    for key, value in options.items():
        flag = f"--{key.replace('_', '-')}"
        words.append(flag if value is True else f"{flag}={value}")
    return f"{shlex.join(words)} --results {cluster_folder(results)}"
