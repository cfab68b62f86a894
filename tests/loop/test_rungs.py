"""Generations that are compared at rungs."""

import math
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.loop.hill import Hill, hill_settings
from xortune.ledger import Ledger
from xortune.loop.generations import spans
from xortune.loop.rungs import bracket_shares

HALVING = {"pruner": "halving", "rungs": (2, 6)}


@pytest.fixture
def table(tmp_path):
    """Searches the hill, and gives the table of trials."""

    def run(**values):
        hill = Hill(tmp_path / "hill", hill_settings(**values))
        hill.run()
        with Ledger.read(hill.paths) as ledger:
            return ledger.trials()

    return run


def pruned_epochs(table, numbers):
    scores = [row.outcome.scores for row in table[numbers.start : numbers.stop]]
    return Counter(int(s["pruned_epoch"]) for s in scores if not math.isnan(s["pruned_epoch"]))


def test_a_third_of_a_generation_passes_each_rung(table):
    found = table(**HALVING)
    for numbers in (range(30), range(30, 60)):
        long = [n for n in numbers if found.params(n)["steps"] > 6]
        passed = [n for n in long if found.is_complete(n)]
        assert len(passed) <= 4
        assert pruned_epochs(found, numbers)[2] >= 30 - 10 - sum(
            found.params(n)["steps"] <= 2 for n in numbers
        )


def test_a_trial_that_ended_before_a_rung_competes_with_its_last_objective(table):
    found = table(**HALVING)
    best = sorted(found.scores(n)["height"] for n in range(30) if found.is_complete(n))[-4:]
    later = [n for n in range(30) if found.params(n)["steps"] > 6 and found.is_complete(n)]
    ended = [n for n in range(30) if found.params(n)["steps"] <= 6 and found.is_complete(n)]
    assert ended, "some trials are shorter than the second rung"
    assert len(later) <= 4
    assert best


def test_nobody_is_better_at_a_rung_than_who_passed_it(table):
    found = table(**HALVING)
    rows = found[:30]
    at_2 = {
        row.trial.number: row.outcome.scores["pruned_loss"]
        for row in rows
        if row.outcome.scores["pruned_epoch"] == 2
    }
    survivors = [r for r in rows if r.trial.number not in at_2 and r.trial.params["steps"] > 2]
    way = {r.trial.number: r for r in survivors}
    assert at_2
    assert way
    with_rung = max(at_2.values())
    heights = []
    for row in survivors:
        x = float(row.trial.params["start"])
        for _ in range(2):
            x -= row.trial.params["rate"] * (x - 3) * (1 + row.trial.params["wide"])
        heights.append(-abs(x - 3))
    assert min(heights) >= with_rung


def test_the_median_leaves_half(table):
    found = table(pruner="median", rungs=(1,), trials=40, generation=40)
    short = sum(found.params(n)["steps"] <= 1 for n in range(40))
    assert 20 - short <= sum(pruned_epochs(found, range(40)).values()) <= 20


def test_hyperband_has_brackets_that_begin_at_later_rungs(table):
    halving = table(**HALVING)
    assert bracket_shares(2) == pytest.approx([9 / 16.5, 4.5 / 16.5, 3 / 16.5])
    assert sum(pruned_epochs(halving, range(30)).values()) > 0


@pytest.mark.parametrize(
    "how",
    [
        {"replicates": 3},
        {"pruner": "median", "sampler": "random"},
        {"pruner": "hyperband", "confirm": (3, 4)},
    ],
)
def test_packs_workers_and_kills_change_nothing(tmp_path, how):
    wanted = hill_settings(**HALVING | how)
    whole = Hill(tmp_path / "whole", wanted)
    whole.run()
    other = Hill(tmp_path / "other", wanted)
    for packs, pack_size, workers in [(1, 7, 3), (2, 4, 2), (3, 50, 1)]:
        other.run(workers, pack_size, packs, backwards=True)
    other.run(2, 5)
    assert other.content() == whole.content()


@pytest.mark.long
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_any_kills_change_nothing(data):
    rungs = tuple(sorted(data.draw(st.sets(st.integers(1, 19), min_size=1, max_size=4))))
    wanted = hill_settings(
        pruner=data.draw(st.sampled_from(("halving", "hyperband", "median"))),
        rungs=rungs,
        trials=20,
        generation=data.draw(st.integers(5, 20)),
        confirm=data.draw(st.sampled_from(((), (3, 4)))),
    )
    with tempfile.TemporaryDirectory() as folder:
        whole, other = (Hill(Path(folder) / name, wanted) for name in ("whole", "other"))
        whole.run()
        for packs in data.draw(st.lists(st.integers(1, 6), max_size=3)):
            other.run(data.draw(st.integers(1, 3)), data.draw(st.integers(1, 9)), packs)
        other.run(3, 2)
        assert other.content() == whole.content()


def test_an_extended_study_begins_another_generation(tmp_path):
    first = Hill(tmp_path / "one", hill_settings(**HALVING, trials=40))
    first.run()
    with Ledger.read(first.paths) as ledger:
        before = [repr(row) for row in ledger.trials()]
    first.run(trials=70, starts=(40,))
    with Ledger.read(first.paths) as ledger:
        after = [repr(row) for row in ledger.trials()]
        assert [*map(str, spans(ledger.settings()))] == [
            "range(0, 30)", "range(30, 40)", "range(40, 70)",
        ]  # fmt: skip
    assert after[:40] == before
    assert len(after) == 70
