"""Nodes that are lost, that join late, and that keep losing packs."""

import pytest

import xortune
from tests.small_study import SETTINGS, SPACE, check_undisturbed
from xortune.cluster.runner import RayRunner
from xortune.cluster.session.liveness import Connection, Liveness
from xortune.settings import RunOptions

SMALL_PACKS = {"runner": "ray", "pack_size": 3}
# A training takes seconds: there is time to join.
SLOW = {**SPACE, "lr": {"values": [0.1, 1.0, 10.0]}, "epochs": {"value": 10_000_000}}


@pytest.fixture
def another_node(cluster):
    """A third node, which a test may take away."""
    node = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    yield node
    if node in cluster.list_all_nodes():
        cluster.remove_node(node)


def search(tmp_path, **options):
    return xortune.search(
        SPACE, name="s", results=tmp_path, **{**SETTINGS, **SMALL_PACKS, **options}
    )


def test_a_node_is_lost_with_its_workers(cluster, another_node, undisturbed, plan, told, tmp_path):
    def take_away(progress):
        if progress.done and another_node in cluster.list_all_nodes():
            cluster.remove_node(another_node, allow_graceful=False)

    study = search(tmp_path, on_progress=take_away)
    assert another_node not in cluster.list_all_nodes()
    assert sorted(told) == list(range(SETTINGS["trials"]))
    check_undisturbed(study, undisturbed)


@pytest.mark.long
def test_a_node_that_joins_late_gets_packs(cluster, plan, told, tmp_path):
    late = []

    def join(progress):
        if progress.done and not late:
            late.append(cluster.add_node(num_cpus=1))
            # No fault: signal 0 only leaves a note that there was something to train there.
            plan.write({"moment": "before training", "node": late[0].node_id, "signal": 0})

    slow = {"trials": 12, "generation": 12, "log_every": 1_000_000}
    study = xortune.search(
        SLOW,
        name="s",
        results=tmp_path,
        runner="ray",
        pack_size=1,
        on_progress=join,
        **slow,
    )
    cluster.remove_node(*late)
    assert plan.happened()
    assert sorted(told) == list(range(12))
    alone = xortune.search(SLOW, name="alone", results=tmp_path, runner="inline", **slow)
    check_undisturbed(study, alone)


@pytest.mark.long
def test_a_node_that_keeps_losing_packs_fails_no_trial(
    cluster, another_node, undisturbed, plan, told, tmp_path
):
    """Its losses are not the trials': none is given up, though each has only one retry.

    For a while it is the only one that has workers.
    """
    bad = another_node.node_id
    plan.write(
        {"moment": "before training", "node": bad, "times": 1000},
        {"moment": "created", "not_node": bad, "wait": 3},
    )
    study = search(tmp_path, retries=1)
    assert plan.happened() == 3
    assert sorted(told) == list(range(SETTINGS["trials"]))
    check_undisturbed(study, undisturbed)


@pytest.mark.long
def test_the_search_cuts_its_packs_by_the_nodes_that_there_are(cluster, plan, monkeypatch):
    monkeypatch.setattr("xortune.cluster.node_health._FRESH_S", 0)
    runner = RayRunner(RunOptions(), Connection(Liveness(own=False), lambda: False))
    given = runner._slots_now()
    before = given["cpu"]
    node = cluster.add_node(num_cpus=3)
    cluster.wait_for_nodes()
    runner._slots_now()
    cluster.remove_node(node)
    assert given["cpu"] == before + 3
