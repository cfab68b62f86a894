"""Both engines, for tests of what holds for either."""

from __future__ import annotations

import shutil

import pytest

from xortune.engines.xor.native import Step, built_step, load_step


@pytest.fixture(scope="session")
def compiled_step() -> Step:
    if not any(map(shutil.which, ("cc", "gcc", "clang"))):
        pytest.skip("there is no C compiler")
    return load_step(built_step())


@pytest.fixture(scope="session", params=["eager", "compiled"])
def step(request: pytest.FixtureRequest) -> Step | None:
    """What `train_pack` is given for each of the engines."""
    return None if request.param == "eager" else request.getfixturevalue("compiled_step")
