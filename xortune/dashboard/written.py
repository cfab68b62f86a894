"""What is written of a study into a storage of Optuna's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial


@dataclass(frozen=True)
class Written:
    """A study in Optuna's terms."""

    name: str
    directions: Sequence[StudyDirection]
    user_attrs: Mapping[str, Any]
    system_attrs: Mapping[str, Any]
    trials: Sequence[FrozenTrial]  # by number, from 0 without a gap

    def create_in(self, storage: BaseStorage) -> int:
        """Creates the study, without its trials, in a storage; returns its id."""
        study_id = storage.create_new_study(self.directions, self.name)
        for key, value in self.user_attrs.items():
            storage.set_study_user_attr(study_id, key, value)
        for key, value in self.system_attrs.items():
            storage.set_study_system_attr(study_id, key, value)
        return study_id
