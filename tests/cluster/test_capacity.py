"""A Ray without room for a worker: said, waited for, or refused at once."""

import subprocess
import sys

import pytest
from pandas.testing import assert_frame_equal

import xortune
from tests.small_study import SETTINGS, SPACE, answer
from xortune.errors import UsageError

WITHOUT_CPU = """
import ray, xortune
ray.init(address="local", num_cpus=0, include_dashboard=False, object_store_memory=100_000_000)
xortune.search("smoke", runner="ray", results={results!r})
"""


@pytest.fixture
def hold(ray):
    """Takes resources of the cluster, until what it returns is called."""
    held = []

    def take(**resources):
        group = ray.util.placement_group([resources])
        ray.get(group.ready())
        held.append(group)
        return lambda: ray.util.remove_placement_group(group)

    yield take
    for group in held:
        ray.util.remove_placement_group(group)


def test_a_search_reports_a_full_cluster_and_waits(
    ray, hold, when_there_is_no_room, oracle, tmp_path
):
    said = when_there_is_no_room(hold(CPU=2))
    study = xortune.search(SPACE, runner="ray", name="s", results=tmp_path, **SETTINGS)
    (line,) = said
    assert line == (
        "no worker on cpu has started in 1 s: each asks for CPU 1 on one node, and this is free: "
        "CPU 0 of 2. The search starts when there is room; Ctrl-C stops it."
    )
    assert_frame_equal(answer(study), answer(oracle), check_exact=True)


def test_no_warning_where_some_of_the_workers_start(ray, hold, when_there_is_no_room, tmp_path):
    said = when_there_is_no_room()
    hold(CPU=1)
    study = xortune.search(
        SPACE, runner="ray", name="s", results=tmp_path, workers=8, pack_size=1, **SETTINGS
    )
    assert len(study.trials) == SETTINGS["trials"]
    assert said == []


def test_a_ray_of_this_process_that_is_too_small_is_refused_at_once(ray, tmp_path, monkeypatch):
    monkeypatch.setattr("xortune.cluster.runner._need", lambda device, share: {"CPU": 3.0})
    with pytest.raises(UsageError, match="no room for a worker on cpu: each takes CPU 3, and it"):
        xortune.search("smoke", runner="ray", results=tmp_path / "results")
    assert not (tmp_path / "results").exists()


@pytest.mark.long
def test_a_ray_of_this_process_without_a_cpu_is_refused_at_once(tmp_path):
    script = WITHOUT_CPU.format(results=str(tmp_path / "results"))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=100
    )
    assert "UsageError: the Ray of this process has no room for a worker on cpu" in done.stderr
    assert "each takes CPU 1, and it has CPU 0. Call ray.shutdown() first" in done.stderr
    assert not (tmp_path / "results").exists()
