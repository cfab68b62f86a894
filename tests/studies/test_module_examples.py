"""The example modules that are shipped: each is searched as a new user would, and learns."""

import pytest

import xortune
from tests.documents.markdown import ROOT

MODULES = [p for p in sorted((ROOT / "search_spaces").glob("*.py")) if "model=" in p.read_text()]


@pytest.mark.parametrize(
    ("name", "column", "better"),
    [
        pytest.param("digits", "accuracy", 0.9, marks=pytest.mark.long),
        ("moons", "accuracy", 0.95),
        pytest.param("sequences", "mse", 0.03, marks=pytest.mark.long),
    ],
)
def test_an_example_learns_in_packs(name, column, better, tmp_path):
    study = xortune.search(
        problem=ROOT / "search_spaces" / f"{name}.py",
        narrow={"lr": 0.01},
        trials=3,
        name=name,
        results=tmp_path,
        confirm="none",
    )
    assert set(study.trials["state"]) == {"COMPLETE"}
    best = study.best[column]
    assert best > better if column == "accuracy" else best < better
    assert study.provenance.engine == ("mlp-1" if name == "moons" else "stacked-1")


def test_the_examples_are_those_that_documents_name():
    assert [path.stem for path in MODULES] == ["digits", "moons", "sequences"]
