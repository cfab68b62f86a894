"""The example problems that are shipped: short, with their command on top, and they train."""

import math

import pytest

from tests.documents.markdown import ROOT
from tests.engines.function.functions import answer, engine_of
from tests.make import lanes

EXAMPLES = sorted((ROOT / "search_spaces").glob("*.py"))
FUNCTIONS = [path for path in EXAMPLES if "def train(" in path.read_text()]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short_and_says_how_to_run_it(path):
    text = path.read_text()
    command = f"#   python -m xortune search --problem search_spaces/{path.name} --trials "
    assert command in text
    assert len(text.splitlines()) <= 40


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.stem)
def test_an_example_trains_and_is_repeatable(path):
    engine, spec = engine_of(path)
    trials = [spec.defaults] * 3
    first, other, again = engine.open("cpu").train(lanes(trials, numbers=[3, 4, 3]), None)
    assert first.error is other.error is None
    assert all(map(math.isfinite, first.scores.row))
    assert answer([first]) == answer([again])


def test_the_examples_are_those_that_documents_name():
    assert [path.stem for path in FUNCTIONS] == ["pytorch_loop", "rosenbrock", "sklearn_forest"]
