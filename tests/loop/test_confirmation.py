"""The best trials on seeds that the search has not used."""

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.loop.hill import ENGINE, Hill, hill_settings
from xortune.engines.engine import Pace
from xortune.ledger import Ledger
from xortune.loop.confirmation import counts_for, heats, trainings
from xortune.space import load_space


@given(st.integers(1, 50), st.integers(2, 600), st.sampled_from((None, 2, 3, 5)))
def test_a_race_ends_with_all_seeds_and_never_grows(trials, seeds, folds):
    race = heats(trials, seeds, folds)
    assert race[0].trials == trials
    assert race[-1].seeds == seeds
    assert [heat.seeds for heat in race] == sorted({heat.seeds for heat in race})
    assert [heat.trials for heat in race] == sorted((h.trials for h in race), reverse=True)
    assert trainings(trials, seeds) <= (trials + 2) * seeds


def test_the_race_of_the_lab():
    assert heats(32, 256, None) == [(32, 32), (16, 64), (8, 128), (4, 256)]
    assert trainings(32, 256) == 2560 + 512


def test_the_counts_follow_from_the_work():
    def counts(trials, cost_per_s, **values):
        settings = hill_settings(trials=trials, **values)
        pace = Pace(cost_per_s, 1, 1e-3, 64)
        return counts_for(settings, load_space(settings.space, settings.spec), pace)

    assert counts(1000, 1e9) == (32, 256)
    assert counts(4, 1e9) == (4, 256)
    assert counts(100, 20.0) == (4, 3)  # a second for the longest trial
    assert counts(50, 20.0) == (1, 10)
    assert counts(10, 20.0) == ()
    assert counts(1000, 20.0, replicates=10) == (32, 128)
    slow = Pace(1.0, 1, 1.0, 64, measured=True)
    settings = hill_settings()
    assert counts_for(settings, load_space(settings.space, settings.spec), slow) == ()


@pytest.fixture
def confirmed(tmp_path):
    def run(**values):
        hill = Hill(tmp_path / "hill", hill_settings(confirm=(6, 40), **values))
        hill.run()
        with Ledger.read(hill.paths) as ledger:
            return ledger, ledger.trials(), ledger.findings()["confirmation"], hill

    return run


def test_the_recommended_trial_has_the_best_mean_of_those_with_all_seeds(confirmed):
    _, _, found, hill = confirmed()
    assert found["wanted"] == [6, 40]
    # Three of six left the race after 16 seeds, one after 32; the first in rank is judged, too.
    assert sorted(entry["seeds"] for entry in found["trials"]) == [16, 16, 32, 40, 40, 40]
    assert found["recommended"] == found["trials"][0]["number"]
    with Ledger.read(hill.paths) as ledger:
        rows = ledger.replicates(found["recommended"])
        others = [ledger.replicates(entry["number"]) for entry in found["trials"]]
    means = [mean_height(of[:40]) for of in others if {*range(1, 41)} <= {row.place for row in of}]
    assert mean_height(rows[:40]) == max(means)
    assert [row.place for row in rows] == [*range(1, 81)]
    heights = [row.scores["height"] for row in rows[40:]]
    best = found["trials"][0]
    assert best["value"] == pytest.approx(statistics.fmean(heights))
    assert best["std"] == pytest.approx(statistics.stdev(heights))
    assert (best["low"], best["high"]) == (min(heights), max(heights))
    assert best["median"] == pytest.approx(statistics.median(heights))
    assert best["failed"] == 0


def mean_height(rows):
    """Of replicates; minus infinity if one failed."""
    if any(row.scores is None for row in rows):
        return -math.inf
    return statistics.fmean(row.scores["height"] for row in rows)


def test_no_search_seed_is_used_again(confirmed):
    _, table, _, hill = confirmed(replicates=4)
    with Ledger.read(hill.paths) as ledger:
        places = {row.place for n in range(len(table)) for row in ledger.replicates(n)}
    assert places == {*range(84)}


