"""The example modules that are shipped: each is searched as a new user would, and learns."""

import pytest

import xortune
from tests.documents.markdown import ROOT

MODULES = [p for p in sorted((ROOT / "search_spaces").glob("*.py")) if "model=" in p.read_text()]


@pytest.mark.parametrize(
    ("name", "epochs", "column", "better", "engine"),
    [
        ("digits", 2, "accuracy", 0.5, "stacked-1"),
        ("moons", 10, "accuracy", 0.85, "stacked-1"),
        ("sequences", 5, "mse", 0.06, "stacked-1"),
    ],
)
def test_an_example_learns_by_the_engine_that_suits_it(
    name, epochs, column, better, engine, tmp_path
):
    study = xortune.search(
        problem=ROOT / "search_spaces" / f"{name}.py",
        narrow={"epochs": epochs, "lr": 0.01},
        trials=3,
        name=name,
        results=tmp_path,
        confirm="none",
    )
    assert set(study.trials["state"]) == {"COMPLETE"}
    best = study.best[column]
    assert best > better if column == "accuracy" else best < better
    assert study.provenance.engine == engine


def test_the_examples_are_those_that_documents_name():
    assert [path.stem for path in MODULES] == ["digits", "moons", "sequences"]
