"""A study as a few lines of HTML, for a notebook: no scripts, and the notebook's own colours."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from xortune.escaping import visible
from xortune.report.formats import plain_rows
from xortune.settings import StudySettings
from xortune.spec import SOLVED_SHARE, ProblemSpec

if TYPE_CHECKING:
    import pandas as pd

_ROWS = 5
_LONGEST = 60  # characters of a text


def card(name: str, trials: pd.DataFrame, summary: Mapping[str, Any], study: StudySettings) -> str:
    """A study's state, the trial to use, and its best trials.

    Args:
        name: the study's.
        trials: ranked.
        summary: as `Study.summary` gives it.
        study: its settings.
    """
    lines = [_state(name, summary, study.trials), *_use(summary, study.spec)]
    paragraphs = "".join(f"<div>{line}</div>" for line in lines)
    rows = plain_rows(trials.head(_ROWS))
    return f"<div>{paragraphs}{_table(rows, _columns(study.spec)) if rows else ''}</div>"


def _state(name: str, summary: Mapping[str, Any], total: int) -> str:
    states = summary["states"]
    done = summary["trials"] - sum(states.get(state, 0) for state in ("WAITING", "RUNNING"))
    counts = ", ".join(f"{count} {state}" for state, count in states.items()) or "none yet"
    stopped = summary.get("stopped")
    reason = f"; stopped: {_shown(stopped['reason'])}" if stopped else ""
    return f"<b>study {_shown(name)}</b>: {done} of {total} trials finished ({counts}){reason}"


def _use(summary: Mapping[str, Any], spec: ProblemSpec) -> list[str]:
    """The line that says which trial to use, if the best ones were confirmed."""
    used = summary.get("recommended")
    if used is None:
        return []
    params = ", ".join(f"{_shown(key)} {_shown(value)}" for key, value in used["params"].items())
    name = spec.objectives[0].metric
    line = f"<b>use trial {used['number']}</b>: {params}; {_shown(name)} {_shown(used[name])} "
    line += f"on {used['seeds']} fresh seeds"
    if SOLVED_SHARE in used:
        line += f", solves {used[SOLVED_SHARE]:.0%}"
    return [line]


def _columns(spec: ProblemSpec) -> list[str]:
    objective = spec.objectives[0].metric
    measured = ["final_loss"] if spec.loss else []
    measured += [objective] if objective != spec.loss else []
    shares = [m.name for m in spec.metrics if m.kind == "share"]
    shown = ["rank", "number", "state", *spec.names, *measured, *shares]
    return list(dict.fromkeys(shown))


def _table(rows: Iterable[Mapping[str, Any]], names: Iterable[str]) -> str:
    heads = "".join(f'<th scope="col">{_shown(name)}</th>' for name in names)
    lines = "".join(
        f"<tr>{''.join(f'<td>{_shown(row[name])}</td>' for name in names)}</tr>" for row in rows
    )
    # Notebooks style tables of this class, in light and in dark.
    return f'<table class="dataframe"><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>'


def _shown(value: Any) -> str:
    """A value as text that is safe in HTML."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return escape(visible(text))
