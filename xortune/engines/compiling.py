"""Compiling C, once for every user and machine."""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from xortune.errors import NoEngineError

_log = logging.getLogger("xortune")
_COMPILERS = ("cc", "gcc", "clang")


@dataclass(frozen=True)
class Sources:
    """What a library is made of.

    Attributes:
        name: of the library.
        files: to compile.
        headers: that they include, in the same folder.
        flags: for the compiler.
        seconds: the most that it may take.
        slow: whether it takes so long that the user is told.
    """

    name: str
    files: tuple[Path, ...]
    headers: tuple[Path, ...]
    flags: tuple[str, ...]
    seconds: float = 60
    slow: bool = False


def compiled(sources: Sources, check: Callable[[bytes], object]) -> bytes:
    """The shared library, from the cache or compiled.

    A cache that is damaged, cannot be written, or is not the user's own is ignored.

    Args:
        sources: of the library.
        check: raises NoEngineError for a library that cannot be used.

    Raises:
        NoEngineError: there is no C compiler, or it fails; the message says which.
    """
    compiler = found_compiler()
    cached = _cache_file(sources, compiler)
    if cached is not None and (library := _read(cached)) is not None:
        with suppress(NoEngineError):
            check(library)
            return library
    if sources.slow:
        _log.info("compiling the engine for this machine, which takes some seconds.")
    library = _compile(sources, compiler)
    check(library)
    if cached is not None:
        try:
            _write(cached, library)
        except OSError as error:
            if sources.slow:
                _log.warning(f"the engine will be compiled at every start, since {error}.")
    return library


def found_compiler() -> str:
    """The C compiler of this machine; raises NoEngineError without one."""
    wanted = os.environ.get("CC")
    found = next(filter(None, map(shutil.which, (wanted,) if wanted else _COMPILERS)), None)
    if found is not None:
        return found
    where = f"CC={wanted}" if wanted else f"one of {', '.join(_COMPILERS)}"
    if wanted and len(wanted.split()) > 1:
        where += ", which has to be one program, without arguments"
    raise NoEngineError(f"no C compiler was found ({where})")


def _compile(sources: Sources, compiler: str) -> bytes:
    try:
        with tempfile.TemporaryDirectory(prefix="xortune-") as folder:
            target = Path(folder, f"{sources.name}.so")
            files = [*map(str, sources.files)]
            start = [compiler, *sources.flags]
            if len(files) > 1:
                objects = [str(Path(folder, f"{file.stem}.o")) for file in sources.files]
                pairs = zip(files, objects)
                _run([[*start, "-c", file, "-o", made] for file, made in pairs], sources.seconds)
                files = objects
            _run([[*start, *files, "-o", str(target), "-lm"]], sources.seconds)
            return target.read_bytes()
    except subprocess.CalledProcessError as error:
        lines = error.stderr.decode(errors="replace").strip().splitlines()
        reason = lines[0] if lines else f"exit code {error.returncode}"
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = str(error)
    raise NoEngineError(f"{compiler} failed: {reason}")


def _run(commands: Sequence[list[str]], seconds: float) -> None:
    """Runs commands side by side, in sessions of their own, so that no Ctrl-C ends them."""
    with ExitStack() as stack:
        for command in commands:
            process = stack.enter_context(
                subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                )
            )
            stack.callback(process.kill)
            stack.callback(_finished, process, seconds)


def _finished(process: subprocess.Popen[bytes], seconds: float) -> None:
    _, errors = process.communicate(timeout=seconds)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args, stderr=errors)


def _cache_file(sources: Sources, compiler: str) -> Path | None:
    """A file named after everything that the library depends on; None without a home folder."""
    key = hashlib.sha256()
    for file in (*sources.files, *sources.headers):
        key.update(file.read_bytes())
    status = Path(compiler).stat()
    parts = (*sources.flags, compiler, status.st_size, status.st_mtime_ns)
    for part in (*parts, platform.system(), platform.machine(), platform.libc_ver()):
        key.update(f"\0{part}".encode())
    caches = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # By the XDG specification a relative path is ignored; it would be in the current folder.
    if not caches.is_absolute():
        try:
            caches = Path.home() / ".cache"
        except RuntimeError:
            return None
    return caches / "xortune" / f"{sources.name}-{key.hexdigest()[:32]}"


def _read(cached: Path) -> bytes | None:
    """The library, which follows its digest; None if damaged, or writable by others."""
    try:
        with cached.open("rb") as file:
            status = os.fstat(file.fileno())
            if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o022):
                return None
            digest, library = file.read(32), file.read()
    except OSError:
        return None
    return library if hashlib.sha256(library).digest() == digest else None


def _write(cached: Path, library: bytes) -> None:
    cached.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=cached.parent)
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(library).digest() + library)
        partial.replace(cached)
    finally:
        partial.unlink(missing_ok=True)
