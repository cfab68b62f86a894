"""The page: all its parts, put into the template."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from xortune.escaping import json_text, visible
from xortune.report.page import assets, head, sections
from xortune.report.page.about import About
from xortune.report.page.drawing import Drawing
from xortune.report.page.figures import Figure, figures, templates_text
from xortune.report.page.leaderboard import FIRST_ROWS, Column, leaderboard
from xortune.report.plots import Picture
from xortune.report.results import Results

if TYPE_CHECKING:
    import jinja2
    import markupsafe

# The sections of pictures, and the names of those that they hold; others come last.
_GROUPS = (
    ("progress", "How the search went", ("best-so-far", "curves", "rungs")),
    ("matters", "What matters", ("importance", "slices", "parallel", "contour")),
    ("luck", "How far luck goes", ("replicates",)),
    ("costs", "What it costs", ("cost",)),
)
_OTHERS = ("more", "More pictures")
_MODEL = ("model", "What the model learned")
_FAILURES, _TIME = ("states",), ("time",)
_ELSEWHERE = ("predictions", *_FAILURES, *_TIME)
# Numbers with a sign, an exponent or a unit; others have no place where a line could end.
_DIGITS = r"\d(?:[\d.,]*\d)?"
_EXPONENT, _UNIT = r"e[-+]\d+", " ?%"
_NUMBERS = re.compile(
    rf"(?<![\w.-])(-{_DIGITS}(?:{_EXPONENT})?(?:{_UNIT})?|{_DIGITS}(?:{_EXPONENT}|{_UNIT}))"
)
GENERATOR = "xortune report"  # names the files that may be replaced


class Group(NamedTuple):
    """A section of pictures."""

    name: str
    title: str
    figures: Sequence[Figure]


def html_page(
    results: Results,
    pictures: Sequence[Picture],
    drawings: Sequence[Drawing],
    about: About | None = None,
) -> str:
    """A study as one HTML file, which needs no other and asks for none.

    Args:
        results: the study.
        pictures: its plots, in the order in which they are shown.
        drawings: of the trained model.
        about: what else is to be said of the study.
    """
    about = about or About(total=len(results.trials))
    drawn = figures(pictures)
    by_name = {figure.name: figure for figure in drawn}
    columns = leaderboard(results.spec, results.trials)
    script, plotly = assets.script(), assets.plotly() if drawn else ""
    context = {
        "about": about,
        "advice": head.advice(results, about),
        "best_of_choices": head.best_of_choices(results),
        "columns": columns,
        "columns_text": _columns_text(results, columns),
        "compared": results.spec.compared,
        "drawings": drawings,
        "facts": head.facts(results, about),
        "failures": [by_name[name] for name in _FAILURES if name in by_name],
        "first_rows": range(min(FIRST_ROWS, len(results.trials))),
        "generator": f"{GENERATOR} {results.described['xortune']}",
        "groups": _groups(drawn),
        "lede": head.lede(results, about),
        "name": visible(results.name),
        "plotly": plotly,
        "policy": assets.policy((script, plotly), [figure.plain for figure in drawn]),
        "predictions": by_name.get("predictions"),
        "problem": visible(results.spec.problem),
        "reasons": sections.reasons(results),
        "recorded": sections.recorded_text(results),
        "scores": head.scores(results),
        "script": script,
        "settings": sections.setting_rows(results),
        "space": sections.space_rows(results.space),
        "states": sections.states(results),
        "style": assets.style(),
        "templates": templates_text(),
        "time_head": sections.time_rows(results)[0],
        "time_rows": sections.time_rows(results)[1],
        "use_row": _use_row(results),
        "times": [by_name[name] for name in _TIME if name in by_name],
        "trials": len(results.trials),
        "versions": sections.version_rows(results),
    }
    return _environment().get_template("page.html").render(context)


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("xortune.report.page", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["unbroken"] = _unbroken
    return made


def _unbroken(text: str) -> markupsafe.Markup:
    """A text in which no line ends within a number, or between it and its unit."""
    from markupsafe import Markup, escape

    parts = _NUMBERS.split(text)  # texts and numbers in turns
    whole = Markup('<span class="unbroken">{}</span>')
    return Markup("").join(
        whole.format(part) if place % 2 else escape(part) for place, part in enumerate(parts)
    )


def _groups(drawn: Sequence[Figure]) -> list[Group]:
    known = {name for *_, names in _GROUPS for name in names}
    groups = [
        Group(name, title, [figure for figure in drawn if figure.name in names])
        for name, title, names in _GROUPS
    ]
    rest = [figure for figure in drawn if figure.name not in (*known, *_ELSEWHERE)]
    return [group for group in [*groups, Group(*_OTHERS, rest)] if group.figures]


def _columns_text(results: Results, columns: Sequence[Column]) -> str:
    """The table for the page's script, as JSON."""
    content = {
        "columns": [column.packed() for column in columns],
        "shown": [column.name for column in columns if column.is_shown],
        "rows": len(results.trials),
        "use": _to_use(results),
        "page": FIRST_ROWS,
    }
    return json_text(json.dumps(content, allow_nan=False, separators=(",", ":")))


def _to_use(results: Results) -> Any:
    """The number of the recommended trial; None without one."""
    return (results.summary.get("recommended") or {}).get("number")


def _use_row(results: Results) -> int | None:
    """The place of that trial among the rows."""
    used = _to_use(results)
    return None if used is None else results.trials["number"].tolist().index(used)
