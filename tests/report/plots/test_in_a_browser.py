"""All figures in Chromium: nothing is fetched, nothing goes wrong, and markup is text."""

import base64
import hashlib
import json
from pathlib import Path

import plotly
import plotly.io

from tests.browser import NARROW, WIDE
from tests.report.plots.made import SPEC, eventful, made, trainings
from tests.report.plots.test_gallery import hostile_study
from xortune.report.plots import pictures, theme

SCRIPT = (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_text()
DRAW = """
    const drawn = FIGURES.map((figure, i) => {
        const place = document.body.appendChild(document.createElement("div"));
        place.id = "figure" + i;
        return Plotly.newPlot(place, figure.data, figure.layout, {responsive: true});
    });
    Promise.all(drawn).then(() => document.body.setAttribute("data-drawn", "all"));
"""


def page(figures):
    """A page as strict as a report: it may run these scripts alone, and fetch nothing."""
    scripts = [SCRIPT, DRAW.replace("FIGURES", json.dumps(figures).replace("<", "\\u003c"))]
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    allowed = " ".join(f"'sha256-{base64.b64encode(d).decode()}'" for d in digests)
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    policy += f"script-src {allowed}"
    tags = "".join(f"<script>{script}</script>" for script in scripts)
    return (
        '<!doctype html><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><body>{tags}'
    )


def drawn_in(tab, there, template):
    """Draws pictures on one page, and checks what holds of any."""
    figures = [json.loads(picture.figure.to_json()) for picture in there]
    for figure in figures:
        figure["layout"]["template"] = json.loads(plotly.io.to_json(template))
    tab.page.set_content(page(figures))
    tab.page.wait_for_selector("[data-drawn=all]")
    room = tab.page.viewport_size["width"]
    for number, picture in enumerate(there):
        box = tab.page.locator(f"#figure{number} .main-svg").first.bounding_box()
        assert box["width"] <= room, picture.name
        assert box["height"] == picture.figure.layout.height, picture.name
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= room
    assert (tab.requests, tab.errors) == ([], [])
    title = tab.page.locator("#figure0 .xtitle")
    return title.evaluate("element => getComputedStyle(element).fill")


def test_figures_need_nothing_but_their_script(chromium):
    spec = SPEC.extended(replicated=False, pruned=True)
    there = pictures(made(150, spec, row=eventful, replicates={0: trainings(spec, 1, 16)}))
    assert len(there) == 11
    with chromium.tab(WIDE) as tab:
        assert drawn_in(tab, there, theme.light) == "rgb(29, 33, 41)"


def test_names_that_are_markup_are_shown_as_they_are(chromium):
    with chromium.tab(NARROW, dark=True) as tab:
        assert drawn_in(tab, pictures(hostile_study()), theme.dark) == "rgb(232, 234, 238)"
        assert tab.page.locator("svg a, svg script").count() == 0
        texts = tab.page.locator("svg text").all_text_contents()
        assert any("<img src=x onerror=alert(1)> failed" in text for text in texts)
