"""The numbers in figures are those of the table."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report.plots.made import (
    SPACE,
    SPEC,
    complete,
    eventful,
    falling,
    made,
    maximised,
    trainings,
)
from xortune.network import Surface
from xortune.report.plots import (
    Absent,
    best_so_far,
    contour,
    cost,
    curves,
    importance,
    parallel,
    replicates,
    rungs,
    slices,
    states,
    time_spent,
)
from xortune.report.plots.contour_map import smoothed
from xortune.report.plots.costs import pareto_front
from xortune.report.plots.ped_anova import importances
from xortune.report.plots.scales import scales, scattered
from xortune.report.plots.surface_map import surface_picture
from xortune.report.plots.text import number, percent
from xortune.report.wilson import wilson_interval
from xortune.spec import PRUNED_EPOCH, PRUNED_LOSS, Metric, Objective
from xortune.trial import Curve, Outcome

PRUNED = SPEC.extended(replicated=False, pruned=True)
WITHOUT_SEED = {name: entry for name, entry in SPACE.items() if name != "seed"}
FINITE = st.floats(-1e6, 1e6)


def trace(picture, name):
    found, *_ = (one for one in picture.figure.data if one.name == name)
    return found


def measured(luck, spec, place):
    """A trial whose objective is a series of its curve."""
    values, outcome = complete(luck, spec, place)
    known = {"miss": 1.0, "hits": 0.5, "validation": luck.random()}
    return values, replace(outcome, scores=spec.scores(known[n] for n in spec.metric_names))


@pytest.mark.parametrize("spec", [SPEC, maximised()])
def test_the_best_so_far_is_that_of_the_trials_up_to_there(spec):
    results = made(80, spec)
    picture = best_so_far(results)
    table = results.trials.set_index("number").sort_index()
    metric = spec.objectives[0].metric
    dots, line = trace(picture, "trials"), trace(picture, "best so far")
    assert np.allclose(dots.y, table[metric].loc[dots.x], rtol=1e-6)
    running = table[metric].cummax() if metric == "hits" else table[metric].cummin()
    assert np.allclose(line.y, running.loc[line.x], rtol=1e-6)
    assert line.x[-1] == 79
    best = results.trials.iloc[0]
    assert trace(picture, "best trial").x == (best["number"],)
    assert f"{number(best[metric])}, of trial {best['number']}." in picture.words
    assert picture.figure.layout.yaxis.type == ("log" if spec is SPEC else None)
    assert picture.figure.layout.yaxis.autorange is None
    hover = next(text for text in dots.hovertext if text.startswith(f"trial {best['number']},"))
    assert f"rank 1<br>{metric} {number(best[metric])}" in hover
    assert f"steps {number(best['steps'])}" in hover


def test_values_far_outside_are_counted_and_left_outside():
    def row(luck, spec, place):
        values, outcome = complete(luck, spec, place)
        score = -1e9 if place == 7 else luck.uniform(0.1, 0.9)
        return values, Outcome("COMPLETE", spec.scores((0.5, score)), outcome.curve)

    picture = best_so_far(made(50, maximised(), row=row))
    assert picture.words.endswith("1 trial lies outside the picture.")
    low, high = picture.figure.layout.yaxis.range
    assert 0 < low < 0.2
    assert 0.8 < high < 1


def test_the_bands_are_the_quantiles_of_the_other_curves():
    def row(luck, spec, place):
        values, outcome = complete(luck, spec, place)
        return {**values, "steps": 110}, replace(outcome, curve=falling(110, 0.1 + place / 100))

    results = made(45, row=row)
    picture = curves(results, [3, 4])
    assert [one.name for one in picture.figure.data if one.name.startswith("trial")] == [
        "trial 4", "trial 3",
    ]  # fmt: skip
    assert trace(picture, "trial 3").y[-1] == pytest.approx(0.13)
    ends = [0.1 + place / 100 for place in range(45) if place not in (3, 4)]
    assert trace(picture, "others: median").y[-1] == pytest.approx(np.median(ends))
    low, high = (one for one in picture.figure.data if one.name == "others: 80%")
    assert low.y[-1] == pytest.approx(np.quantile(ends, 0.1))
    assert high.y[-1] == pytest.approx(np.quantile(ends, 0.9))
    assert high.fill == "tonexty"
    assert f"The 43 other trials end at a median of {number(np.median(ends))}," in picture.words


def test_a_curve_that_ends_early_keeps_its_last_value_in_the_bands():
    def row(luck, spec, place):
        values, outcome = complete(luck, spec, place)
        steps = 10 if place % 2 else 1000
        return {**values, "steps": steps}, replace(outcome, curve=falling(steps, ends[place]))

    # Those that end early are the worse half, as the ones that a pruner stops.
    ends = [(0.5 if place % 2 else 0.01) + place / 1000 for place in range(41)]
    picture = curves(made(41, row=row), [0])
    middle = trace(picture, "others: median")
    assert middle.x[-1] == 1000
    assert middle.y[-1] == pytest.approx(np.median(ends[1:]))
    assert len(middle.x) == len(trace(picture, "others: 80%").x)
    assert "counts with its last value." in picture.words


def test_the_epoch_of_the_result_is_marked_where_a_trial_keeps_its_best_weights():
    spec = replace(SPEC, metrics=(*SPEC.metrics, Metric("best_epoch", "count")))

    def row(luck, spec, place):
        values, outcome = complete(luck, spec, place)
        points = (1.0, 0.25 + place / 100, 0.5)
        curve = Curve((0, 30, 40), {"training": points, "validation": points})
        known = {"miss": points[1], "hits": 0.5, "best_epoch": 30.0}
        scores = spec.scores(known.get(n, math.nan) for n in spec.metric_names)
        return values, replace(outcome, curve=curve, scores=scores)

    picture = curves(made(12, spec, row=row))
    marks = trace(picture, "the result")
    assert [*marks.x] == [30] * 5
    assert [*marks.customdata] == [0, 1, 2, 3, 4]
    assert np.allclose(marks.y, [0.25, 0.26, 0.27, 0.28, 0.29])
    assert "from 1 to 0.5 in 40 epochs. Its result is that of its best epoch, 30, with 0.25" in (
        picture.words
    )
    unlogged = made(12, spec, row=row)
    unlogged.trials["best_epoch"] = 29
    assert "its best epoch, 29, between two points of the curve." in curves(unlogged).words
    assert "the result" not in {one.name for one in curves(unlogged).figure.data}
    # Of several trainings it is a mean, which is no epoch of their curve.
    several = spec.extended(replicated=True, pruned=False)
    for other in (made(12), made(12, several, WITHOUT_SEED, row=row)):
        assert "the result" not in {one.name for one in curves(other).figure.data}


def test_curves_that_may_be_of_different_losses_say_so():
    assert "(each trial's own)" in curves(made(30)).figure.layout.yaxis.title.text
    assert "its trial's own loss" in curves(made(30)).words
    validated = Objective("validation")
    spec = replace(SPEC, metrics=(*SPEC.metrics, Metric("validation")), objectives=(validated,))
    assert "own" not in curves(made(30, spec, row=measured)).words


def test_curves_are_by_default_those_of_the_best_complete_trials():
    results = made(60, PRUNED, row=eventful)
    best = results.trials["number"].head(5).tolist()
    names = {one.name for one in curves(results).figure.data}
    assert {f"trial {n}" for n in best} <= names
    failed = results.trials.loc[results.trials["state"] == "FAIL", "number"].tolist()
    with pytest.raises(Absent):
        curves(results, failed[:1])


@pytest.mark.parametrize("spec", [SPEC, maximised()])
def test_what_decides_is_important_and_the_seed_is_not(spec):
    results = made(400, spec)
    found = importances(results)
    assert [one.name for one in found[:2]] == ["rate", "kind"]
    assert found[0].is_clear
    assert found[0].share > 0.5
    assert sum(one.share for one in found) == pytest.approx(1)
    assert not next(one for one in found if one.name == "seed").is_clear
    picture = importance(results)
    bars = trace(picture, "importance")
    assert [*bars.y] == [one.name for one in found]
    assert [*bars.x] == [one.share for one in found]
    assert f"rate {percent(found[0].share)}" in picture.words
    chance, labels = trace(picture, "the most by chance"), trace(picture, "shares")
    assert [*labels.x] == [max(pair) for pair in zip(bars.x, chance.x)]


def test_a_maximised_objective_has_the_importance_of_its_opposite():
    # The share that is right falls as the loss rises, so both rank the trials alike.
    assert importances(made(400, maximised())) == importances(made(400))


def test_dots_of_slices_are_the_trials():
    results = made(100)
    picture = slices(results)
    table = results.trials.set_index("number")
    layout = picture.figure.layout
    varying = scales(results)
    assert [scale.name for scale in varying] == [*SPACE]
    for place, scale in enumerate(varying, start=1):
        suffix = "" if place == 1 else str(place)
        axis = layout[f"xaxis{suffix}"]
        assert axis.title.text == scale.name
        assert axis.type == ("log" if scale.name in ("rate", "steps") else axis.type)
        dots, *_ = (
            one for one in picture.figure.data if one.name == "trials" and one.xaxis == f"x{suffix}"
        )
        rows = table.loc[dots.customdata]
        assert np.allclose(dots.y, rows["miss"], rtol=1e-6)
        if scale.kind == "choice":
            assert [*axis.ticktext] == scale.labels
            shift = scattered(np.array(dots.customdata, np.int64), 0.6)
            indices = np.round(dots.x - shift).astype(int)
            assert [scale.held[i] for i in indices] == rows[scale.name].tolist()
        else:
            assert np.allclose(dots.x, rows[scale.name].astype(float), rtol=1e-6)
    applies = table["slack"].notna().sum()
    assert f"Not every trial has slack ({100 - applies})." in picture.words


def test_the_legend_of_slices_has_all_that_some_panel_has():
    # Twenty trials are too few for a median line of the rate; each kind has a median.
    picture = slices(made(20))
    assert {one.name for one in picture.figure.data if one.xaxis == "x"} == {
        "trials", "best trial",
    }  # fmt: skip
    shown = [one.name for one in picture.figure.data if one.showlegend]
    assert sorted(shown) == ["best trial", "median", "trials"]


@given(st.integers(1, 500), st.integers(20, 500))
def test_a_narrow_axis_has_more_than_one_number(low, wide):
    results = made(1, space={**SPACE, "steps": {"min": low, "max": low + wide}})
    (steps,) = (scale for scale in scales(results) if scale.name == "steps")
    assert steps.kind == "linear"
    ticks = steps.axis(narrow=True)["tickvals"]
    assert 2 <= len(ticks) <= 4
    assert low <= min(ticks) < max(ticks) <= low + wide


def test_lines_cross_each_axis_where_their_values_are():
    results = made(60)
    picture = parallel(results)
    table = results.trials.set_index("number")
    names = ["miss", *SPACE]
    seen = set()
    for one in picture.figure.data:
        if one.customdata is None:
            continue
        x = np.array(one.x, float).reshape(-1, len(names) + 1)
        numbers = [*one.customdata][:: len(names) + 1]
        texts = [*one.text][names.index("kind") :: len(names) + 1]
        for n, line, text in zip(numbers, x, texts):
            assert text == f"kind {table.loc[n, 'kind']}"
            seen.add(n)
            rate = math.log(table.loc[n, "rate"] / 1e-4) / math.log(1e4)
            assert line[names.index("rate")] == pytest.approx(rate, abs=1e-5)
            slack = table.loc[n, "slack"]
            assert line[names.index("slack")] == pytest.approx(
                -0.06 if math.isnan(slack) else slack, abs=1e-5
            )
            assert math.isnan(line[-1])
    assert seen == {*range(60)}
    labels = [note.text for note in picture.figure.layout.annotations]
    assert {"0.001", "0.01", "plain", "round", "sharp", "none"} <= {*labels}


def test_a_map_is_the_weighted_mean_of_the_trials_nearby():
    results = made(80)
    rate, steps = (scale for scale in scales(results) if scale.name in ("rate", "steps"))
    table = results.trials
    x, y = rate.places(table), steps.places(table)
    values = np.log10(table["miss"].to_numpy())
    grid = np.geomspace(1e-4, 1, 6), np.geomspace(10, 1000, 6)
    coloured = []
    level = smoothed((rate, steps), (x, y), values, grid)
    width = 0.3 * 80 ** (-1 / 6)
    for i, across in enumerate(grid[0]):
        for j, up in enumerate(grid[1]):
            dx = (np.log(x / across) / math.log(1e4)) / width
            dy = (np.log(y / up) / math.log(100)) / width
            near = np.exp(-0.5 * (dx**2 + dy**2))
            wanted = np.average(values, weights=near)
            if np.hypot(dx, dy).min() * width > 0.08:
                wanted = math.nan
            assert level[j, i] == pytest.approx(wanted, nan_ok=True)
            coloured.append(math.isfinite(wanted))
    assert 0 < sum(coloured) < len(coloured)


def test_the_map_is_of_the_two_parameters_that_matter_most():
    picture = contour(made(300))
    layout = picture.figure.layout
    assert (layout.xaxis.title.text, layout.yaxis.title.text) == ("rate", "kind")
    assert layout.coloraxis.reversescale is True
    assert contour(made(300, maximised())).figure.layout.coloraxis.reversescale is False
    assert "smoothed over 300 trials" in picture.words
    # It smooths logarithms where the objective spans decades, and then only.
    assert picture.words.startswith("The typical (geometric mean) miss over rate and kind")
    assert layout.coloraxis.colorbar.title.text == "miss<br>(geometric<br>mean)"
    assert contour(made(300, maximised())).words.startswith("The mean hits over ")


def test_a_map_without_pruned_trials_says_that_they_are_left_out():
    results = made(120, PRUNED, row=eventful)
    pruned = int((results.trials["state"] == "PRUNED").sum())
    assert f"{pruned} pruned trials are left out" in contour(results).words
    assert "pruned" not in contour(made(60)).words


def test_a_map_of_parameters_that_matter_no_more_than_chance_does_not_say_that_they_matter():
    def row(luck, spec, place):
        values, outcome = complete(luck, spec, place)
        return values, replace(outcome, scores=spec.scores((luck.random(), 0.5)))

    results = made(64, row=row)
    picture = contour(results)
    assert picture.title == "miss over two parameters"
    assert picture.words.endswith("Neither of the two matters more than it would by chance alone.")


def test_trainings_and_the_share_solved_are_those_recorded():
    one, other = trainings(SPEC, 1, 20), trainings(SPEC, 1, 20, failed=3)
    entry = {"number": 5, "seeds": 20, "value": 0.25, "failed": 0, "solved": 14}
    summary = {
        "confirmation": {"trials": [entry]}, "first": 5,
        "recommended": {"number": 5},
    }  # fmt: skip
    picture = replicates(made(12, replicates={5: one, 7: other}, summary=summary))
    fresh, shares = trace(picture, "fresh seeds"), trace(picture, "share solved")
    rows = np.round(np.array(fresh.y, float)).astype(int)
    expected = one.loc[one["part"] == "confirmation", "miss"]
    assert np.allclose(np.array(fresh.x)[rows == 0], expected, rtol=1e-6)
    assert [*np.array(fresh.customdata)[rows == 0]] == [*range(100, 120)]
    low, high = wilson_interval(14, 20)
    assert shares.x[0] == pytest.approx(0.7)
    assert shares.error_x.array[0] == pytest.approx(high - 0.7)
    assert shares.error_x.arrayminus[0] == pytest.approx(0.7 - low)
    assert [*picture.figure.layout.yaxis.ticktext] == [
        "<b>trial 5</b><br>20 seeds", "trial 7<br>1 seed",
    ]  # fmt: skip
    assert (
        "On 20 fresh seeds trial 5, the recommended one, has a mean miss of 0.25" in picture.words
    )
    assert "70% of them are solved" in picture.words
    before = number(float(one.loc[one["part"] == "search", "miss"].iloc[0]))
    assert f"Rank 1, trial 5, had {before} in the search" in picture.words


def test_a_trial_that_looks_better_on_the_seeds_that_chose_is_no_contradiction():
    entries = [
        {"number": n, "seeds": 10, "value": value, "failed": 0, "solved": 7}
        for n, value in ((5, 0.3), (7, 0.2), (8, 0.4))
    ]
    summary = {"confirmation": {"trials": entries}, "first": 7, "recommended": {"number": 5}}
    # The recommended one had ten further trainings after those that chose it.
    rows = {5: trainings(SPEC, 1, 20), 7: trainings(SPEC, 1, 10), 8: trainings(SPEC, 1, 10)}
    picture = replicates(made(12, replicates=rows, summary=summary))
    assert [*picture.figure.layout.yaxis.ticktext] == [
        "<b>trial 5</b><br>10 later seeds", "trial 7<br>10 seeds", "trial 8<br>10 seeds",
    ]  # fmt: skip
    assert "Trial 7 looks better on the seeds that did the choosing" in picture.words
    assert "Trial 8" not in picture.words


def test_pruned_trials_stand_at_their_rungs():
    results = made(120, PRUNED, row=eventful)
    picture = rungs(results)
    table = results.trials.set_index("number")
    pruned = table[table["state"] == "PRUNED"]
    complete_ones = int((table["state"] == "COMPLETE").sum())
    counts = [int((pruned[PRUNED_EPOCH] == epoch).sum()) for epoch in (3, 9)]
    bars, dots = (one for one in picture.figure.data if one.name == "trials")
    assert [*bars.y] == [*counts, complete_ones]
    assert [*picture.figure.layout.xaxis2.ticktext] == ["3", "9", "end"]
    assert {*dots.customdata} == {*pruned.index, *table.index[table["state"] == "COMPLETE"]}
    rows = np.round(dots.x - scattered(np.array(dots.customdata, np.int64), 0.55)).astype(int)
    for n, row, value in zip(dots.customdata, rows, dots.y):
        wanted = table.loc[n, "miss"] if row == 2 else table.loc[n, PRUNED_LOSS]
        assert value == pytest.approx(wanted, rel=1e-6)
    assert f"{counts[0]} stopped at epoch 3" in picture.words


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30),
    st.booleans(),
)
def test_the_front_has_the_trials_that_no_other_beats(points, falls):
    costs, values = (np.array(one, float) for one in zip(*points))
    sign = 1 if falls else -1
    front = pareto_front(costs, values, falls=falls)
    on_it = {(costs[place], values[place]) for place in front}
    beaten = {
        (c, v)
        for c, v in points
        if any(oc <= c and sign * ov <= sign * v and (oc, ov) != (c, v) for oc, ov in points)
    }
    assert on_it == {*points} - beaten
    assert len(on_it) == len(front)


def test_the_cost_is_the_specs_or_else_the_time():
    picture = cost(made(50))
    assert picture.figure.layout.xaxis.title.text == "steps"
    assert picture.figure.layout.xaxis.type == "log"
    picture = cost(made(50, replace(SPEC, cost=None)))
    assert picture.figure.layout.xaxis.title.text == "training, seconds"
    results = made(50, replace(SPEC, cost=None))
    dots = trace(cost(results), "trials")
    assert np.allclose(sorted(dots.x), sorted(results.trials["duration_s"]), rtol=1e-6)


@pytest.mark.parametrize(("spread", "is_drawn"), [(0.4, False), (1.2, True)])
def test_times_that_differ_by_noise_are_no_cost(spread, is_drawn):
    def row(luck, spec, place):
        values, outcome = complete(luck, spec, place)
        # One trial that waited for long is noise as well.
        took = 50.0 if place == 3 else 1 + spread * luck.random() * 1.5
        return values, replace(outcome, duration_s=took)

    results = made(50, replace(SPEC, cost=None), row=row)
    if is_drawn:
        assert cost(results).name == "cost"
    else:
        with pytest.raises(Absent):
            cost(results)


def test_states_are_counted_and_failures_told_apart_by_their_kind():
    results = made(200, PRUNED, row=eventful)
    figure = states(results).figure
    (bars,) = figure.data
    counts = results.trials["state"].value_counts().to_dict()
    drawn = dict(zip(bars.hovertext, bars.x))
    reasons = {name: n for name, n in drawn.items() if name not in counts}
    assert {name: n for name, n in drawn.items() if name in counts} == counts
    assert {name.partition(" at ")[0] for name in reasons} == {
        "loss is not finite", "it flew away",
    }  # fmt: skip
    assert sum(reasons.values()) == counts["FAIL"]
    assert [note.text for note in figure.layout.annotations] == [
        f"{n}  {name}" for name, n in drawn.items()
    ]


def test_the_parts_of_the_time_are_those_of_the_runs():
    results = made(5)
    elapsed, added_up = time_spent(results).figure.data
    assert (elapsed.name, added_up.name) == ("elapsed", "added up over the workers")
    assert dict(zip([*elapsed.y, *added_up.y], [*elapsed.x, *added_up.x])) == {
        "time": 10.0, "start": 1.0, "ask": 2.0, "write": 3.0, "train": 8.0, "queue": 0.5,
        "idle": 4.0,
    }  # fmt: skip
    many = time_spent(made(5, runs=[*results.runs] * 9)).figure.data
    assert sum(bars.x[0] for bars in many) == 90


def test_pruned_trials_are_behind_the_complete_ones_for_the_importance():
    def row(luck, spec, place):
        values, outcome = complete(luck, spec, place)
        if values["rate"] > 0.01:
            return values, outcome
        stop = {PRUNED_EPOCH: 3.0, PRUNED_LOSS: 0.0}
        scores = spec.scores(stop.get(name, math.nan) for name in spec.metric_names)
        return values, Outcome("PRUNED", scores)

    results = made(100, PRUNED, row=row)
    assert 20 < results.trials["rank"].notna().sum() < 70
    assert importances(results)[0].name == "rate"
    assert importance(results).words.endswith("Pruned trials count as worse than complete ones.")


def test_rows_of_numbers_have_the_colour_of_their_target_on_the_map():
    points = tuple((x / 10, 0.5, float(x)) for x in range(9))
    surface = Surface(
        ("a", "b"), (0.0, 1.0), (0.0, 1.0), ((0.0, 8.0), (0.0, 8.0)), None, points, "yield"
    )
    rows = trace(surface_picture(surface, "Answers"), "rows")
    assert [*rows.marker.color] == [target for *_, target in points]
    assert rows.marker.coloraxis == "coloraxis"
    classes = replace(surface, points=points[:2], classes=("no", "yes"), boundary=0.5)
    by_class = trace(surface_picture(classes, "Answers"), "yes")
    assert isinstance(by_class.marker.color, str)
