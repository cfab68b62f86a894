"""Both engines, for tests of what holds for either."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from xortune.engines.engine import Engine
from xortune.engines.xor.engines import CompiledEngine, EagerEngine
from xortune.engines.xor.kernels import Kernels
from xortune.engines.xor.native import built_library, load_library

MakeEngine = Callable[..., Engine]
MakeKernels = Callable[..., Kernels]


@pytest.fixture(scope="session")
def library() -> bytes:
    if not any(map(shutil.which, ("cc", "gcc", "clang"))):
        pytest.skip("there is no C compiler")
    return built_library()


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
