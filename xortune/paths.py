"""The file names of a study, and the folders of studies and shipped search spaces."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from xortune.errors import UsageError
from xortune.wording import command, option

DEFAULT_RESULTS = Path("results")
_PACKAGE = Path(__file__).resolve().parent
# Wheels hold the files inside the package; a checkout has them beside it.
_SHIPPED = (_PACKAGE / "search_spaces", _PACKAGE.parent / "search_spaces")
PARTIAL = ".partial"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class _In:
    """A path in the folder of a study."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, paths: StudyPaths, owner: object) -> Path:
        return paths.folder / self._name


@dataclass(frozen=True)
class StudyPaths:
    """The files of a study, in its folder `results/<study>`."""

    folder: Path

    ledger = _In("study.db")
    journal = _In("study.db-journal")  # SQLite's, during a transaction and after a kill in one
    lock = _In(".lock")  # held by the driver that may write
    driver = _In(".driver")  # names the process that holds the lock
    partial = _In(PARTIAL)  # partially written; a kill may leave it, the next write replaces it
    trials_csv = _In("trials.csv")
    trials_parquet = _In("trials.parquet")
    tensorboard = _In("tensorboard")
    report = _In("report.html")  # written when it is asked for

    @property
    def name(self) -> str:
        return self.folder.absolute().name

    @property
    def log(self) -> tuple[Path, Path]:
        """SQLite's, while another program has the ledger in WAL mode."""
        return self.folder / "study.db-wal", self.folder / "study.db-shm"

    def is_bare(self) -> bool:
        """Whether the folder holds files, and only those of a search before its first trial."""
        first = {self.lock, self.driver, self.partial, self.ledger, self.journal, *self.log}
        found = {*self.folder.iterdir()} if self.folder.is_dir() else set()
        return bool(found) and first.issuperset(found)

    def run(self, number: int) -> Path:
        """The folder of one trial's TensorBoard run."""
        return self.folder / f"tensorboard/trial-{number:05d}"  # one join, since it is called often


def shipped_spaces() -> dict[str, Path]:
    """The files of the shipped search spaces, by name."""
    folder = next((folder for folder in _SHIPPED if folder.is_dir()), None)
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))} if folder else {}


def as_path(setting: str, value: object) -> Path:
    """The value of a setting as a path; raises UsageError if it is neither text nor a path."""
    if isinstance(value, str | Path) and "\0" not in str(value):
        return Path(value)
    raise UsageError(f"{option(setting)} {value!r}: expected the path of a folder, as text.")


def new_study(results: Path, name: str) -> StudyPaths:
    """Paths for a study that does not exist yet; creates nothing.

    Raises:
        UsageError: the name is not a plain folder name, or is taken.
    """
    check_name(name)
    paths = StudyPaths(results / name)
    if os.path.lexists(paths.folder):
        resume = f", or resume it: {command('resume', str(paths.folder))}"
        raise UsageError(
            f"{option('name')} {name!r}: {paths.folder} exists already. Choose another "
            f"{option('name')}{resume if paths.ledger.exists() else '.'}"
        )
    return paths


def is_study(results: Path, name: str) -> bool:
    """Whether a results folder holds a study; raises UsageError for an invalid name."""
    check_name(name)
    return StudyPaths(results / name).ledger.is_file()


def numbered(name: str) -> Iterator[str]:
    """The name, then `name-2`, `name-3`, and so on."""
    yield name
    for number in count(2):
        yield f"{name}-{number}"


def check_name(name: str) -> None:
    """Raises UsageError for an invalid name of a study."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UsageError(
            f"{option('name')} {name!r}: a study's name is one folder name of letters, digits, "
            "'.', '_' and '-', at most 100 characters, not starting with a punctuation "
            f"mark. Use {option('results')} to choose the folder that holds it."
        )


def check_writable(results: Path) -> None:
    """Raises UsageError unless a study can be created in a results folder; leaves no trace."""
    import tempfile  # with four modules more: `--help` needs none of them

    ancestor = results
    while not os.path.lexists(ancestor) and ancestor != ancestor.parent:
        ancestor = ancestor.parent
    try:
        with suppress(FileNotFoundError):
            results.lstat()  # finds names that are too long, and symlink loops
        Path(tempfile.mkdtemp(prefix=".xortune-", dir=ancestor)).rmdir()
    except OSError as error:
        raise UsageError(
            f"{option('results')} {results}: nothing can be written in {ancestor}: "
            f"{error.strerror}. Choose another folder."
        ) from None


def find_study(study: str | Path, results: Path) -> StudyPaths:
    """Paths of an existing study, by its path or its name in the results folder.

    Raises:
        UsageError: there is no such study; names the existing ones.
    """
    candidates = [Path(study), results / study]
    for paths in map(StudyPaths, candidates):
        try:
            if paths.ledger.is_file():
                return paths
            if paths.is_bare():
                raise not_begun(paths)
        except OSError as error:
            text = f"no study {str(study)!r}: {paths.folder}: {error.strerror}."
            raise UsageError(text) from None
    first, second = candidates
    places = f"{first} does not hold" if first == second else f"neither {first} nor {second} holds"
    raise UsageError(f"no study {str(study)!r}: {places} a study.db. {_known_studies(results)}")


def studies_in(results: Path) -> list[StudyPaths]:
    """The studies in a results folder, by name; empty if it cannot be read."""
    try:
        return [StudyPaths(ledger.parent) for ledger in sorted(results.glob("*/study.db"))]
    except OSError:
        return []


def not_begun(paths: StudyPaths) -> UsageError:
    """The error for a study whose creation was interrupted."""
    return UsageError(
        f"study {paths.name} was never started: {paths.folder} has no trials, probably because the "
        "search was stopped while creating it. Remove the folder, and start the search again."
    )


def _known_studies(results: Path) -> str:
    names = [paths.name for paths in studies_in(results)]
    if not names:
        return f"There are no studies in {results} yet; use {option('results')} for another folder."
    shown = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    return f"Studies in {results}: {shown}."
