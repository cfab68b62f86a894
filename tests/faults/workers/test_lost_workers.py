"""Workers that are killed, that hang, and that a trial takes along."""

import os
import random
import signal
import subprocess
from contextlib import suppress

import pytest

import xortune
from tests.faults.workers.worker_faults import MOMENTS
from tests.small_study import SETTINGS, SPACE, check_runs, check_undisturbed, kill_workers
from xortune.errors import XortuneError
from xortune.loop.search import Search

SMALL_PACKS = {"runner": "ray", "workers": 2, "pack_size": 3}


def search(tmp_path, **options):
    return xortune.search(
        SPACE, name="s", results=tmp_path, **{**SETTINGS, **SMALL_PACKS, **options}
    )


def seeded_fault(seed):
    """A moment, a pack to which it comes, and for a training how far that is."""
    draw = random.Random(seed)
    moment = draw.choice(MOMENTS)
    # There are two workers and eight packs.
    after = draw.randrange({"created": 2, "ready": 2}.get(moment, 8))
    delay = draw.uniform(0, 0.01) if moment == "in training" else 0
    return {"moment": moment, "after": after, "delay": delay}


@pytest.mark.long
@pytest.mark.parametrize("seed", range(25))
def test_a_worker_is_killed_at_a_seeded_moment(cluster, undisturbed, plan, told, tmp_path, seed):
    plan.write(seeded_fault(seed))
    study = search(tmp_path)
    assert sorted(told) == list(range(SETTINGS["trials"]))
    check_undisturbed(study, undisturbed)


@pytest.mark.parametrize("moments", [MOMENTS[::3], pytest.param(MOMENTS, marks=pytest.mark.long)])
def test_workers_are_killed_at_several_moments_of_one_study(
    cluster, undisturbed, plan, told, tmp_path, moments
):
    plan.write(*({"moment": moment, "after": 1} for moment in moments))
    study = search(tmp_path)
    assert plan.happened() == len(moments)
    assert sorted(told) == list(range(SETTINGS["trials"]))
    check_undisturbed(study, undisturbed)


@pytest.mark.parametrize("done", [3, *(pytest.param(n, marks=pytest.mark.long) for n in (0, 12))])
def test_all_workers_are_killed_at_once(cluster, undisturbed, plan, told, tmp_path, done):
    killed = []

    def kill_all(progress):
        if progress.done >= done and not killed:
            killed.append(progress.done)
            kill_workers()

    study = search(tmp_path, on_progress=kill_all)
    assert killed
    assert sorted(told) == list(range(SETTINGS["trials"]))
    check_undisturbed(study, undisturbed)


@pytest.mark.parametrize(
    "moment", ["after training", pytest.param("given", marks=pytest.mark.long)]
)
def test_the_pack_of_a_hung_worker_is_given_to_another(
    cluster, undisturbed, plan, told, tmp_path, moment
):
    plan.write({"moment": moment, "after": 1, "signal": signal.SIGSTOP})
    woken = []

    def wake(progress):
        """When its trials were trained elsewhere, and while others still are to be."""
        if plan.victims() and not woken and sorted(told)[:12] == list(range(12)):
            woken.extend(plan.victims())
            with suppress(ProcessLookupError):
                os.kill(woken[0], signal.SIGCONT)

    study = search(tmp_path, pack_timeout=2, on_progress=wake)
    assert woken
    assert sorted(told) == list(range(SETTINGS["trials"]))
    check_undisturbed(study, undisturbed)


@pytest.mark.parametrize("retries", [0, pytest.param(1, marks=pytest.mark.long)])
def test_a_trial_that_always_kills_its_worker_fails_alone(
    cluster, undisturbed, plan, told, tmp_path, retries
):
    plan.write({"moment": "before training", "trials": [5], "times": 100})
    study = search(tmp_path, retries=retries)
    assert sorted(told) == list(range(SETTINGS["trials"]))
    trials, others = (s.trials.set_index("number") for s in (study, undisturbed))
    assert trials.loc[5, "state"] == "FAIL"
    assert trials.loc[5, "error"] == f"given up after {retries + 1} tries alone: its worker died"
    first = [number for number in range(12) if number != 5]
    columns = ["state", "final_loss", "error"]
    assert trials.loc[first, columns].equals(others.loc[first, columns])
    assert trials["state"].value_counts().to_dict().keys() == {"COMPLETE", "FAIL"}
    check_runs(study)


@pytest.mark.long
def test_workers_that_always_die_end_the_search_and_fail_no_trial(
    cluster, undisturbed, plan, told, tmp_path
):
    plan.write({"moment": "before training", "times": 100})
    with pytest.raises(XortuneError, match=r"every worker is lost, whatever it trains.*resume"):
        search(tmp_path, retries=0)
    assert told == []
    plan.write()
    check_undisturbed(xortune.resume(tmp_path / "s", runner="ray", workers=2), undisturbed)


@pytest.mark.long
def test_workers_that_never_start_end_the_search(cluster, undisturbed, plan, told, tmp_path):
    plan.write({"moment": "created", "times": 1000})
    with pytest.raises(XortuneError, match=r"8 workers in a row died while starting"):
        search(tmp_path)
    assert plan.happened() <= 10
    assert told == []
    plan.write()
    check_undisturbed(xortune.resume(tmp_path / "s", runner="ray", workers=2), undisturbed)


@pytest.mark.long
def test_a_driver_that_was_suspended_takes_no_worker_for_hung(
    cluster, undisturbed, plan, told, tmp_path, monkeypatch
):
    """As by Ctrl-Z and `fg`, for longer than a pack may take."""
    lost, stops = [], []
    monkeypatch.setattr(Search, "lost", lambda *call: lost.append(call))

    def stop(progress):
        if progress.done and not stops:
            script = f"kill -STOP {os.getpid()}; sleep 4; kill -CONT {os.getpid()}"
            stops.append(subprocess.Popen(["sh", "-c", script]))

    study = search(tmp_path, pack_timeout=3, on_progress=stop)
    assert stops[0].wait() == 0
    assert lost == []
    check_undisturbed(study, undisturbed)
