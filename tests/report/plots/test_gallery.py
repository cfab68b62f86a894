"""All plots of every kind of study: light, in words, without colours of their own, and harmless."""

import json
import math
from dataclasses import replace
from functools import cache

import plotly.io
import pytest

from tests.hostile import HOSTILE, steering
from tests.report.plots.made import (
    SPACE,
    SPEC,
    alike,
    complete,
    eventful,
    failing,
    made,
    maximised,
    trainings,
    unmeasured,
    waiting,
)
from xortune.report.plots import gallery, pictures
from xortune.report.plots.gallery import PLOTS
from xortune.report.plots.theme import COLOURS, dark, light
from xortune.spec import Goal, Metric, Objective, Parameter, ProblemSpec
from xortune.trial import Outcome

PRUNED = SPEC.extended(replicated=False, pruned=True)
REPLICATED = SPEC.extended(replicated=True, pruned=False)
NO_LOSS = replace(
    SPEC, metrics=(Metric("miss"), Metric("hits", "share")), loss=None, curve=(), cost=None,
    solved=None, compared=None,
)  # fmt: skip
WITHOUT_SEED = {name: entry for name, entry in SPACE.items() if name != "seed"}
POINT = {name: {"value": SPEC.defaults[name]} for name in SPACE}
STUDIES = {
    "complete": lambda: made(60),
    "maximised": lambda: made(60, maximised()),
    "in every state": lambda: made(120, PRUNED, row=eventful),
    "maximised, in every state": lambda: made(120, maximised(PRUNED), row=eventful),
    "replicated": lambda: made(
        40, REPLICATED, WITHOUT_SEED,
        replicates={3: trainings(REPLICATED, 5, 0), 4: trainings(REPLICATED, 5, 16)},
    ),
    "without a loss": lambda: made(40, NO_LOSS),
    "of one trial": lambda: made(1),
    "of two trials": lambda: made(2, PRUNED, row=eventful),
    "of none": lambda: made(0, runs=[]),
    "just begun": lambda: made(10, row=waiting, runs=[]),
    "all failed": lambda: made(30, row=failing),
    "all alike": lambda: made(30, row=alike),
    "partly measured": lambda: made(40, maximised(), row=unmeasured),
    "of one point": lambda: made(20, space=POINT),
}  # fmt: skip


@cache
def found(kind):
    return gallery(STUDIES[kind]())


@pytest.mark.parametrize("kind", STUDIES)
def test_every_plot_is_drawn_or_says_why_not(kind):
    there, missing = found(kind)
    assert [*PLOTS] == sorted([p.name for p in [*there, *missing]], key=[*PLOTS].index)
    for picture in there:
        assert picture.title
        assert picture.words.endswith(".")
        assert "nan" not in picture.words
        assert "inf" not in picture.words.split()
        drawn = json.loads(picture.figure.to_json())
        assert drawn["data"]
        assert not {"paper_bgcolor", "plot_bgcolor", "font"} & {*drawn["layout"]}
        assert "width" not in drawn["layout"]
    for one in missing:
        assert one.why == one.why.strip(". ")


def test_what_each_kind_of_study_lacks():
    lacking = {kind: {one.name for one in found(kind)[1]} for kind in STUDIES}
    assert lacking["complete"] == {"replicates", "rungs", "states"}
    assert lacking["in every state"] == {"replicates"}
    assert lacking["replicated"] == {"rungs", "states"}
    assert lacking["of none"] == {*PLOTS}
    assert lacking["just begun"] == {*PLOTS} - {"states"}
    assert lacking["all failed"] == {*PLOTS} - {"states", "time"}
    assert "curves" in lacking["without a loss"]
    assert lacking["of one point"] >= {"slices", "parallel", "contour", "importance"}
    missing = gallery(made(10))[1]
    assert ("importance", "it takes 20 trials that have ended, and there are 10") in missing


def test_the_same_results_give_the_same_figures():
    first, second = (
        [p.figure.to_json() + p.words for p in pictures(made(150, PRUNED, row=eventful))]
        for _ in range(2)
    )
    assert first == second


