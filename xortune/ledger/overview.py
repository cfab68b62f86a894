"""What a study has come to, without reading all of its trials."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from xortune.ledger.queries import TRIALS, check_count
from xortune.ledger.rows import Damage
from xortune.ledger.trial_rows import TrialRows
from xortune.spec import ProblemSpec
from xortune.trial import STATES


class Overview(NamedTuple):
    """Counts of trials, and the best value of the first objective."""

    states: dict[str, int]  # by state, of those that there are
    best: float | None  # None if no trial ranks

    @property
    def trials(self) -> int:
        return sum(self.states.values())

    @property
    def finished(self) -> int:
        return self.trials - self.states.get("WAITING", 0)


def read_overview(
    connection: sqlite3.Connection,
    form: TrialRows,
    spec: ProblemSpec,
    outdated: Sequence[tuple[int, int]],
) -> Overview:
    """Counts rows by state, and checks only that of the best trial.

    Args:
        connection: to the ledger.
        form: of the rows.
        spec: the study's.
        outdated: the first and the last numbers of trials that do not rank.

    Raises:
        Damage: rows are missing, a state is unknown, or the best row is not as it was written.
    """
    counts = dict(
        connection.execute("SELECT state, count(*) FROM trial NOT INDEXED GROUP BY state")
    )
    if not {*counts} <= {*STATES}:
        raise Damage("a trial has an unknown state")
    check_count(connection, "trials", sum(counts.values()))
    name, direction = spec.objectives[0]
    order = "DESC" if direction == "maximize" else "ASC"
    ranked = " AND ".join(["state = 'COMPLETE'", *["number NOT BETWEEN ? AND ?"] * len(outdated)])
    query = f"{TRIALS} WHERE {ranked} ORDER BY json_extract(metrics, ?) {order}, number LIMIT 1"
    # A name is made of identifiers, and so needs no escapes.
    values = (*(number for span in outdated for number in span), f'$."{name}"')
    try:
        best = connection.execute(query, values).fetchone()
    except sqlite3.OperationalError as error:
        if "JSON" not in str(error):
            raise
        raise Damage("the metrics of a trial are malformed") from None
    states: dict[str, int] = {state: counts[state] for state in STATES if state in counts}
    if best is None:
        return Overview(states, None)
    outcome = form.trial(best, best[0]).outcome
    if outcome is None or outcome.scores is None:
        raise Damage(f"trial {best[0]} is complete and has no metrics")
    return Overview(states, outcome.scores[name])
