"""The HTML report of a study: collects what it shows, and writes it."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xortune.errors import UsageError, XortuneError
from xortune.escaping import shell_word, visible
from xortune.ledger.study_lock import is_at_work
from xortune.paths import StudyPaths
from xortune.plain_numbers import brief
from xortune.settings import StudySettings
from xortune.studies.problems import kind_of, resumed
from xortune.studies.reproduction import (
    SPACE_FILE,
    confirm_command,
    named_again,
    resume_command,
    search_command,
    space_text,
)
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.report.page import About, Command, Drawing
    from xortune.report.plots import Picture
    from xortune.report.results import Results
    from xortune.studies.study import Study

_START = 2048  # bytes of a page in which it says what wrote it
_CONFIRM = (
    "A resume of the study with --confirm K:S trains the best K trials again, on S fresh seeds "
    "each. Weigh that against the time of a training."
)


class Pages:
    """The method of `Study` that writes a page."""

    paths: StudyPaths

    def html(
        self, file: str | Path | None = None, *, data: Any = None, force: bool = False
    ) -> Path:
        """Writes the report as one HTML file, which needs no other and no network.

        It may be written while a search runs, and shows what is finished by then.

        Args:
            file: where to; None for `report.html` in the study's folder.
            data: of a study of a table: its data, named again, to show the predictions of the
                test rows beside the truth.
            force: whether another file there may be replaced; a report always is.

        Returns:
            The file.

        Raises:
            UsageError: the file is not a report, or cannot be written; or the data is not the
                study's, or its search has not ended.

        Example:
            study.html("report.html")
        """
        study: Any = self
        target = _checked(study, self.paths.report if file is None else file, force)
        _write(target, page_of(study, data))
        return target


def page_of(study: Study, data: Any = None) -> str:
    """The report as text; see `Pages.html`."""
    from xortune.report.page import html_page
    from xortune.report.plots import pictures
    from xortune.studies.results import results_of

    predicted = None if data is None else _predictions(study, data)
    results = results_of(study)
    shown = pictures(results) + ([predicted] if predicted else [])
    return html_page(results, shown, _drawings(study, data), _about(study, results, data))


def _checked(study: Study, file: Any, force: bool) -> Path:
    """The file to write; raises UsageError if it may not be."""
    if not isinstance(file, str | Path) or not str(file):
        raise UsageError(f"{option('html')} {brief(file)}: expected the path of a file.")
    path = Path(file)
    try:
        own, place = Path(os.path.realpath(study.paths.folder)), _real(path)
        found = path.lstat() if os.path.lexists(path) else None
    except (OSError, ValueError) as error:
        raise _unwritten(path, error) from None
    if place.is_relative_to(own) and place != own / study.paths.report.name:
        raise UsageError(
            f"{option('html')} {file}: the study keeps its own files there. Choose another folder, "
            f"or leave the file out for {study.paths.report}."
        )
    if found is None:
        return path
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "not a regular file"
        raise UsageError(f"{option('html')} {file}: is {kind}. Name a file.")
    if not force and not _is_report(path):
        raise UsageError(
            f"{option('html')} {file}: exists, and is not a report of xortune. Choose another "
            f"file, or replace it, with {option('force', True)}."
        )
    return path


def _real(path: Path) -> Path:
    """A path without links, except that its last part may be one."""
    return Path(os.path.realpath(path.parent), path.name)


def _is_report(path: Path) -> bool:
    from xortune.report.page import GENERATOR

    try:
        with path.open("rb") as file:
            start = file.read(_START)
    except OSError as error:
        raise _unwritten(path, error) from None
    return f'<meta name="generator" content="{GENERATOR} '.encode() in start


def _write(path: Path, text: str) -> None:
    """Replaces a file atomically."""
    # A name of its own: a search may write in the same folder meanwhile.
    partial = path.parent / f".{path.name[:200]}.{os.getpid()}"
    try:
        partial.write_bytes(text.encode())
        partial.replace(path)
    except (OSError, ValueError) as error:
        with suppress(OSError, ValueError):
            partial.unlink()
        raise _unwritten(path, error) from None


def _unwritten(path: Path, error: OSError | ValueError) -> UsageError:
    reason = getattr(error, "strerror", None) or error
    return UsageError(f"{option('html')} {path}: cannot be written: {reason}. Choose another file.")


def _about(study: Study, results: Results, data: Any) -> About:
    from xortune.report.page import About, Command

    command, needs_file = search_command(study)
    again = "Search the same space in the same way again:"
    if needs_file:
        again = f"Search the same space again, with the file {SPACE_FILE} below:"
    is_running = is_at_work(study.paths)
    # A study at work cannot be resumed.
    going_on = None if is_running else resume_command(study)
    confirm_words, confirm = ("", None) if is_running else _confirm(study, results)
    test_rows, add = _about_test_rows(study, data)
    return About(
        total=study.settings.trials,
        is_running=is_running,
        reproduce=[Command(again, visible(command))],
        space_text=space_text(study.settings.space) if needs_file else "",
        resume=None if going_on is None else Command(going_on[0], visible(going_on[1])),
        confirm=confirm,
        confirm_words=confirm_words,
        test_rows=test_rows,
        add_test_rows=add,
    )


def _confirm(study: Study, results: Results) -> tuple[str, Command | None]:
    """How to confirm the best trials, in words or as a command; neither where that is done."""
    from xortune.report.page import Command

    if "confirmation" in results.summary or not results.summary["states"].get("COMPLETE"):
        return "", None
    if (text := confirm_command(study, results.trials)) is None:
        return _CONFIRM, None
    return "", Command("Train the best again on fresh seeds:", visible(text))


def _about_test_rows(study: Study, data: Any) -> tuple[str, Command | None]:
    """Why the page has no predictions of test rows, and the command that adds them."""
    from xortune.report.page import Command

    if data is not None or not _has_test_rows(study.settings):
        return "", None
    if not _is_over(study):
        return (
            "The test rows are kept for the end of the search, so that nothing is chosen by them.",
            None,
        )
    text = (
        f"python -m xortune report {shell_word(str(study.paths.folder))} --html"
        f"{named_again(study.settings)}"
    )
    words = (
        "A study does not keep its data. Name it again to see here, for each test row, the "
        "prediction beside the truth."
    )
    return words, Command("Write this page with the test rows:", visible(text))


def _has_test_rows(settings: StudySettings) -> bool:
    return kind_of(settings.problem).named_by == "data"


def _is_over(study: Study) -> bool:
    return study.is_finished or study.stopped_by not in (None, "timeout")


def _predictions(study: Study, data: Any) -> Picture | None:
    """The truth and the predictions of the test rows, of the trial to use, or else of the best."""
    from xortune.report.page.predictions import predictions

    if study.settings.problem.get("kind") == "module" and "recipe" in study.settings.problem:
        raise UsageError(
            f"{option('data')}: a page shows the test rows of xortune's own networks, and study "
            f"{study.name} searches a module of your own. Leave {option('data')} out."
        )
    subject = resumed(study.settings, study.name, {"data": data}, force=False)
    if not _is_over(study):
        raise UsageError(
            f"{option('data')}: the search of study {study.name} has not ended, and its test rows "
            f"are kept for the end. Leave {option('data')} out, or resume the study first."
        )
    if not study.has_complete_trial:
        return None
    number = study.recommended_number
    found, weights = study._trained(study.best_number if number is None else number)
    answers = subject.test_answers(found.trial.params, weights)
    return None if answers is None else predictions(found.trial.number, answers)


def _drawings(study: Study, data: Any) -> list[Drawing]:
    """The network of the trial to use, or else of the best, and its answers."""
    from xortune.drawing import network_svg, surface_svg
    from xortune.report.page import Drawing

    number = study.recommended_number
    try:
        number = study.best_number if number is None else number
        network, surface = study.network(number), study.surface(number, data=data)
    except XortuneError:
        return []  # No trial ranks, or its weights are neither kept nor trained again here.
    found = []
    if network is not None:
        words = (
            f"Trial {number} from its inputs to its outputs: an edge is as wide as its weight is "
            "large, and its colour is the sign."
        )
        found.append(Drawing("network", "The trained network", network_svg(network), words))
    if surface is not None:
        rows = ", and its training rows in the colours of their targets" if surface.points else ""
        words = f"What trial {number} answers for every pair of inputs{rows}."
        found.append(Drawing("surface", "What it answers", surface_svg(surface), words))
    return found
