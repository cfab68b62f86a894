"""Workers that are killed: replaced, and given up after the last retry."""

from pandas.testing import assert_frame_equal
from studies import SETTINGS, SPACE, answer, kill_workers

import xortune


class KillOnce:
    """Kills every worker when the first pack is done: some idle, some in the middle."""

    def __init__(self):
        self.armed = True

    def __call__(self, progress):
        if self.armed and progress.done:
            self.armed = False
            kill_workers()


def test_killed_workers_do_not_change_the_answer(ray, oracle, tmp_path, capfd):
    kill = KillOnce()
    study = xortune.search(
        SPACE, name="killed", results=tmp_path, workers=2, pack_size=3, on_progress=kill, **SETTINGS
    )
    assert not kill.armed
    assert capfd.readouterr() == ("", "")
    assert_frame_equal(answer(study), answer(oracle), check_exact=True)


def test_without_retries_the_pack_fails_and_the_search_goes_on(ray, oracle, tmp_path):
    study = xortune.search(
        SPACE,
        name="failed",
        results=tmp_path,
        workers=1,
        pack_size=3,
        retries=0,
        on_progress=KillOnce(),
        **SETTINGS,
    )
    trials = study.trials.set_index("number")
    given_up = trials["error"].str.contains("given up after 1 tries: its worker died", na=False)
    assert given_up.sum() == 3
    assert (trials.loc[given_up, "state"] == "FAIL").all()
    assert set(trials["state"]) == {"COMPLETE", "FAIL"}
    assert len(trials) == len(oracle.trials)
    first = list(range(3))
    assert trials.loc[first, "final_loss"].equals(
        oracle.trials.set_index("number").loc[first, "final_loss"]
    )
