"""The HTML report: how long it takes to write, how large it is, and how soon it can be used."""

from __future__ import annotations

import tempfile
from pathlib import Path

import xortune
from tests.benchmarks.core import Figure, Plan, Result, Row, at_most, duration, seconds
from tests.browser import Chromium, started
from xortune.studies.study import Study

SIZES = (50, 1000, 10_000)
# Of the page's own clock: when the table was there, and sorted by another column.
_READY = "() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd / 1000"
_SORTED = """() => {
  const started = performance.now();
  document.querySelector("#trials thead tr :last-child button").click();
  document.querySelector("#trials tbody").getBoundingClientRect();
  return (performance.now() - started) / 1000;
}"""
_DRAWN = """async () => {
  const started = performance.now();
  for (const place of document.querySelectorAll(".plot")) {
    place.scrollIntoView({ behavior: "instant" });
    while (!place.querySelector(".main-svg")) await new Promise((next) => setTimeout(next, 5));
  }
  return (performance.now() - started) / 1000;
}"""


def pages(plan: Plan) -> Result:
    """Studies of three sizes, by the random sampler."""
    figures, samples = [], {}
    with tempfile.TemporaryDirectory() as folder, started() as chromium:
        for size in SIZES:
            study = xortune.search(
                trials=plan.size(size), sampler="random", confirm=False, runner="inline",
                results=folder, name=f"of-{size}",
            )  # fmt: skip
            taken = _taken(plan, study, chromium)
            samples |= {f"{size:,} trials: {what}": values for what, values in taken.items()}
            figures += _figures(size, taken, study.paths.report)
    return Result(figures, samples)


def _taken(plan: Plan, study: Study, chromium: Chromium) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {"write": [], "open": [], "sort": [], "draw": []}
    for _ in range(plan.repeats):
        taken["write"].append(seconds(study.html))
        with chromium.tab() as tab:
            tab.page.goto(study.paths.report.as_uri())
            taken["open"].append(tab.page.evaluate(_READY))
            taken["sort"].append(tab.page.evaluate(_SORTED))
            taken["draw"].append(tab.page.evaluate(_DRAWN))
            assert (tab.errors, tab.requests) == ([], [])
    return taken


def _figures(size: int, taken: dict[str, list[float]], file: Path) -> list[Figure]:
    shown = {what: duration(values) for what, values in taken.items()}
    megabytes = f"{file.stat().st_size / 1e6:.1f} MB, written in {shown['write']}"
    drawn = f"all pictures drawn in {shown['draw']}"
    return [
        Figure(
            f"a page of {size:,} trials opens", shown["open"], megabytes, taken["open"],
            at_most(3), " s",
        ),
        Figure(f"its table is sorted, {size:,} rows", shown["sort"], drawn, taken["sort"],
               None, " s"),
    ]  # fmt: skip


ROWS = (
    Row(
        24,
        "page",
        "`python -m xortune report STUDY --html` of studies of 50, 1,000 and 10,000 trials, opened "
        "in headless Chromium: until the table can be used, sorting it, and drawing every picture "
        "on the way down.",
        pages,
    ),
)