def test_ten_thousand_trials_give_light_figures():
    there = pictures(made(10_000, PRUNED, row=eventful))
    sizes = {picture.name: len(picture.figure.to_json()) for picture in there}
    assert max(sizes.values()) < 220_000, sizes
    assert sum(sizes.values()) < 1_200_000
    thinned = next(picture for picture in there if picture.name == "best-so-far")
    assert "of the " in thinned.words


def test_of_very_many_parameters_those_that_matter_most_are_drawn():
    names = [f"a_parameter_of_many_{place}" for place in range(30)]
    spec = ProblemSpec(
        problem="wide",
        parameters=tuple(Parameter(n, "float", 0.5, low=0.0, high=1.0) for n in names),
        metrics=(Metric("loss", "loss"),),
        loss="loss",
        objectives=(Objective("loss"),),
    )

    def row(luck, spec, number):
        values = {name: luck.random() for name in names}
        return values, Outcome("COMPLETE", spec.scores((values[names[-1]] + 1,)))

    there = pictures(made(1000, spec, {n: {"min": 0.0, "max": 1.0} for n in names}, row))
    figures = {picture.name: picture for picture in there}
    assert max(len(picture.figure.to_json()) for picture in there) < 220_000
    assert figures["importance"].figure.data[0].y[0] == names[-1]
    for name in ("slices", "parallel"):
        assert "Of 30 parameters these are the 24 that matter most." in figures[name].words
        assert names[-1] in str(figures[name].figure.layout)
    assert figures["contour"].figure.layout.xaxis.title.text == names[-1]


def hostile_study():
    choices = tuple(dict.fromkeys(HOSTILE))
    name = "choice"
    spec = ProblemSpec(
        problem="hostile",
        parameters=(
            Parameter(name, "choice", choices[0], choices=choices, ordered=False),
            Parameter("x", "float", 0.5, low=0.0, high=1.0),
        ),
        metrics=(Metric("loss", "loss"),),
        loss="loss",
        objectives=(Objective("loss"),),
    )
    space = {name: {"values": [*choices]}, "x": {"min": 0.0, "max": 1.0}}

    def row(luck, spec, number):
        text = choices[number % len(choices)]
        values = {name: text, "x": luck.random()}
        if number % 3 == 1:
            return values, Outcome("FAIL", error=f"{text} failed")
        return values, Outcome("COMPLETE", spec.scores((luck.random(),)), duration_s=0.1 * number)

    return made(120, spec, space, row)


def texts(value):
    """All texts in what a figure becomes."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from texts(one)


def test_hostile_texts_are_no_markup():
    for picture in pictures(hostile_study()):
        assert steering(picture.words) == []
        drawn = json.loads(picture.figure.to_json())
        drawn["layout"].pop("template")
        for text in texts(drawn):
            assert steering(text) == []
            without_ours = text
            for ours in ("<br>", "<extra></extra>", "<b>", "</b>"):
                without_ours = without_ours.replace(ours, "")
            assert "<" not in without_ours
            assert "$" not in text
            assert "%{" not in text or text.endswith("<extra></extra>")


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    """Of two colours, as WCAG 2 defines it."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("template", "around"), [(light, "#ffffff"), (dark, "#1b1f26")])
def test_texts_and_data_stand_out_from_their_surroundings(template, around):
    layout = template.layout
    for colour in (layout.font.color, layout.xaxis.tickfont.color, layout.hoverlabel.font.color):
        assert contrast(colour, around) >= 4.5
    for colour in COLOURS:
        assert contrast(colour, around) >= 3


def test_a_page_can_swap_the_template():
    (picture, *_) = pictures(made(30))
    drawn = json.loads(picture.figure.to_json())
    assert drawn["layout"]["template"] == json.loads(plotly.io.to_json(light))
    assert {*light.layout.to_plotly_json()} == {*dark.layout.to_plotly_json()}


def test_a_goal_that_is_never_measured_is_no_error():
    spec = replace(SPEC, solved=Goal("hits", 1.0))
    frame = trainings(spec, 1, 4).assign(hits=math.nan)
    there, missing = gallery(made(30, spec, row=complete, replicates={0: frame}))
    assert "replicates" in {picture.name for picture in there}
    assert missing
