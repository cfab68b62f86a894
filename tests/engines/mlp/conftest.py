"""The C code as it was built, and a skip where it cannot be."""

from __future__ import annotations

import shutil

import pytest

from xortune.engines.mlp.checked import load_library
from xortune.engines.mlp.native.build import built_library
from xortune.engines.mlp.native.library import CFunctions


@pytest.fixture(scope="session")
def functions() -> CFunctions:
    return load_library(built_library())


@pytest.fixture(autouse=True)
def only_with_a_compiler() -> None:
    if not any(map(shutil.which, ("cc", "gcc", "clang"))):
        pytest.skip("there is no C compiler")
