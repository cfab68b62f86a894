"""What tests of faults compare with."""

import pytest

import xortune
from tests.small_study import SETTINGS, SPACE


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """The study of `studies`, searched without Ray, in one go."""
    results = tmp_path_factory.mktemp("undisturbed")
    return xortune.search(SPACE, runner="inline", name="undisturbed", results=results, **SETTINGS)
