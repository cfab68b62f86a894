"""The study that a command reads, and the file that it writes."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from xortune.errors import UsageError

if TYPE_CHECKING:
    from xortune.studies.study import Study


def loaded(arguments: Namespace) -> Study:
    """The study that a command names."""
    from xortune.studies.study import load

    return load(arguments.study, arguments.results)


def write(output: Path, text: str, study: Study) -> None:
    """Writes a command's output to a file, but never over a study's own."""
    try:
        folder = os.path.realpath(study.paths.folder)
        if Path(os.path.realpath(output)).is_relative_to(folder):
            raise UsageError(
                f"--output {output}: the study keeps its own files there. Choose another folder."
            )
        output.write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:  # ValueError: no file can have this name.
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"--output {output}: cannot be written: {reason}. Choose another file."
        ) from None
