"""One Ray for all tests of this folder, as a user's notebook has one, and an oracle."""

import pytest
from studies import SETTINGS, SPACE

import xortune


@pytest.fixture(scope="session")
def ray():
    """A local Ray with two CPUs."""
    from xortune.cluster.connection import connected
    from xortune.settings import RunOptions

    with connected(RunOptions(workers=2)):
        import ray

        yield ray


@pytest.fixture(scope="session")
def oracle(tmp_path_factory):
    """The same search without Ray, in one go."""
    results = tmp_path_factory.mktemp("oracle")
    return xortune.search(SPACE, runner="inline", name="oracle", results=results, **SETTINGS)
