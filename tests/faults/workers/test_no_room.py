"""Clusters whose GPUs are taken, or on which no node can have a worker, until one joins."""

import pytest

import xortune
from tests.small_study import SETTINGS, SPACE


@pytest.fixture
def add_node(cluster):
    added = []

    def add(**resources):
        added.append(cluster.add_node(**resources))
        cluster.wait_for_nodes()

    yield add
    for node in added:
        cluster.remove_node(node)


def search(tmp_path, **options):
    return xortune.search(
        SPACE, name="s", runner="ray", results=tmp_path, pack_size=3, **SETTINGS, **options
    )


# What a search does on a full cluster, tests/cluster/test_capacity.py shows in the short part.
@pytest.mark.long
def test_a_search_waits_for_gpus_that_are_taken(
    cluster, plan, add_node, when_there_is_no_room, told, tmp_path
):
    import ray

    add_node(num_cpus=2, num_gpus=1)
    plan.pretend_gpus()
    group = ray.util.placement_group([{"GPU": 0.75}])
    ray.get(group.ready())
    said = when_there_is_no_room(lambda: ray.util.remove_placement_group(group))
    search(tmp_path, device="cuda", gpus_per_worker=0.5)
    (line,) = said
    assert "no worker on cuda has started in 1 s: each asks for CPU 1, GPU 0.5 on one node" in line
    assert "this is free: CPU 4 of 4, GPU 0.25 of 1. The search starts when there is room" in line
    assert sorted(told) == list(range(SETTINGS["trials"]))


@pytest.mark.long
def test_one_device_of_two_without_room_is_reported(
    cluster, plan, add_node, when_there_is_no_room, told, tmp_path
):
    """The workers on CPUs begin; those on a GPU wait."""
    import ray

    add_node(num_cpus=2, num_gpus=1)
    plan.pretend_gpus()
    group = ray.util.placement_group([{"GPU": 1}])
    ray.get(group.ready())
    said = when_there_is_no_room(lambda: ray.util.remove_placement_group(group))
    search(tmp_path, device="both")
    assert [line.partition(" has")[0] for line in said] == ["no worker on cuda"]
    assert sorted(told) == list(range(SETTINGS["trials"]))


@pytest.mark.long
def test_a_search_waits_for_a_node_that_can_have_a_worker(
    cluster, plan, add_node, when_there_is_no_room, told, tmp_path
):
    """A GPU beside no CPU is of no use."""
    add_node(num_cpus=0, num_gpus=1)
    plan.pretend_gpus()
    said = when_there_is_no_room(lambda: add_node(num_cpus=1, num_gpus=1))
    search(tmp_path, device="cuda")
    (line,) = said
    assert "no node has that much, even if all of it were free" in line
    assert "The search starts when such a node joins" in line
    assert sorted(told) == list(range(SETTINGS["trials"]))
