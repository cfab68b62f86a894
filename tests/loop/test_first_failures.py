"""A search ends if its first trials all fail alike, and only then."""

import pytest

from tests.toy import SPACE, SPEC, HillEngine
from xortune.errors import XortuneError
from xortune.ledger import Ledger
from xortune.loop.clock import Clock
from xortune.loop.run_queue import RunQueue
from xortune.loop.runner import InlineRunner
from xortune.loop.search import Search
from xortune.paths import StudyPaths
from xortune.settings import Provenance, RunOptions, StudySettings
from xortune.space import load_space
from xortune.tensorboard.runs import RunWriter
from xortune.trial import Outcome


class Failing(HillEngine):
    """Fails the trials whose numbers have an error, up to a number of first failures."""

    def __init__(self, errors, first_failures=5):
        self._errors = errors
        self.first_failures = first_failures

    def train(self, lanes, log_every, heartbeat=lambda: None, until=None):
        outcomes = super().train(lanes, log_every, heartbeat)
        return [
            Outcome("FAIL", error=self._errors[n]) if n in self._errors else outcome
            for n, outcome in zip([lane.number for lane in lanes], outcomes)
        ]


@pytest.fixture
def search(tmp_path):
    """Trains the rest of the study `one` with an engine; returns the finished trials' states."""
    paths = StudyPaths(tmp_path / "one")
    settings = StudySettings(SPEC, SPACE, trials=20, sampler="random", data="hill")
    Ledger.create(paths, settings, Provenance("hill-1", {})).close()

    def train(engine, pack_size):
        with Ledger.open(paths) as ledger:
            clock = Clock()
            runs = RunQueue(RunWriter(paths, load_space(SPACE, SPEC)), clock)
            loop = Search(ledger, engine, runs, clock, lambda p: None, lambda: None)
            try:
                InlineRunner(RunOptions(pack_size=pack_size), "cpu").run(loop)
            finally:
                rows = list(ledger.trials())
                states = [row.outcome.state for row in rows if row.outcome is not None]
        return states

    train.paths = paths
    return train


@pytest.mark.parametrize("pack_size", [1, 3, 20])
def test_it_says_the_error_and_keeps_what_is_finished(search, pack_size):
    engine = Failing(dict.fromkeys(range(20), "ValueError: no luck (mine.py:3)"))
    with pytest.raises(XortuneError) as caught:
        search(engine, pack_size)
    assert str(caught.value) == (
        "the first 5 trials failed alike: ValueError: no luck (mine.py:3). Correct this, then "
        "search again under another name, or resume with force=True; these trials stay as they are."
    )
    with Ledger.read(search.paths) as ledger:
        assert ledger.trials().finished >= 5


@pytest.mark.parametrize(
    "text",
    [
        "RuntimeError: shapes ({n}x{n}7 and 3x8) cannot be multiplied (mine.py:3)",
        "ValueError: no luck with -{n}.5e-0{n} (mine.py:3)",
        "KeyError: 'rate{n}' (mine.py:3)",
        'ValueError: no "way {n}" (mine.py:3)',
        "loss is not finite: {odd}",
        "took longer than {n}.5 s",
    ],
)
def test_the_values_in_an_error_make_no_difference(search, text):
    errors = {n: text.format(n=n, odd=["nan", "-inf", "inf"][n % 3]) for n in range(20)}
    with pytest.raises(XortuneError) as caught:
        search(Failing(errors), 1)
    assert f"failed alike: {errors[0]}. Correct this" in str(caught.value)


@pytest.mark.parametrize(
    "errors",
    [
        dict.fromkeys(range(4), "it flew away"),
        dict.fromkeys(range(1, 20), "it flew away"),
        {number: f"it flew away {'now' * number}" for number in range(20)},
        {number: f"ValueError: no luck (mine.py:{number})" for number in range(20)},
        {number: f"{'Value' * number}Error: no luck (mine.py:3)" for number in range(20)},
    ],
    ids=["too few", "not the first", "other words", "other lines", "other kinds"],
)
def test_it_continues_otherwise(search, errors):
    states = search(Failing(errors), 1)
    assert len(states) == 20
    assert states.count("FAIL") >= len(errors)


def test_an_engine_may_not_want_it(search):
    errors = dict.fromkeys(range(20), "it flew away")
    assert search(Failing(errors, first_failures=0), 1) == ["FAIL"] * 20


def test_a_resume_after_it_counts_no_earlier_failure(search):
    with pytest.raises(XortuneError, match="failed alike"):
        search(Failing(dict.fromkeys(range(20), "it flew away")), 1)
    states = search(Failing({}), 1)
    assert len(states) == 20
    assert states[:5] == ["FAIL"] * 5
