"""Workers that are killed are replaced, and what they trained is trained again."""

import pytest
from pandas.testing import assert_frame_equal

import xortune
from tests.small_study import SETTINGS, SPACE, answer, kill_workers


class KillOnce:
    """Kills every worker when the first pack is done: some idle, some in the middle."""

    def __init__(self):
        self.armed = True

    def __call__(self, progress):
        if self.armed and progress.done:
            self.armed = False
            kill_workers()


# Workers on two nodes are killed in the short part, too: tests/faults/workers/.
@pytest.mark.long
def test_killed_workers_do_not_change_the_answer(ray, oracle, tmp_path, capfd):
    kill = KillOnce()
    study = xortune.search(
        SPACE,
        name="killed",
        results=tmp_path,
        runner="ray",
        workers=2,
        pack_size=3,
        on_progress=kill,
        **SETTINGS,
    )
    assert not kill.armed
    assert capfd.readouterr() == ("", "")
    assert_frame_equal(answer(study), answer(oracle), check_exact=True)
