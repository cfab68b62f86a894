"""Imports for a problem's file: the folders it includes, and a refusal of what lies beside it.

A file travels to workers as text, without its folder. A module beside it would therefore import
here, and nowhere else.
"""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import NamedTuple


class Source(NamedTuple):
    """The text of a module."""

    filename: str  # the name under which tracebacks show it
    text: str
    is_package: bool
    path: Path | None = None  # where it was read, which may have been another machine


class _Included(MetaPathFinder, InspectLoader):
    """Imports modules from texts."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = sources

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        source = self._sources.get(name)
        if source is None:
            return None
        return spec_from_loader(name, self, origin=source.filename, is_package=source.is_package)

    def get_source(self, fullname: str) -> str:
        return self._sources[fullname].text

    def is_package(self, fullname: str) -> bool:
        return self._sources[fullname].is_package

    def exec_module(self, module: ModuleType) -> None:
        source = self._sources[module.__name__]
        # Where the file lies, the module finds what lies beside it.
        is_here = source.path is not None and is_file(source.path)
        module.__file__ = str(source.path) if is_here else source.filename
        run_text(source.text, source.filename, module)


class _Beside(MetaPathFinder):
    """Refuses modules that lie beside the file, unless they are installed as well."""

    def __init__(self, names: Iterable[str], folder: str | None, remedy: str) -> None:
        self._names = frozenset(names) - {*sys.builtin_module_names}
        self._away = {"", *([folder] if folder else [])}
        self._remedy = remedy

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None or name not in self._names:
            return None
        elsewhere = [entry for entry in sys.path if _real(entry) not in self._away]
        spec = PathFinder.find_spec(name, elsewhere)
        if spec is None or spec.loader is None:
            raise ModuleNotFoundError(f"No module named {name!r}: {self._remedy}", name=name)
        return spec


def is_file(path: Path) -> bool:
    """Whether there is such a file here, as far as this process may know."""
    try:
        return path.is_file()
    except OSError:  # A folder of the same name may be another user's.
        return False


def _real(entry: str) -> str:
    return os.path.realpath(entry) if entry else ""


def run_text(text: str, filename: str, module: ModuleType) -> None:
    """Runs a text as a module whose tracebacks show its lines, though there is no such file."""
    # Without a time of change, the lines are never looked for on disk.
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    exec(compile(text, filename, "exec", dont_inherit=True), module.__dict__)


@contextmanager
def imports(
    sources: Mapping[str, Source], beside: Iterable[str], folder: Path | None, remedy: str
) -> Iterator[None]:
    """While entered, included modules can be imported, and modules beside the file cannot.

    Args:
        sources: the included modules, by name.
        beside: the names of the modules beside the file.
        folder: the file's folder, where it is known.
        remedy: the end of the message about a module beside the file.
    """
    here = None if folder is None else str(folder.resolve())
    finders = [_Included(sources), _Beside({*beside} - {*sources}, here, remedy)]
    hidden = {name: sys.modules.pop(name) for name in sources if name in sys.modules}
    sys.meta_path[:0] = finders
    try:
        yield
    finally:
        for finder in finders:
            sys.meta_path.remove(finder)
        # Another search of this process may include other modules of the same names.
        for name in sources:
            sys.modules.pop(name, None)
        sys.modules.update(hidden)
