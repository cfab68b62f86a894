"""What a confirmation found and why a search stopped: readers can trust its shape."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.ledger.rungs import new_study, rung_settings
from xortune.errors import UsageError
from xortune.ledger import Ledger
from xortune.paths import StudyPaths

SETTINGS = rung_settings(pruner="none", confirm=(2, 8))
ENTRY = {
    "number": 3,
    "seeds": 8,
    "value": 0.25,
    "std": 0.5,
    "median": 0.25,
    "low": 1e-9,
    "high": 1.0,
    "failed": 0,
    "solved": 7,
    "metrics": {"mse": 0.25, "accuracy": 0.875},
}
DIVERGED = {
    **ENTRY,
    "number": 7,
    "value": None,
    "std": None,
    "high": None,
    "failed": 8,
    "solved": None,
    "metrics": {"bce": None},
}
FINDINGS: dict[str, Any] = {
    "confirmation": {
        "wanted": [2, 8],
        "of": 2,
        "seeds": 8,
        "aggregate": "mean",
        "trials": [ENTRY, DIVERGED],
        "recommended": 3,
    },
    "stopped": {"by": "stop_at", "after": 8, "reason": "an objective of 1e-06 was reached"},
    "test": {"number": 0},
}


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> StudyPaths:
    """A study of eight trials."""
    return new_study(tmp_path_factory.mktemp("study") / "one", SETTINGS)


def changed(*place: Any, to: Any) -> dict[str, Any]:
    """The findings with another value at a place; without it if that is `...`."""
    findings = copy.deepcopy(FINDINGS)
    inner: Any = findings
    for key in place[:-1]:
        inner = inner[key]
    if to is ...:
        del inner[place[-1]]
    else:
        inner[place[-1]] = to
    return findings


# Each trial that was confirmed failed on some of its seeds.
NONE = changed("confirmation", "recommended", to=None)


def test_findings_come_back(paths):
    with Ledger.open(paths) as ledger:
        for findings in (FINDINGS, {}, {"stopped": FINDINGS["stopped"]}, NONE):
            ledger.record(SETTINGS, ledger.provenance(), findings)
            assert ledger.findings() == findings


C, T = "confirmation", ("confirmation", "trials", 0)


@pytest.mark.parametrize(
    "findings",
    [
        changed("stopped", to=None),
        changed("stopped", to=[]),
        changed("stopped", "by", to="clock"),
        changed("stopped", "by", to=["stop_at"]),
        changed("stopped", "by", to=...),
        changed("stopped", "after", to=9),
        changed("stopped", "after", to=-1),
        changed("stopped", "after", to=True),
        changed("stopped", "after", to=1.0),
        changed("stopped", "reason", to=None),
        changed("stopped", "reason", to="r" * 200_000),
        changed(C, to="all"),
        changed(C, "of", to=0),
        changed(C, "of", to=...),
        changed(C, "seeds", to="8"),
        changed(C, "aggregate", to="best"),
        changed(C, "trials", to={}),
        changed(C, "trials", to=[]),
        changed(C, "trials", to=[ENTRY, ENTRY]),
        changed(C, "trials", to=[ENTRY, 7]),
        changed(C, "recommended", to=4),
        changed(C, "recommended", to=7),
        changed(C, "recommended", to="3"),
        changed(C, "recommended", to=...),
        changed(C, "wanted", to=2),
        changed(C, "wanted", to=[2, "8"]),
        changed(*T, "number", to=8),
        changed(*T, "number", to=-1),
        changed(*T, "number", to=None),
        changed(*T, "seeds", to=0),
        changed(*T, "value", to="low"),
        changed(*T, "value", to=True),
        changed(*T, "std", to=[0.5]),
        changed(*T, "median", to=...),
        changed(*T, "failed", to=9),
        changed(*T, "failed", to=None),
        changed(*T, "solved", to=9),
        changed(*T, "solved", to=0.5),
        changed(*T, "solved", to=...),
        changed(*T, "metrics", to=[0.5]),
        changed(*T, "metrics", to={"other": 0.5}),
        changed(*T, "metrics", to={"mse": "low"}),
    ],
)
def test_findings_that_no_search_has(paths, findings):
    with Ledger.open(paths) as ledger:
        ledger.record(SETTINGS, ledger.provenance(), findings)
    with (
        Ledger.read(paths) as ledger,
        pytest.raises(UsageError, match=r"study.db is damaged: the finding '\w+' does not .*copy"),
    ):
        ledger.findings()


def test_trials_that_are_added_later_are_known(paths):
    """The findings of a study are checked against the trials that it has by now."""
    later = changed(*T, "number", to=8)
    later["confirmation"]["recommended"] = 8
    with Ledger.open(paths) as ledger:
        trial = ledger.trial(7).trial
        ledger.add_trials([trial._replace(number=8)])
        ledger.record(SETTINGS, ledger.provenance(), later)
        assert ledger.findings() == later
