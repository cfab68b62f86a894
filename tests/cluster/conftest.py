"""One Ray for all tests of this folder, as a user's notebook has one, and an oracle."""

import pytest

import xortune
from tests.small_study import SETTINGS, SPACE


@pytest.fixture(scope="session")
def ray():
    """A local Ray with two CPUs, which is the user's, though started as a search starts one."""
    import ray

    from xortune.cluster.ray_internals import muted
    from xortune.cluster.session import connection
    from xortune.settings import RunOptions

    with muted(), connection._token_and_folder() as folder:
        connection._start(RunOptions(workers=2), folder)
        yield ray
        ray.shutdown()


@pytest.fixture(scope="session")
def oracle(tmp_path_factory):
    """The same search without Ray, in one go."""
    results = tmp_path_factory.mktemp("oracle")
    return xortune.search(SPACE, runner="inline", name="oracle", results=results, **SETTINGS)
