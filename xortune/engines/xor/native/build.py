"""Compiling step.c, once for every user and machine."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from xortune.engines.xor.native.library import load_library
from xortune.errors import NoEngineError

_SOURCE = Path(__file__).with_name("step.c")
_COMPILERS = ("cc", "gcc", "clang")
# None of these changes a finite result: contraction is off, and none permits reordering.
# `finite-math` and `signed-zeros` make a clamp one instruction. The C code selects wider
# instructions at run time, so a library runs on every processor of an architecture, and workers
# need no compiler.
_FLAGS = (
    *("-std=gnu11", "-O3", "-shared", "-fPIC"),
    *("-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"),
    *("-ffinite-math-only", "-fno-signed-zeros"),
    *(("-mprefer-vector-width=512",) if platform.machine() in ("x86_64", "AMD64") else ()),
)
_SECONDS = 60


def built_library() -> bytes:
    """The shared library, from the cache or compiled, which takes a third of a second.

    A cache that is damaged, cannot be written, or is not the user's own is ignored.

    Raises:
        NoEngineError: there is no C compiler, or it fails; the message says which.
    """
    compiler = _compiler()
    cached = _cache_file(compiler)
    if cached is not None and (library := _read(cached)) is not None:
        with suppress(NoEngineError):
            load_library(library)
            return library
    library = _compile(compiler)
    load_library(library)
    if cached is not None:
        with suppress(OSError):
            _write(cached, library)
    return library


def _compiler() -> str:
    wanted = os.environ.get("CC")
    found = next(filter(None, map(shutil.which, (wanted,) if wanted else _COMPILERS)), None)
    if found is not None:
        return found
    where = f"CC={wanted}" if wanted else f"one of {', '.join(_COMPILERS)}"
    raise NoEngineError(f"no C compiler was found ({where})")


def _compile(compiler: str) -> bytes:
    try:
        with tempfile.TemporaryDirectory(prefix="xortune-") as folder:
            target = Path(folder, "step.so")
            command = [compiler, *_FLAGS, str(_SOURCE), "-o", str(target), "-lm"]
            subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)
            return target.read_bytes()
    except subprocess.CalledProcessError as error:
        lines = error.stderr.decode(errors="replace").strip().splitlines()
        reason = lines[0] if lines else f"exit code {error.returncode}"
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = str(error)
    raise NoEngineError(f"{compiler} failed: {reason}")


def _cache_file(compiler: str) -> Path | None:
    """A file named after everything that the library depends on; None without a home folder."""
    key = hashlib.sha256(_SOURCE.read_bytes())
    status = Path(compiler).stat()
    parts = (*_FLAGS, compiler, status.st_size, status.st_mtime_ns)
    for part in (*parts, platform.system(), platform.machine(), platform.libc_ver()):
        key.update(f"\0{part}".encode())
    caches = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # By the XDG specification a relative path is ignored; it would be in the current folder.
    if not caches.is_absolute():
        try:
            caches = Path.home() / ".cache"
        except RuntimeError:
            return None
    return caches / "xortune" / f"step-{key.hexdigest()[:32]}"


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
