"""Searches that end early, for a reason that does not depend on workers."""

import pytest

from tests.loop.hill import Hill, hill_settings
from xortune.ledger import Ledger


@pytest.fixture
def stopped(tmp_path):
    """Searches with stops, in many ways that must all end alike."""

    def run(**values):
        wanted = hill_settings(trials=100, generation=10, **values)
        ways = [{}, {"workers": 3, "pack_size": 2}, {"workers": 2, "pack_size": 3}]
        hills = [Hill(tmp_path / str(place), wanted) for place, _ in enumerate(ways)]
        hills[2].run(packs=2)
        searches = [hill.run(**way) for hill, way in zip(hills, ways)]
        assert len({repr(hill.content()) for hill in hills}) == 1
        with Ledger.read(hills[0].paths) as ledger:
            return searches[0].stopped, len(ledger.trials()), ledger.findings(), hills[0]

    return run


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_an_objective_that_is_good_enough(stopped, sampler):
    stop, trials, found, _ = stopped(stop_at=-0.2, sampler=sampler)
    assert (stop.by, stop.after) == ("stop_at", trials)
    assert trials < 100
    assert found["stopped"] == {
        "by": "stop_at", "after": trials, "reason": stop.reason,
    }  # fmt: skip
    assert stop.reason.endswith("is as good as -0.2")


def test_a_plateau(stopped):
    stop, trials, _, _ = stopped(plateau=15)
    assert (stop.by, stop.after) == ("plateau", trials)


def test_an_epoch_budget_counts_pruned_trials_to_their_rung(stopped):
    _, plain, _, _ = stopped(epoch_budget=250)
    assert plain == 20


def test_a_wider_limit_goes_on(stopped):
    _, trials, _, hill = stopped(epoch_budget=250, confirm=(2, 4))
    hill.run(epoch_budget=500)
    with Ledger.read(hill.paths) as ledger:
        assert len(ledger.trials()) > trials
        assert ledger.findings()["stopped"]["by"] == "epoch_budget"
    hill.run(epoch_budget=None)
    with Ledger.read(hill.paths) as ledger:
        assert len(ledger.trials()) == 100
        assert "stopped" not in ledger.findings()


@pytest.mark.parametrize("workers", [1, 3])
def test_a_time_limit_ends_with_the_packs_that_are_out(tmp_path, workers):
    whole = Hill(tmp_path / "whole", hill_settings(trials=40, confirm=(3, 4)))
    whole.run()
    hill = Hill(tmp_path / "hill", hill_settings(trials=40, confirm=(3, 4)))
    runs = 0
    while (stop := hill.run(workers, 4, is_late=lambda: True).stopped) is not None:
        runs += 1
        with Ledger.read(hill.paths) as ledger:
            found, done = ledger.findings(), ledger.trials().finished
        assert found["stopped"] == {"by": "timeout", "after": done, "reason": stop.reason}
        assert runs < 60, "each run trains a pack"
    assert runs > 5
    assert hill.content() == whole.content()
