"""Replicates, folds, rungs and confirmations on Ray: those of one process, also after a kill."""

import numpy as np
import pytest
from pandas.testing import assert_frame_equal

import xortune
from tests.cluster.test_worker_death import KillOnce
from tests.small_study import answer
from xortune.ledger import Ledger

LAB = {"replicates": 5, "pruner": "halving", "trials": 40, "confirm": "6:32"}
TABLE = {
    "space": {"width": {"values": [4, 8]}, "epochs": {"min": 2, "max": 6}, "lr": {"value": 0.01}},
    "folds": 2, "pruner": "hyperband", "rung_epochs": "2,4", "generation": 12, "trials": 24,
    "confirm": "2:4",
}  # fmt: skip
FUNCTION = {
    "pruner": "median", "rung_epochs": "2,5", "generation": 10, "trials": 30, "confirm": "2:3",
}  # fmt: skip


def train(config, report):
    import random

    for epoch in range(1, 9):
        report(epoch, loss=(config["x"] - 1) ** 2 + random.random() / epoch)


# Functions also train on Ray in test_other_problems.py.
@pytest.fixture(
    params=[
        "table",
        pytest.param("lab", marks=pytest.mark.long),
        pytest.param("function", marks=pytest.mark.long),
    ]
)
def asked(request):
    """The keywords of a search."""
    if request.param == "lab":
        return LAB
    if request.param == "table":
        i = np.arange(80)
        x = np.stack([i % 7, i % 5], axis=1).astype(np.float32)
        return {**TABLE, "data": (x, x[:, 0] * 2 - x[:, 1])}
    space = {"x": {"min": -3.0, "max": 3.0}}
    return {**FUNCTION, "problem": xortune.Problem(train, space=space, metrics=("loss",))}


def test_ray_gives_the_study_of_one_process(ray, asked, tmp_path):
    alone = xortune.search(**asked, name="a", results=tmp_path, runner="inline")
    kill = KillOnce()
    ways = {"runner": "ray", "workers": 2, "pack_size": 4, "on_progress": kill}
    on_ray = xortune.search(**asked, name="b", results=tmp_path, **ways)
    assert not kill.armed
    assert_frame_equal(answer(on_ray), answer(alone), check_exact=True)
    assert (alone.trials["state"] == "PRUNED").any()
    found = []
    for study in (alone, on_ray):
        with Ledger.read(study.paths) as ledger:
            every = {n: len(of) for n, of in ledger.all_replicates(0).items()}
            found.append((ledger.findings(), every, ledger.paused()))
    assert found[0] == found[1]
    number = alone.recommended["number"]
    times = ["duration_s"]
    assert_frame_equal(
        on_ray.replicates(number).drop(columns=times), alone.replicates(number).drop(columns=times)
    )
