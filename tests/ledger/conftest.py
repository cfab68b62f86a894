"""A study that a test may change."""

import shutil
from pathlib import Path

import pytest

from xortune.paths import StudyPaths


@pytest.fixture
def paths(original, tmp_path) -> StudyPaths:
    """A copy of the study that a file has made once as `original`."""
    return StudyPaths(Path(shutil.copytree(original.folder, tmp_path / "one")))
