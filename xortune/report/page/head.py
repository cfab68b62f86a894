"""The head of a page: what was searched, what came out, and what to use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from xortune.escaping import visible
from xortune.report.formats import plain_rows
from xortune.report.numerals import duration, metric_format, percent, value_text
from xortune.report.page.about import About
from xortune.report.recommendation import (
    edge_lines,
    first_edges,
    first_words,
    nothing_words,
    quality_words,
)
from xortune.report.results import Results
from xortune.space import count_values
from xortune.trial import STATES

_WORDS = {
    "COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": "in training",
    "WAITING": "waiting",
}  # fmt: skip
_UNFINISHED = ("RUNNING", "WAITING")


class Fact(NamedTuple):
    """A number that stands out, with what it is above it, and a note below."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Advice:
    """The trial to use, and how well that is known."""

    title: str
    number: int | None = None
    params: Sequence[tuple[str, str]] = ()
    quality: str = ""  # the numbers on which the advice rests
    sentences: Sequence[str] = ()
    warnings: Sequence[str] = ()


@dataclass(frozen=True)
class Scores:
    """Metrics of a trial on validation rows and on test rows, as texts."""

    number: int
    metrics: list[str]
    rows: list[list[str]]  # the word for the rows, and the metrics


def lede(results: Results, about: About) -> str:
    """What was searched, in two sentences."""
    states = results.summary["states"]
    names = _listed(_searched(results))
    total, finished = about.total or len(results.trials), _finished(states)
    searched = f"A search of {names} for the {_best_word(results)}."
    counted = _listed(
        [f"{states[s]:,} {_WORDS[s]}" for s in STATES if s in states and s not in _UNFINISHED]
    )
    if finished < total:
        are = "is" if finished == 1 else "are"
        detail = f": {counted}" if finished > 1 else ""
        return f"{searched} {finished:,} of {_count(total, 'trial')} {are} finished{detail}."
    if states.get("COMPLETE") == total > 1:
        return f"{searched} All {_count(total, 'trial')} are complete."
    return f"{searched} {_count(total, 'trial')}: {counted}."


def facts(results: Results, about: About) -> list[Fact]:
    """The numbers that a reader looks for first."""
    spec, summary = results.spec, results.summary
    states = summary["states"]
    complete = states.get("COMPLETE", 0)
    found = []
    if (row := _best(results)) is not None:
        metric = spec.objectives[0].metric
        form = ".3g" if spec.metric(metric).kind == "loss" else metric_format(spec.metric(metric))
        value = format_or_dash(row[metric], form)
        found.append(Fact(_best_word(results), value, f"rank 1, trial {row['number']}"))
    if complete and "solved" in summary:
        solved = summary["solved"]
        share = f"{percent(solved / complete)} of the complete trials"
        found.append(Fact("solved", f"{solved:,} of {complete:,}", share))
    found.append(_trials(states, about.total or len(results.trials)))
    if seconds := summary["time"]:
        found.append(Fact("time", duration(seconds["wall"]), _count(len(results.runs), "run")))
    return found


def advice(results: Results, about: About) -> Advice:
    """The trial to use; where none was confirmed, the trial of rank 1 with a word of caution."""
    spec, summary = results.spec, results.summary
    found, used = summary.get("confirmation"), summary.get("recommended")
    ends = [visible(line) for line in edge_lines(summary.get("edges", ()))]
    if found is None:
        is_open = _finished(summary["states"]) < (about.total or len(results.trials))
        return _unconfirmed(results, ends, is_open)
    if used is None:
        return Advice("No trial to recommend", sentences=(f"{_sentence(nothing_words(found))}.",))
    sentences = [
        "Fresh seeds are seeds that the search has not used, so this says how the assignment does "
        "on average, and not how lucky one training was."
    ]
    if "solved_share" in used:
        sentences[0] += " The range in parentheses holds the true share at 95% confidence."
    if first := first_words(summary, spec):
        own = edge_lines(first_edges(summary), widen=False)
        sentences += [f"For comparison, {visible('; '.join([first, *own]))}."]
    return Advice(
        f"Use trial {used['number']}",
        used["number"],
        _shown(used["params"]),
        f"{_sentence(quality_words(used, spec, found['aggregate']))}.",
        sentences,
        ends,
    )


