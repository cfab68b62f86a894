"""Writes a study as the log of Optuna's JournalStorage."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend, JournalFileBackend

from xortune.dashboard.written import Written
from xortune.sampling import quiet


def write_journal(written: Written, file: Path) -> None:
    """Writes a new file; raises OSError."""
    log = _Log()
    with quiet():
        storage = JournalStorage(log)
        study_id = written.create_in(storage)
        for trial in written.trials:
            storage.create_new_trial(study_id, trial)
    # At once: the file is made durable with every append.
    JournalFileBackend(str(file)).append_logs(log.entries)


class _Log(BaseJournalBackend):
    """A log in memory."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
        return self.entries[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        self.entries.extend(logs)
