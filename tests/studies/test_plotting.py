"""The plots of real studies, from Python."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

import xortune
from xortune.errors import UsageError, XortuneError
from xortune.report.plots import gallery
from xortune.studies.results import results_of

VERSION2 = Path(__file__).parents[1] / "ledger/version2"
SPACE = {
    "lr": {"distribution": "log_uniform_values", "min": 0.1, "max": 10.0},
    "epochs": {"min": 200, "max": 800},
    "seed": {"min": 0, "max": 99},
    "loss_fn": {"values": ["mse", "bce"]},
}
# A function without epochs, whose best value is the highest.
FUNCTION = """
import xortune

def train(config, report):
    return {"height": -((config["x"] - 1) ** 2), "side": float(config["x"] > 1)}

problem = xortune.Problem(
    train, space={"x": {"min": -3.0, "max": 3.0}, "kind": {"values": ["a", 2, True]}},
    objective="height:max",
)
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def study(results):
    """A study with a pruner, whose best four trials are confirmed."""
    settings = {"pruner": "median", "rungs": 1, "confirm": "4:16", "log_every": 50}
    keywords = {"trials": 60, "name": "s", "results": results, "runner": "inline"}
    return xortune.search(SPACE, **keywords, **settings)


@pytest.fixture(scope="module")
def replicated(results):
    settings = {"replicates": 3, "confirm": "none", "runner": "inline"}
    return xortune.search(SPACE, trials=6, name="r", results=results, **settings)


def test_every_plot_of_a_study_is_a_figure_of_its_own(study):
    names = (
        *("best_so_far", "curves", "slice", "parallel", "contour", "replicates", "rungs", "cost"),
        *("states", "time", "surface"),
    )
    figures = {name: getattr(study, f"plot_{name}")() for name in names}
    for figure in figures.values():
        assert isinstance(figure, go.Figure)
        assert figure.layout.title.text
        # Shown alone, on a page that may be dark.
        assert figure.layout.template.layout.paper_bgcolor == "#ffffff"
    assert len({figure.layout.title.text for figure in figures.values()}) == len(names)
    best = study.plot_best_so_far().data[0]
    table = study.trials.set_index("number")
    assert np.allclose(best.y, table["mse"].loc[best.x], rtol=1e-6)


def test_the_guide_lists_every_plot():
    guide = (Path(xortune.__file__).parents[1] / "results/README.md").read_text()
    listed = set(re.findall(r"^\| `(plot_\w+)\(\)`", guide, re.MULTILINE))
    assert listed == {name for name in dir(xortune.Study) if name.startswith("plot_")}


def test_curves_of_chosen_trials(study):
    numbers = study.trials["number"].tolist()[:2]
    drawn = {trace.name: trace for trace in study.plot_curves(numbers).data}
    for number in numbers:
        expected = study.curves(number)
        trace = drawn[f"trial {number}"]
        assert [*trace.x] == expected["epoch"].tolist()
        assert np.allclose(trace.y, expected["validation"], rtol=1e-6)
    with pytest.raises(UsageError, match=r"^study s has no trial 60; its trials: 0 to 59\.$"):
        study.plot_curves([0, 60])
    for wrong in (["x"], "x"):
        with pytest.raises(UsageError, match=r"has no trial 'x'"):
            study.plot_curves(wrong)
    with pytest.raises(UsageError, match=r"^numbers \[\] names no trial: name one or more"):
        study.plot_curves([])
    with pytest.raises(UsageError, match=r"has no trial 0\.5"):
        study.plot_curves(0.5)
    # An array without dimensions looks as if it could be iterated.
    for one in (3, np.int64(3), np.array(3)):
        names = {trace.name for trace in study.plot_curves(one).data}
        assert {name for name in names if name.startswith("trial")} == {"trial 3"}


def test_a_plot_that_a_study_cannot_have_says_why(replicated):
    with pytest.raises(XortuneError, match=r"^study r has no such plot: it has no pruner\.$"):
        replicated.plot_rungs()
    wanted = r"study r has no such plot: it takes 20 trials that have ended, and there are 6\."
    with pytest.raises(XortuneError, match=wanted):
        replicated.plot_importance()


def test_results_hold_what_the_study_tells(study):
    found = results_of(study)
    assert found.trials.equals(study.trials)
    assert found.summary == study.summary()
    assert found.described == study.described()
    assert found.runs == study.runs()
    assert sorted(found.replicates) == sorted(
        entry["number"] for entry in found.summary["confirmation"]["trials"]
    )
    number = study.best_number
    assert found.curves[number].epochs == tuple(study.curves(number)["epoch"])


def test_the_best_replicated_trials_are_shown_with_their_trainings(replicated):
    found = results_of(replicated)
    assert [*found.replicates] == replicated.trials["number"].tolist()
    assert found.replicates[0].equals(replicated.replicates(0))
    assert len(replicated.plot_replicates().data[0].x) == 18


def test_a_function_is_plotted_by_its_own_names(results, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(FUNCTION)
    study = xortune.search(problem=file, trials=25, name="f", results=results, runner="inline")
    there, missing = gallery(results_of(study))
    drawn = {picture.name: picture for picture in there}
    assert {"best-so-far", "importance", "slices", "parallel", "contour"} <= {*drawn}
    assert "curves" in {one.name for one in missing}
    slices = drawn["slices"].figure
    assert [slices.layout.xaxis.title.text, slices.layout.xaxis2.title.text] == ["x", "kind"]
    assert [*slices.layout.xaxis2.ticktext] == ["a", "2", "True"]
    heights = drawn["best-so-far"].figure.data[1].y
    assert [*heights] == sorted(heights)
    with pytest.raises(XortuneError, match="its models do not take two numbers"):
        study.plot_surface()


@pytest.mark.parametrize("name", ["failed", "finished", "interrupted", "unversioned"])
def test_studies_of_an_earlier_version_have_their_plots(name, tmp_path):
    shutil.copytree(VERSION2 / name, tmp_path / name)
    results = results_of(xortune.load(tmp_path / name))
    there, _ = gallery(results)
    ranked = int(results.trials["rank"].notna().sum())
    assert ("best-so-far" in {picture.name for picture in there}) == (ranked > 0)


def test_no_search_imports_what_draws(tmp_path):
    script = (
        "import sys, xortune\n"
        "xortune.search('smoke', trials=2, runner='inline', confirm='none')\n"
        "print(sorted({'plotly', 'jinja2'} & {*sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, check=True
    )
    assert done.stdout.splitlines()[-1] == b"[]"
