"""Every engine under contract, one after the other."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engines.contract.cases import CASES, COUNT, SOME, Case, all_bits, available, train
from xortune.engines.engine import Engine
from xortune.trial import Params

ROOT = Path(__file__).parents[3]
# Trains what was pickled into stdin, engine by engine, and pickles the bits to stdout.
ELSEWHERE = """
import pickle, sys
from tests.engines.contract.cases import all_bits, train
from xortune.engines.engine import reference_digest

found = {
    name: (all_bits(train(engine, trials)), reference_digest(engine, engine.open("cpu")))
    for name, (engine, trials) in pickle.load(sys.stdin.buffer).items()
}
sys.stdout.buffer.write(pickle.dumps(found))
"""


def _marked(case: Case) -> object:
    return pytest.param(case, marks=pytest.mark.long if case.is_long else (), id=case.name)


@pytest.fixture(scope="session", params=[*map(_marked, CASES)])
def case(request: pytest.FixtureRequest) -> Case:
    if not available(request.param):
        pytest.skip("there is no C compiler")
    return request.param


@pytest.fixture(scope="session")
def engine(case) -> Engine:
    return case.make()


@pytest.fixture(scope="session")
def trials(case) -> dict[int, Params]:
    """Trials by number; the one in the middle fails."""
    return dict(enumerate(case.drawn(COUNT)))


@pytest.fixture(scope="session")
def expected(engine, trials) -> dict[int, str]:
    """The bits of all of them from one pack."""
    return all_bits(train(engine, trials))


@pytest.fixture(scope="session")
def elsewhere(request: pytest.FixtureRequest) -> dict[str, tuple[dict[int, str], str]]:
    """The bits of some trials, and the digest, of each chosen engine from another process."""
    specs = (getattr(item, "callspec", None) for item in request.session.items)
    cases = (spec.params.get("case") for spec in specs if spec)
    chosen = {case.name for case in cases if isinstance(case, Case)}
    given = {}
    for case in (case for case in CASES if case.name in chosen and available(case)):
        trials = dict(enumerate(case.drawn(COUNT)))
        given[case.name] = case.make(), {number: trials[number] for number in SOME}
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        input=pickle.dumps(given),
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, tuple[dict[int, str], str]] = pickle.loads(done.stdout)
    return found
