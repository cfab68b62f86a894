"""The code of a problem, as it travels: the text of a file, or a live object of the caller's."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from xortune.errors import UsageError
from xortune.escaping import visible
from xortune.plain_numbers import brief
from xortune.problems.code.faults import Shown, with_folders
from xortune.problems.code.importing import Source, imports, is_file
from xortune.problems.code.includes import Include, read_include, read_text
from xortune.problems.code.loading import loaded_object, loaded_problem
from xortune.problems.declared import Problem
from xortune.problems.sources import code_object
from xortune.wording import option

_LOOKED_AT = 1000  # entries of a folder, which may hold a million


@dataclass(frozen=True)
class Code:
    """A problem's code: all that another process needs to load it.

    Attributes:
        file: the name of its file, without the folder; empty for a live object.
        name: the variable that holds the problem; empty for a live object.
        text: of the file, or of a live object's functions as far as it is known.
        digest: of the text and of what is included; None for a live object without a text.
        includes: the folders whose modules it imports.
        roots: where those were read, in their order; never stored.
        beside: the modules beside the file, which do not travel.
        live: a live object as cloudpickle has written it; None for a file. Never stored.
        folder: the file's folder, where it was read; never stored.
        notes: for the user, such as files that were left out.
        origin: the name of a live object's file, as messages show it.
        given: the file as the caller has named it; it stays on this machine.
        remedy: the option that includes a folder, as the caller spells it.
    """

    file: str
    name: str
    text: str
    digest: str | None
    includes: tuple[Include, ...] = ()
    beside: tuple[str, ...] = ()
    live: bytes | None = field(default=None, repr=False)
    folder: Path | None = field(default=None, compare=False, repr=False)
    notes: tuple[str, ...] = field(default=(), compare=False)
    roots: tuple[Path, ...] = field(default=(), compare=False, repr=False)
    origin: str = field(default="", compare=False)
    given: str = field(default="", compare=False, repr=False)
    remedy: str = field(default_factory=lambda: option("include", "FOLDER"), compare=False)

    @cached_property
    def problem(self) -> Problem:
        """The problem, loaded when it is first asked for.

        Raises:
            UsageError: the code fails, with the user's lines of the traceback.
        """
        with self.imports():
            return self.load()

    def load(self) -> Problem:
        """As `problem`, for a process that stays inside `imports`, and so imports modules once."""
        if self.live is not None:
            problem = loaded_object(self.live)
        else:
            _, problem = self.found()
        self.__dict__["problem"] = problem
        return problem

    def found(self) -> tuple[str, Problem]:
        """The problem of a file, and the variable that holds it; see `loaded_problem`."""
        place = self.filename
        # Where the file lies, the function finds what lies beside it.
        if self.folder is not None and is_file(self.folder / self.file):
            place = str(self.folder / self.file)
        return loaded_problem(self.text, self.filename, self.name, self.shown, place, self.named)

    def without_folders(self, text: str) -> str:
        """A message of the function without its folders, which differ between machines.

        What lies in an included folder keeps that folder's name.
        """
        names = {str(root): include.folder for root, include in zip(self.roots, self.includes)}
        invented = {f"{self._mark}{name}": name for name in names.values()}
        if self.folder is not None:
            here = str(self.folder.resolve())
            if here in names:  # The modules beside the file are included: one folder, one name.
                invented[f"{self._mark}{names[here]}"] = ""
            names |= {str(self.folder): "", here: ""}
        return with_folders(text, {**names, **invented, self._mark.rstrip("/"): ""})

    def imports(self) -> AbstractContextManager[None]:
        """While entered, the modules that it includes can be imported."""
        there = f"it lies beside {self.file}, and was not included; add {self.remedy}"
        return imports(self._sources, self.beside, self.folder, there)

    @property
    def named(self) -> str:
        """What a message begins with: `--problem folder/mine.py`, as the caller has named it."""
        return f"{option('problem')} {self.given or self.file or 'of this session'}"

    @property
    def filename(self) -> str:
        """The name of its file in tracebacks; no path, and another for another text."""
        return f"{self._mark}{self.file}"

    @property
    def shown(self) -> Shown:
        """The names of its files as messages show them."""
        mark = self._mark
        if self.live is None:
            return lambda name: name.removeprefix(mark) if name.startswith(mark) else None
        bodies = map(code_object, self.problem.functions)
        own = {body.co_filename for body in bodies if body is not None}
        return lambda name: self.origin if name in own else None

    @property
    def _mark(self) -> str:
        return f"xortune-{(self.digest or 'live')[:12]}/"

    @property
    def _sources(self) -> dict[str, Source]:
        sources: dict[str, Source] = {}
        for place, include in enumerate(self.includes):
            root = self.roots[place] if self.roots else None
            for name, source in _modules(include, self._mark, root):
                if name not in sources or source.text:
                    sources[name] = source
        return sources

    def __getstate__(self) -> dict[str, Any]:
        """Its fields, without the loaded problem; folders differ between machines."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "given"}


