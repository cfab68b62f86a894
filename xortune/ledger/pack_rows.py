"""The rows that record a pack, encoded before the transaction that writes them."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from xortune.errors import XortuneError
from xortune.ledger.finish_rows import finish_rows, write_finish
from xortune.ledger.paused_rows import PausedRows, replace_paused
from xortune.ledger.replicate_rows import ReplicateRows, replace_replicates
from xortune.ledger.rows import digest
from xortune.ledger.trial_rows import OUTCOME, TrialRows
from xortune.ledger.weight_rows import keep_weights
from xortune.settings import StudySettings
from xortune.trial import FinishedTrial, Outcome

Rows = Sequence[tuple[Any, ...]]


class Forms(NamedTuple):
    """The formats of a study's rows."""

    trials: TrialRows
    replicates: ReplicateRows
    paused: PausedRows

    @classmethod
    def of(cls, settings: StudySettings) -> Forms:
        return cls(TrialRows(settings.spec), ReplicateRows(settings), PausedRows(settings))


@dataclass(frozen=True)
class PackRows:
    """What one transaction writes for a pack; None for tables that it does not touch."""

    finished: Sequence[FinishedTrial]
    outcomes: Rows  # the values of `OUTCOME`, and the number
    curves: Rows
    replicates: Rows | None
    paused: Rows | None
    finish: Rows
    left: Collection[int]  # the trials whose earlier rows in `paused` are removed

    @classmethod
    def of(
        cls,
        forms: Forms,
        finished: Sequence[FinishedTrial],
        paused: Mapping[int, Sequence[Outcome]],
    ) -> PackRows:
        """Encodes outcomes, and the lanes of trials at a rung; raises ValueError for bad ones."""
        numbers = [f.trial.number for f in finished]
        if both := paused.keys() & numbers:
            raise ValueError(f"trial {min(both)} is finished, and also paused")
        packed = [forms.trials.pack_curve(f.outcome.curve) for f in finished]
        outcomes = [
            (*forms.trials.finished(f.trial, f.outcome, digest(curve))[3:], f.trial.number)
            for f, curve in zip(finished, packed)
        ]
        # A study without replicates or rungs is not asked about their tables.
        several = forms.replicates.expected or any(f.outcome.replicates for f in finished)
        pauses = forms.paused.expected or bool(paused)
        return cls(
            finished,
            outcomes,
            [*zip(numbers, packed)],
            forms.replicates.of_pack(finished) if several else None,
            forms.paused.of_pack(paused) if pauses else None,
            finish_rows(numbers),
            (*numbers, *paused),
        )

    def write(self, connection: sqlite3.Connection, forget: Collection[int]) -> None:
        """Writes the rows, and removes the weights of the trials numbered in `forget`."""
        assignments = ", ".join(f"{column} = ?" for column in OUTCOME.split(", "))
        updated = connection.executemany(
            f"UPDATE trial NOT INDEXED SET {assignments} WHERE number = ?", self.outcomes
        ).rowcount
        if self.outcomes and updated != len(self.outcomes):
            unknown = len(self.outcomes) - updated
            raise XortuneError(f"{unknown} of {len(self.outcomes)} trials are unknown.")
        connection.executemany("INSERT OR REPLACE INTO curve VALUES (?, ?)", self.curves)
        write_finish(connection, self.finish)
        keep_weights(connection, self.finished, forget)
        if self.replicates is not None:
            numbers = [f.trial.number for f in self.finished]
            replace_replicates(connection, numbers, self.replicates)
        if self.paused is not None:
            replace_paused(connection, self.left, self.paused)
