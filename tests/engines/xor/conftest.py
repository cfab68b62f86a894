"""Both engines, for tests of what holds for either."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.engines.xor.native.compiling import CHANGES, compile_library
from xortune.engines.engine import Engine
from xortune.engines.xor.engines import CompiledEngine, EagerEngine
from xortune.engines.xor.kernels import Kernels
from xortune.engines.xor.native import build, built_library, load_library

MakeEngine = Callable[..., Engine]
MakeKernels = Callable[..., Kernels]


@pytest.fixture(scope="session")
def library() -> bytes:
    if not any(map(shutil.which, ("cc", "gcc", "clang"))):
        pytest.skip("there is no C compiler")
    return built_library()


@pytest.fixture(scope="session")
def changed_libraries(library, tmp_path_factory) -> dict[str, Path]:
    """What comes of each of `CHANGES`, by the text that it replaces."""
    folder, text = tmp_path_factory.mktemp("changed"), build._SOURCE.read_text()

    def compiled(number: int) -> Path:
        old, new = CHANGES[number]
        assert old in text
        source = folder / f"{number}.c"
        source.write_text(text.replace(old, new))
        return compile_library(source, source.with_suffix(".so"))

    with ThreadPoolExecutor(2) as threads:
        made = [*threads.map(compiled, range(len(CHANGES)))]
    return {old: library for (old, _), library in zip(CHANGES, made)}


@pytest.fixture(scope="session")
def compiled(library) -> MakeEngine:
    """The compiled engine, for `xor` or other data."""
    return lambda data="xor": CompiledEngine(data, library)


@pytest.fixture(scope="session")
def eager() -> MakeEngine:
    return lambda data="xor": EagerEngine(data)


@pytest.fixture(scope="session", params=["eager", "compiled"])
def engine(request: pytest.FixtureRequest) -> MakeEngine:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def compiled_kernels(library) -> MakeKernels:
    from xortune.engines.xor.native.block import CompiledKernels

    return lambda data="xor": CompiledKernels(data, load_library(library), 4096)


@pytest.fixture(scope="session")
def eager_kernels() -> MakeKernels:
    from xortune.engines.xor.eager import EagerKernels

    return lambda data="xor": EagerKernels(data, "cpu", 4096)


@pytest.fixture(scope="session", params=["eager", "compiled"])
def kernels(request: pytest.FixtureRequest) -> MakeKernels:
    """What trains and measures the blocks of each of the engines."""
    return request.getfixturevalue(f"{request.param}_kernels")