@pytest.mark.parametrize("how", [{}, {"replicates": 3}, {"aggregate": "median"}])
def test_kills_packs_and_extensions_change_nothing(tmp_path, how):
    wanted = hill_settings(confirm=(8, 64), trials=60, **how)
    whole = Hill(tmp_path / "whole", wanted)
    whole.run()
    other = Hill(tmp_path / "other", hill_settings(confirm=(8, 64), trials=30, **how))
    other.run(2, 4)
    other.run(3, 7, packs=9, backwards=True, trials=60)
    for _ in range(6):
        other.run(2, 3, packs=2)
    other.run(1, 50)
    first, second = whole.content(), other.content()
    # Only trials that were best before the extension have replicates more.
    assert (first[0], first[1], first[4]) == (second[0], second[1], second[4])
    assert ENGINE.name == "hill-1"


def test_other_counts_use_what_was_trained_already(tmp_path):
    whole = Hill(tmp_path / "whole", hill_settings(confirm=(8, 100)))
    whole.run()
    other = Hill(tmp_path / "other", hill_settings(confirm=(5, 40)))
    other.run()
    other.run(2, 3, confirm=(8, 100))
    assert other.content()[4] == whole.content()[4]


def test_trainings_that_no_worker_survives_fail_and_their_trial_stays_as_it_is(tmp_path):
    hill = Hill(tmp_path / "hill", hill_settings(confirm=(3, 4), trials=20))

    def kills(pack):
        return pack.replicates.start and 0 in [trial.number % 3 for trial in pack.trials]

    hill.run(1, 2, lost=kills)
    with Ledger.read(hill.paths) as ledger:
        table, found = ledger.trials(), ledger.findings()["confirmation"]
        assert all(row.outcome.state == "COMPLETE" for row in table)
        confirmed = {entry["number"]: entry["failed"] for entry in found["trials"]}
        errors = {n: {row.error for row in ledger.replicates(n)} for n in confirmed}
    given_up = {n for n in confirmed if n % 3 == 0}
    assert 0 < len(given_up) < len(confirmed)
    for number, found in errors.items():
        if number in given_up:
            assert found == {"given up after 1 tries alone: its worker died"}
            assert confirmed[number] == 4
        else:
            assert found <= {None, "it flew away"}


def test_rank_1_stays_the_one_to_use_unless_it_is_worse(tmp_path):
    for seed in range(6):
        hill = Hill(tmp_path / str(seed), hill_settings(confirm=(6, 4), study_seed=seed, trials=20))
        hill.run()
        with Ledger.read(hill.paths) as ledger:
            table, found = ledger.trials(), ledger.findings()["confirmation"]
            ranked = sorted(
                (-scores["height"], scores["gap"], table.params(n)["steps"], n)
                for n in range(len(table))
                if (scores := table.scores(n)) is not None
            )
            judged = {
                entry["number"]: mean_height(ledger.replicates(entry["number"])[4:8])
                for entry in found["trials"]
                if len(ledger.replicates(entry["number"])) == 8
            }
        assert ranked[0][-1] in judged
        if found["recommended"] is not None:
            assert judged[found["recommended"]] == max(judged.values())


@pytest.mark.parametrize("seeds", [17, 33])
def test_a_heat_may_be_one_seed_longer_than_the_one_before(tmp_path, seeds):
    hill = Hill(tmp_path / "hill", hill_settings(confirm=(4, seeds), trials=20))
    hill.run()
    with Ledger.read(hill.paths) as ledger:
        found = ledger.findings()["confirmation"]
        assert all(row.outcome.replicates == () for row in ledger.trials())
        assert len(ledger.replicates(found["trials"][0]["number"])) == 2 * seeds


def test_a_winner_that_fails_when_it_is_judged_is_not_recommended(tmp_path):
    hill = Hill(tmp_path / "hill", hill_settings(confirm=(3, 4), trials=20))
    hill.run(lost=lambda pack: pack.replicates.start >= 5 and pack.trials[0].number >= 0)
    with Ledger.read(hill.paths) as ledger:
        found = ledger.findings()["confirmation"]
    assert found["recommended"] is None
    assert found["trials"][0]["failed"] == 4
