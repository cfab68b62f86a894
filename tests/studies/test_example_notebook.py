"""The example notebook runs, and its output is what it has in git."""

import json
import re

import pytest

from tests.studies.example_notebook import NOTEBOOK, executed

COMMITTED = json.loads(NOTEBOOK.read_text(encoding="utf-8"))


def without_digits(text):
    return re.sub(r"[\d.,e-]*\d", "#", text)


def shape_of(cells):
    """Every output's kind, and text without what another processor would round differently."""
    found = []
    for cell in cells:
        for output in cell.get("outputs", []):
            ((kind, content),) = output["data"].items()
            text = "".join(content) if kind == "text/plain" else None
            found.append((output["output_type"], kind, text and without_digits(text)))
    return found


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    return executed(tmp_path_factory.mktemp("notebook"))


def test_the_example_notebook_runs_and_shows_what_it_shows_in_git(again):
    assert shape_of(again["cells"]) == shape_of(COMMITTED["cells"])
    kinds = [kind for _, kind, _ in shape_of(COMMITTED["cells"])]
    assert kinds.count("application/vnd.plotly.v1+json") == 2
    assert kinds.count("image/svg+xml") == 1
    assert [cell["source"] for cell in again["cells"]] == [c["source"] for c in COMMITTED["cells"]]


def test_the_example_notebook_is_small_and_says_nothing_of_a_machine():
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert len(text) < 100_000
    assert re.findall(r"(?:/home|/root|/tmp|/usr|/work|[A-Z]:\\\\)[\w/.-]*", text) == []
    assert {*re.findall(r"https?://[\w./-]*", text)} == {"http://www.w3.org/2000/svg"}
    assert "<script" not in text
