"""What TensorBoard shows: the runs of one study, or of all studies of a results folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from xortune.errors import UsageError
from xortune.ledger import Ledger
from xortune.paths import StudyPaths, as_path, studies_in
from xortune.spec import ProblemSpec
from xortune.studies.study import Study, load
from xortune.tensorboard.folders import has_runs
from xortune.tensorboard.tags import address_of_curves
from xortune.wording import command, option

_MOST_SELECTED = 500  # runs that TensorBoard selects, and so draws, by itself


@dataclass(frozen=True)
class Board:
    """Runs to serve.

    Attributes:
        title: the study, or the folder of all.
        folder: whose runs are served.
        address: what follows the host and the port, to open on the curves.
        notes: on what TensorBoard cannot do with them.
    """

    title: str
    folder: Path
    address: str
    notes: tuple[str, ...]


@contextmanager
def served(study: str | Path | None, results: Path, top: int | None = None) -> Iterator[Board]:
    """Runs to serve for as long as it is entered.

    Args:
        study: as for `load`; None for all studies of the results folder.
        results: the results folder.
        top: serves only so many of the study's best trials.

    Raises:
        UsageError: there is no such study, or no run.
    """
    if study is not None:
        found = load(study, results)
        check_runs(found.paths)
        if top is None:
            yield _board_of(found)
        else:
            with tempfile.TemporaryDirectory(prefix="xortune-runs-") as scratch:
                yield _board_of_best(found, top, Path(scratch))
        return
    if top is not None:
        raise UsageError(f"{option('top')} {top}: is for the trials of one study. Name a study.")
    yield _board_of_all(as_path("results", results))


def check_runs(paths: StudyPaths) -> None:
    """Raises UsageError for a study without runs; says how to write them."""
    if not has_runs(paths.tensorboard):
        how = command("resume", str(paths.folder), tensorboard="all")
        raise UsageError(f"study {paths.name} has no TensorBoard runs. Write them with: {how}")


def _board_of(study: Study) -> Board:
    folder = study.paths.tensorboard
    count = _runs_in(folder)
    notes: tuple[str, ...] = ()
    if count > _MOST_SELECTED:
        notes = (
            f"TensorBoard draws up to {_MOST_SELECTED} runs unasked, and there are {count}: tick "
            f"the box above their list, or serve the best with {option('top', '100')}.",
        )
    return _board(f"study {study.name}", folder, [study.settings.spec], notes)


def _board_of_best(study: Study, top: int, scratch: Path) -> Board:
    from xortune.loop.run_queue import best_numbers

    with Ledger.read(study.paths) as ledger:
        numbers = best_numbers(ledger.trials(), top)
    for number in numbers:
        run = study.paths.run(number).absolute()
        if run.is_dir():
            (scratch / run.name).symlink_to(run)
    title = f"the best {len(numbers)} trials of study {study.name}"
    return _board(title, scratch, [study.settings.spec])


def _board_of_all(results: Path) -> Board:
    specs, count = [], 0
    for paths in studies_in(results):
        try:
            specs.append(load(paths.folder, results).settings.spec)
        except UsageError:  # The others can be read.
            continue
        count += _runs_in(paths.tensorboard)
    if not has_runs(results):
        raise UsageError(
            f"there are no studies with TensorBoard runs in {results}. Search first, or use "
            f"{option('results')} for another folder."
        )
    notes: tuple[str, ...] = ()
    if count > _MOST_SELECTED:
        notes = (
            f"TensorBoard draws up to {_MOST_SELECTED} runs unasked, and there are {count}: "
            "filter them by the name of a study, and tick the box above their list.",
        )
    return _board(f"all studies in {results}", results, specs, notes)


def _board(
    title: str, folder: Path, specs: Sequence[ProblemSpec], notes: tuple[str, ...] = ()
) -> Board:
    return Board(title, folder.absolute(), address_of_curves(specs), notes)


def _runs_in(folder: Path) -> int:
    try:
        return sum(name.startswith("trial-") for name in os.listdir(folder))  # noqa: PTH208
    except OSError:
        return 0