def scores(results: Results) -> list[Scores]:
    """The test scores of the best trial, and of the one to use."""
    found = []
    for key in ("test_of_recommended", "test"):
        if test := results.summary.get(key):
            rows = [
                [word, *(format_or_dash(values[name], ".4g") for name in test["scores"])]
                for word, values in (("validation", test["validation"]), ("test", test["scores"]))
            ]
            found.append(Scores(test["number"], [*test["scores"]], rows))
    return found


def best_of_choices(results: Results) -> list[tuple[str, str, int]]:
    """For each choice of the compared parameter its name, the best objective, and the trial.

    Empty where fewer than two choices have a complete trial.
    """
    rows = [
        (visible(choice), format_or_dash([*found.values()][-1], ".3g"), found["number"])
        for choice, found in results.summary.get("best", {}).items()
    ]
    return rows if len(rows) > 1 else []


def format_or_dash(value: Any, form: str) -> str:
    """A number by a format specification; a dash where it is missing."""
    return "-" if value is None else format(value, form)


def _best_word(results: Results) -> str:
    """Such as `lowest error`."""
    metric, direction = results.spec.objectives[0]
    return f"{'highest' if direction == 'maximize' else 'lowest'} {metric}"


def _searched(results: Results) -> list[str]:
    """The names of the parameters that vary, or of all if none does."""
    domains = results.space.domains
    varied = [visible(name) for name, domain in domains.items() if count_values(domain) != 1]
    return varied or [*map(visible, domains)]


def _trials(states: Mapping[str, int], total: int) -> Fact:
    """How many trials are finished, of how many, and what became of them."""
    finished = _finished(states)
    value = f"{total:,}" if finished == total else f"{finished:,} of {total:,}"
    others = [f"{n:,} {_WORDS[s]}" for s, n in states.items() if s not in ("COMPLETE", "WAITING")]
    if not others:
        others = ["all complete"] if finished == total else []
    return Fact("trials", value, ", ".join(others))


def _finished(states: Mapping[str, int]) -> int:
    return sum(count for state, count in states.items() if state not in _UNFINISHED)


def _unconfirmed(results: Results, ends: Sequence[str], is_open: bool) -> Advice:
    row = _best(results)
    if row is None:
        yet = " yet" if is_open else ""
        return Advice("No trial is complete", sentences=(f"There is nothing to recommend{yet}.",))
    metric = results.spec.objectives[0].metric
    times = results.described["replicates"]
    trained = "once" if times == 1 else f"{times} times"
    value = format_or_dash(row[metric], ".3g")
    return Advice(
        f"Rank 1 is trial {row['number']}",
        row["number"],
        _shown({name: row[name] for name in results.spec.names}),
        f"{_sentence(metric)} {value}, the best of {_count(_ranked(results), 'trial')}.",
        [
            f"Each trial was trained {trained}, and the best of many is always lucky, too: no "
            "trial was trained again on fresh seeds, which would say how much."
        ],
        ends,
    )


def _best(results: Results) -> Mapping[str, Any] | None:
    rows = plain_rows(results.trials.head(1))
    return rows[0] if rows and rows[0]["rank"] is not None else None


def _ranked(results: Results) -> int:
    return int(results.trials["rank"].notna().sum())


def _shown(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, visible(value_text(value))) for name, value in params.items()]


def _sentence(words: str) -> str:
    """Words with a capital, unless they begin with a name such as `val_loss`."""
    first = words.partition(" ")[0]
    return words if "_" in first or not first.isalpha() else words[:1].upper() + words[1:]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
