"""A search that is trained in the driver's process at first, and on Ray from the middle on."""

import logging
import os
from contextlib import nullcontext

import pytest
from pandas.testing import assert_frame_equal

import xortune
from tests.small_study import SETTINGS, SPACE, answer
from xortune.errors import UsageError, XortuneError
from xortune.studies import runner_choice


@pytest.fixture
def estimated_too_short(monkeypatch):
    """Ray seems to start within what the search is estimated at, as packs of three cost more."""
    monkeypatch.setattr(runner_choice, "_RAY_START_S", 9e-5)
    # On any number of CPUs.
    monkeypatch.setattr(runner_choice, "_longest_here_s", lambda: 9e-5)


def trained_here(study):
    return (study.trials["worker"].str.rpartition(":")[2] == str(os.getpid())).sum()


def test_a_longer_search_than_estimated_moves_to_ray(
    ray, oracle, tmp_path, estimated_too_short, caplog
):
    caplog.set_level(logging.INFO, logger="xortune")
    study = xortune.search(SPACE, name="s", results=tmp_path, pack_size=3, **SETTINGS)
    assert "less than 0.1 s of training, so they run in this process" in caplog.text
    assert "longer than estimated: it moves to Ray" in caplog.text
    assert 0 < trained_here(study) < SETTINGS["trials"]
    assert_frame_equal(answer(study), answer(oracle), check_exact=True)


def test_a_search_stays_here_where_ray_does_not_start(
    oracle, tmp_path, estimated_too_short, caplog, monkeypatch
):
    def no_ray(options, stop):
        raise UsageError("no Ray here")

    monkeypatch.setattr(runner_choice, "_ray", no_ray)
    study = xortune.search(SPACE, name="s", results=tmp_path, pack_size=3, **SETTINGS)
    assert "the search stays in this process: no Ray here" in caplog.text
    assert trained_here(study) == SETTINGS["trials"]
    assert_frame_equal(answer(study), answer(oracle), check_exact=True)


def test_a_failure_on_ray_is_not_tried_again_here(
    tmp_path, estimated_too_short, caplog, monkeypatch
):
    class Failing:
        workers = 1

        def run(self, search):
            raise XortuneError("no worker trains")

    monkeypatch.setattr(runner_choice, "_ray", lambda options, stop: nullcontext(Failing()))
    with pytest.raises(XortuneError, match="no worker trains"):
        xortune.search(SPACE, name="s", results=tmp_path, pack_size=3, **SETTINGS)
    assert "stays in this process" not in caplog.text


FUNCTION = """
import random, xortune

def train(config, report):
    for epoch in range(20_000):
        noise = random.random()
    report(epoch, loss=config["x"] ** 2 + noise)

problem = xortune.Problem(train, {"x": {"min": -1.0, "max": 1.0}})
"""


def test_a_function_moves_to_ray_once_its_trials_are_known_to_take_long(
    ray, tmp_path, monkeypatch, caplog
):
    caplog.set_level(logging.INFO, logger="xortune")
    file = tmp_path / "mine.py"
    file.write_text(FUNCTION)
    settings = {"problem": file, "results": tmp_path, "trials": 24, "pack_size": 3}
    here = xortune.search(name="here", **settings)
    assert trained_here(here) == 24
    monkeypatch.setattr(runner_choice, "_RAY_START_S", 1e-4)
    moved = xortune.search(name="moved", **settings)
    assert "If the first trials take long, it moves to Ray" in caplog.text
    assert "so the search takes longer than Ray takes to start: it moves to Ray" in caplog.text
    assert 0 < trained_here(moved) < 24
    assert_frame_equal(answer(moved), answer(here), check_exact=True)


def test_a_search_that_ray_finishes_sooner_is_trained_there(
    ray, oracle, tmp_path, monkeypatch, caplog
):
    caplog.set_level(logging.INFO, logger="xortune")
    monkeypatch.setattr(runner_choice, "_RAY_START_S", 0)
    study = xortune.search(SPACE, name="s", results=tmp_path, **SETTINGS)
    assert "so they run on Ray. To stay in this process: runner='inline'" in caplog.text
    assert trained_here(study) == 0
    assert_frame_equal(answer(study), answer(oracle), check_exact=True)
