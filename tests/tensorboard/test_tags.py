"""The names of what a run shows: curves first, results after them."""

import functools
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report.specs import FOREST, PLAIN
from tests.tensorboard.reading import DOMAINS, finished, plugin_data, points, read, run_writer
from xortune.paths import StudyPaths
from xortune.problems.table.rows import TASKS
from xortune.problems.table.spec import table_spec
from xortune.problems.xor.spec import SPEC
from xortune.space import load_space
from xortune.spec import STD, Metric, Objective, Parameter, ProblemSpec, Series
from xortune.tensorboard.runs import RunWriter
from xortune.tensorboard.tags import address_of_curves, results_group, results_of
from xortune.trial import Curve, FinishedTrial, Outcome, Trial

WORDS = ("a", "Z", "_", "r2", "re", "result", "results", "result_x", "result9", "score", "loss",
         "z", "z_", "z_result", "zz", "\u00e9", "val/loss", "result/final_loss")  # fmt: skip
LETTERS = st.text(st.sampled_from("aersultzZ_"), min_size=1, max_size=7)
SOME_NAMES = st.lists(st.sampled_from(WORDS) | LETTERS, max_size=4)


def function_spec(*names: str, loss: str | None = None) -> ProblemSpec:
    """A problem whose curves have the names of its metrics."""
    metrics = tuple(Metric(name, "loss" if name == loss else "number") for name in names)
    return ProblemSpec(
        problem="f",
        parameters=(Parameter("x", "float", 0.5, low=-1.0, high=1.0),),
        metrics=metrics,
        loss=loss,
        objectives=(Objective(names[0]),),
        curve=tuple(Series(name, name) for name in names),
    )


def compared(one: str, other: str) -> int:
    """The order of tags in TensorBoard: `compareTagNames` of its front end, without exponents."""
    parts, others = (re.findall(r"[0-9]+|.", text) for text in (one, other))
    for a, b in zip(parts, others):
        if a[0].isdigit() and b[0].isdigit():
            key, against = int(a), int(b)
        else:
            breaks, breaks_too = (text[0] in "/0123456789" for text in (a, b))
            if breaks or breaks_too:
                key, against = (not breaks), (not breaks_too)
            else:
                key, against = ord(a), ord(b)
        if key != against:
            return -1 if key < against else 1
    return (len(parts) > len(others)) - (len(parts) < len(others))


@given(SOME_NAMES)
def test_results_come_after_all_curves(names):
    spec = function_spec("y", *{*names} - {"y"})
    group = results_group(spec)
    curves = [series.tag for series in spec.curve]
    results = [f"{group}/final_loss", f"{group}/Accuracy", f"{group}/_x"]
    in_order = sorted([*results, *curves], key=functools.cmp_to_key(compared))
    assert {*in_order[: len(curves)]} == {*curves}


@pytest.mark.parametrize(
    "spec", [SPEC, FOREST, *map(table_spec, TASKS), function_spec("loss", "accuracy", "r2")]
)
def test_the_usual_problems_have_a_group_called_result(spec):
    assert results_group(spec) == "result"


@given(st.lists(SOME_NAMES, min_size=1, max_size=3))
def test_the_address_filters_the_curves_of_all_studies(several):
    specs = [function_spec("y", *{*names} - {"y"}) for names in several]
    address = urlsplit(f"http://host/{address_of_curves(specs)}")
    query = parse_qs(address.query)
    assert (address.fragment, query["smoothing"]) == ("timeseries", ["0"])
    shown = re.compile(query["tagFilter"][0]).search
    groups = {results_group(spec) for spec in specs}
    for spec in specs:
        assert not shown(f"{results_group(spec)}/final_loss")
        for series in spec.curve:
            # A curve may have the name that the results of another study have.
            assert shown(series.tag) or series.tag.partition("/")[0] in groups


def test_studies_without_curves_have_no_filter():
    assert address_of_curves([PLAIN]) == "?smoothing=0#timeseries"


def test_a_metric_that_is_a_curve_is_not_written_twice(tmp_path):
    spec = function_spec("loss", "accuracy", loss="loss")
    results = {result.name: result.tag for result in results_of(spec, "result/")}
    assert results == {"final_loss": "result/final_loss", "accuracy": "accuracy"}
    space = load_space({"x": {"min": -1.0, "max": 1.0}}, spec)
    writer = RunWriter(StudyPaths(tmp_path), space)
    curve = Curve((1, 2), {"loss": (0.5, 0.25), "accuracy": (0.5, 0.75)})
    for number, accuracy in enumerate((0.75, 0.875)):
        outcome = Outcome("COMPLETE", spec.scores((0.25, accuracy)), curve)
        writer.write(FinishedTrial(Trial(number, 0, spec.params((0.5,))), outcome))
    assert points(read(tmp_path, 0), "accuracy") == [(1, 0.5), (2, 0.75)]
    assert points(read(tmp_path, 0), "result/final_loss") == [(2, 0.25)]
    # The result is what the table has, even if the function has reported something else.
    assert points(read(tmp_path, 1), "accuracy")[-1] == (2, 0.875)


def test_a_mean_over_replicates_is_not_a_point_of_a_curve():
    spec = function_spec("loss", "accuracy", loss="loss").extended(replicated=True, pruned=False)
    tags = [result.tag for result in results_of(spec, "result/")]
    assert tags[:3] == ["result/final_loss", "result/accuracy", f"result/{STD}"]


def test_a_study_keeps_the_tags_of_its_earlier_runs(tmp_path, monkeypatch):
    """TensorBoard takes the columns of the HPARAMS tab from any one of the runs."""
    with monkeypatch.context() as earlier:
        earlier.setattr("xortune.tensorboard.runs.has_earlier_runs", lambda *_: True)
        run_writer(tmp_path).write(finished(0))
    (before,) = (tmp_path / "tensorboard" / "trial-00000").iterdir()
    content = before.read_bytes()
    run_writer(tmp_path).write(finished(1))
    for number in range(2):
        scalars = {*read(tmp_path, number).Tags()["scalars"]}
        assert {"final_loss", "train_loss", "accuracy"} < scalars
        assert not any(tag.startswith("result/") for tag in scalars)
    assert before.read_bytes() == content


def test_parameters_that_are_fixed_are_said_to_be(tmp_path):
    fixed = {"lr": {"value": 0.5}, **{name: DOMAINS[name] for name in ("epochs", "seed")}}
    space = load_space({**fixed, "loss_fn": {"values": ["mse"]}}, SPEC)
    writer = RunWriter(StudyPaths(tmp_path), space)
    writer.write(finished(0))
    experiment = plugin_data(read(tmp_path, 0), "_hparams_/experiment").experiment
    differing = [info.name for info in experiment.hparam_infos if info.differs]
    assert differing == ["epochs", "seed"]
