"""SIGKILL of the driver at its write boundaries, then resume: nothing is lost, or done twice."""

from __future__ import annotations

import random
import shutil
import signal
from collections import Counter

import pytest

from tests.faults.driver.whole_study import check_whole, finished_trials
from xortune.ledger import Ledger

KILLED = -signal.SIGKILL


def identities(trials):
    return Counter(f"{' '.join(map(str, t.params.values()))}" for t in trials)


def kill_and_resume(forks, undisturbed, results, boundary):
    """One case: a search killed at a boundary, and its resume."""
    study, names = undisturbed
    results.mkdir()
    ended = forks("killed_driver", "search", str(results), boundary)
    assert ended.code == KILLED, ended.text
    if boundary < names.index("after a transaction"):
        resumed = forks("killed_driver", "resume", str(results), None, str(results / "trained"))
        assert resumed.code == 2, resumed.text
        (line,) = resumed.text.splitlines()
        if not any((results / "one").iterdir()):
            assert f"{results / 'one'} does not hold a study.db" in line
            return
        assert "study one was never started" in line
        assert f"{results / 'one'} has no trials" in line
        assert "Remove the folder, and start the search again." in line
        return
    finished = finished_trials(results / "one", results / "copy")
    resume(forks, results, finished)
    check_whole(results / "one", study)


def resume(forks, results, finished, boundary=None):
    """Resumes a study, to its end or to a boundary; what is finished is not trained again."""
    trained = results / "trained"
    trained.unlink(missing_ok=True)
    ended = forks("killed_driver", "resume", str(results), boundary, str(trained))
    assert ended.code == (0 if boundary is None else KILLED), ended.text
    again = Counter(trained.read_text().splitlines() if trained.exists() else [])
    assert not again & identities(finished)
    if boundary is None:
        assert ended.text == ""


def test_the_study_has_what_can_go_wrong(undisturbed):
    study, names = undisturbed
    assert set(study.trials["state"]) == {"COMPLETE", "FAIL"}
    with Ledger.read(study.paths) as ledger:
        assert max(identities(row.trial for row in ledger.trials()).values()) == 1
    assert study.trials["generation"].nunique() == 3
    kinds = Counter(names)
    assert kinds["before a transaction"] == kinds["after a transaction"] == 14
    assert kinds["half of a file in trial-00007"] == 1
    assert kinds["half of a file in one"] == 3  # the driver's name, and both tables


def test_a_kill_at_some_boundaries(forks, undisturbed, tmp_path):
    names = undisturbed[1]
    places = {name: at for at, name in enumerate(names)}  # the last of each kind
    kinds = ("before a transaction", "in a transaction", "before a commit", "after a transaction")
    chosen = [places[kind] for kind in kinds]
    chosen += [places["half of a file in trial-00004"], places["half of a file in one"]]
    chosen += random.Random(0).sample(range(len(names)), 4)
    for at in chosen:
        kill_and_resume(forks, undisturbed, tmp_path / str(at), at)
        shutil.rmtree(tmp_path / str(at))


def test_a_kill_while_the_study_is_made(forks, undisturbed, tmp_path):
    for at in range(undisturbed[1].index("after a transaction") + 1):
        kill_and_resume(forks, undisturbed, tmp_path / str(at), at)


def test_a_study_that_was_never_begun_can_be_started_again(forks, undisturbed, tmp_path):
    half = undisturbed[1].index("before a commit")
    assert forks("killed_driver", "search", str(tmp_path), half).code == KILLED
    shutil.rmtree(tmp_path / "one")
    assert forks("killed_driver", "search", str(tmp_path), None).code == 0
    check_whole(tmp_path / "one", undisturbed[0])


def five_kills(forks, undisturbed, results, seed):
    study, names = undisturbed
    dice = random.Random(seed)
    results.mkdir()
    begun = names.index("after a transaction")
    ended = forks("killed_driver", "search", str(results), begun + dice.randrange(12))
    assert ended.code == KILLED, ended.text
    for _ in range(4):
        finished = finished_trials(results / "one", results / "copy")
        resume(forks, results, finished, boundary=dice.randrange(6, 24))
    resume(forks, results, finished_trials(results / "one", results / "copy"))
    check_whole(results / "one", study)


def test_five_kills_in_one_study(forks, undisturbed, tmp_path):
    five_kills(forks, undisturbed, tmp_path / "results", seed=1)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_kill_at_every_boundary(forks, undisturbed, tmp_path):
    for at in range(len(undisturbed[1])):
        kill_and_resume(forks, undisturbed, tmp_path / str(at), at)
        shutil.rmtree(tmp_path / str(at))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_five_kills_in_one_study_again_and_again(forks, undisturbed, tmp_path):
    for seed in range(40):
        five_kills(forks, undisturbed, tmp_path / str(seed), seed)
        shutil.rmtree(tmp_path / str(seed))