def load_code(source: str | Path | Problem, include: Sequence[str | Path] = ()) -> Code:
    """The code of `FILE.py`, of `FILE.py:NAME`, or of a problem made by the caller; loads it.

    Args:
        source: the file, or the problem.
        include: folders with modules that the file imports.

    Raises:
        UsageError: there is no such file, it fails, or it does not hold one problem.
    """
    if isinstance(source, Problem):
        return _of_object(source, include)
    if not isinstance(source, (str, Path)):
        hint = ""
        if callable(source):
            called = getattr(source, "__name__", "train")
            hint = f" For a function: xortune.Problem({called}, space={{...}})."
            if inspect.isclass(source):
                hint = f" For a module: xortune.Problem(model={called}, ...)."
        raise UsageError(
            f"{option('problem')} {brief(source)}: must be the path of a Python file, or an "
            f"xortune.Problem.{hint}"
        )
    path, name = _split(str(source))
    text = read_text(path, f"{option('problem')} {str(path)!r}")
    includes, notes = _read_includes(include)
    folder = path.absolute().parent
    code = Code(
        path.name, name, text, _digest(text, includes), includes,
        beside=_beside(path), folder=folder, notes=notes, roots=_roots(include),
        remedy=_remedy(folder), given=visible(str(path)),
    )  # fmt: skip
    with code.imports():
        found, problem = code.found()
    code = replace(code, name=found)
    code.__dict__["problem"] = problem
    return code


def _of_object(problem: Problem, include: Sequence[str | Path]) -> Code:
    import cloudpickle

    if include:
        raise UsageError(
            f"{option('include')}: goes with a file. A problem that was made in Python brings "
            "what it needs; its modules have to be installed on the workers."
        )
    try:
        live = cloudpickle.dumps(problem)
    except Exception as error:  # Whatever the objects that it refers to raise.
        raise UsageError(
            f"{option('problem')}: cannot be sent to workers: {type(error).__name__}: {error}. "
            "Create such objects inside the function, or name the problem's file."
        ) from None
    text = problem.text
    body = code_object(problem.functions[0])
    # Taken here, since cloudpickle does not keep it.
    origin = "" if body is None else _of_live(body.co_filename)
    code = Code("", "", text, _digest(text, ()) if text else None, live=live, origin=origin)
    code.__dict__["problem"] = problem
    return code


def _split(source: str) -> tuple[Path, str]:
    """The path and the name in `FILE.py:NAME`; an empty name where none is given."""
    path, colon, name = source.rpartition(":")
    if not (colon and path.endswith(".py") and name.isidentifier()):
        path, name = source, ""
    if not path.endswith(".py") or "\0" in path:
        raise UsageError(
            f"{option('problem')} {brief(source)}: must be a Python file, such as mine.py, or "
            "mine.py:NAME."
        )
    return Path(path), name


def _read_includes(include: Sequence[str | Path]) -> tuple[tuple[Include, ...], tuple[str, ...]]:
    includes: list[Include] = []
    notes: list[str] = []
    for folder in _folders(include):
        read, said = read_include(Path(folder))
        if any(other.folder == read.folder for other in includes):
            raise UsageError(
                f"{option('include')} {str(folder)!r}: two folders are called {read.folder}; "
                "rename one."
            )
        includes.append(read)
        notes += said
    return tuple(includes), tuple(notes)


def _folders(include: Sequence[str | Path]) -> Sequence[str | Path]:
    return [include] if isinstance(include, (str, Path)) else include


def _roots(include: Sequence[str | Path]) -> tuple[Path, ...]:
    return tuple(Path(folder).resolve() for folder in _folders(include))


def _digest(text: str, includes: Sequence[Include]) -> str:
    content = json.dumps([text, [[i.folder, i.files] for i in includes]])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _beside(path: Path) -> tuple[str, ...]:
    """The modules and packages in the file's folder."""
    try:
        entries = sorted(path.parent.iterdir())
    except OSError:
        return ()
    files = [entry.stem for entry in entries if entry.suffix == ".py" and entry != path]
    folders = [entry.name for entry in entries if _is_package(entry)]
    return tuple(name for name in (*files, *folders) if name.isidentifier())


def _remedy(folder: Path) -> str:
    """The option that includes a folder; a path outside the current folder is nobody's business."""
    try:
        return option("include", folder.relative_to(Path.cwd()).as_posix())
    except (OSError, ValueError):
        return option("include", "FOLDER")


def _is_package(entry: Path) -> bool:
    """Whether a folder holds modules, as far as its first entries tell."""
    try:
        return entry.is_dir() and any(
            inner.suffix == ".py" for inner in islice(entry.iterdir(), _LOOKED_AT)
        )
    except OSError:
        return False


def _modules(include: Include, mark: str, root: Path | None) -> Iterator[tuple[str, Source]]:
    """The modules of a folder: below its name, and on their own unless it is a package."""
    is_package = any(path == "__init__.py" for path, _ in include.files)
    for prefix in ((include.folder,),) if is_package else ((include.folder,), ()):
        for path, text in include.files:
            parts = (*prefix, *PurePosixPath(path).with_suffix("").parts)
            inner = parts[-1] == "__init__"
            own = parts[:-1] if inner else parts
            for end in range(1, len(own)):
                # A folder without an __init__.py is a package, too.
                yield ".".join(own[:end]), Source(f"{mark}{'/'.join(own[:end])}", "", True)
            if own:
                filename = f"{mark}{include.folder}/{path}"
                place = None if root is None else root / path
                yield ".".join(own), Source(filename, text, inner, place)


def _of_live(filename: str) -> str:
    """The name of a live function's file; a notebook's cells have none that tells anything."""
    is_cell = filename.startswith("<") or "ipykernel" in filename
    return "the cell" if is_cell else Path(filename).name
