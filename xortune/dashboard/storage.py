"""Studies as an Optuna storage that is read from their ledgers, and refuses to write."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any, NoReturn

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState

from xortune.dashboard.facts import directions, metric_names, study_attrs
from xortune.dashboard.watched import Head, WatchedStudy
from xortune.errors import UsageError, XortuneError
from xortune.paths import StudyPaths

READ_ONLY = (
    "xortune's studies are shown, and not changed. To add notes or trials of your own, export the "
    "study to Optuna, and open that file with optuna-dashboard."
)
_MOST_TRIALS = 10_000_000  # of a study; the ids of its trials follow its own


class ReadOnlyError(UsageError):
    """Something was to be written."""

    def __init__(self) -> None:
        super().__init__(READ_ONLY)


class LedgerStorage(BaseStorage):
    """The studies of a folder, or one study, as an Optuna storage.

    Every call sees what the ledgers hold by then; reading again what has not changed costs the
    look at a file's header. A study that is damaged or disappears is left out, and said once. Ids
    hold as long as the storage does. Any number of threads may call it. Trials are shared between
    callers unless `get_all_trials` copies them; nobody may change them.

    Args:
        find: finds the studies. Called at every look, since there may be new ones.
        say: called with a message on a study that is left out.
    """

    def __init__(
        self, find: Callable[[], Iterable[StudyPaths]], say: Callable[[str], object]
    ) -> None:
        self._find = find
        self._say = say
        self._lock = threading.RLock()
        self._studies: dict[int, WatchedStudy] = {}
        self._heads: dict[int, Head] = {}  # of the studies that are there
        self._ids: dict[str, int] = {}
        self._faults: dict[int, tuple[object, str]] = {}

    def get_all_studies(self) -> list[FrozenStudy]:
        with self._lock:
            self._look()
            return [self._frozen(study_id) for study_id in sorted(self._heads)]

    def get_study_id_from_name(self, study_name: str) -> int:
        with self._lock:
            self._look()
            found = self._ids.get(study_name)
            if found not in self._heads:
                raise KeyError(f"No study with the name {study_name!r}.")
            return found

    def get_study_name_from_id(self, study_id: int) -> str:
        return self._known(study_id).study_name

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        return self._known(study_id).directions

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        return self._known(study_id).user_attrs

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        return self._known(study_id).system_attrs

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        with self._lock:
            trials = self._trials(study_id)
        found = [trial for trial in trials if states is None or trial.state in states]
        return copy.deepcopy(found) if deepcopy else found

    def get_trial(self, trial_id: int) -> FrozenTrial:
        study_id, number = divmod(trial_id, _MOST_TRIALS)
        with self._lock:
            trials = self._trials(study_id)
        if number >= len(trials):
            raise KeyError(f"No trial with the id {trial_id}.")
        found: FrozenTrial = copy.deepcopy(trials[number])
        return found

    def _look(self) -> None:
        """Finds the studies that are there by now."""
        there = set()
        for paths in sorted(self._find(), key=lambda paths: paths.name):
            study_id = self._ids.get(paths.name)
            if study_id is None:
                study_id = self._add(paths)
            if (head := self._head(study_id)) is None:
                continue
            before = self._heads.get(study_id)
            if before is not None and not before.same_trials(head):
                study_id = self._add(paths)  # Another study has taken its folder.
            self._heads[study_id] = head
            there.add(study_id)
        for study_id in [*self._heads.keys() - there]:
            del self._heads[study_id]
            self._say(f"study {self._studies[study_id].paths.name} is not shown: it has gone")

    def _add(self, paths: StudyPaths) -> int:
        study_id = len(self._studies) + 1
        self._studies[study_id] = WatchedStudy(paths, study_id * _MOST_TRIALS)
        self._ids[paths.name] = study_id
        return study_id

    def _head(self, study_id: int) -> Head | None:
        """The head of a study; None if it cannot be read."""
        study = self._studies[study_id]
        stamp = study.stamp()
        fault = self._faults.get(study_id)
        if fault is not None and fault[0] == stamp:
            return None
        try:
            return study.head()
        except (XortuneError, OSError) as error:
            self._leave_out(study_id, error)
            return None

    def _leave_out(self, study_id: int, error: Exception) -> None:
        study, before = self._studies[study_id], self._faults.get(study_id)
        self._faults[study_id] = study.stamp(), str(error)
        self._heads.pop(study_id, None)
        if before is None or before[1] != str(error):
            self._say(f"study {study.paths.name} is not shown: {error}")

    def _trials(self, study_id: int) -> Sequence[FrozenTrial]:
        self._known(study_id)
        try:
            return self._studies[study_id].trials()
        except (XortuneError, OSError) as error:
            self._leave_out(study_id, error)
            raise KeyError(f"Study {study_id} cannot be read.") from error

    def _known(self, study_id: int) -> FrozenStudy:
        with self._lock:
            if study_id not in self._heads:
                self._look()
            if study_id not in self._heads:
                raise KeyError(f"No study with the id {study_id}.")
            return self._frozen(study_id)

    def _frozen(self, study_id: int) -> FrozenStudy:
        head = self._heads[study_id]
        attrs = study_attrs(head.settings, head.provenance)
        if head.curves_of_every > 1:
            attrs["intermediate values"] = f"of every {head.curves_of_every}th trial"
        return FrozenStudy(
            study_name=self._studies[study_id].paths.name,
            direction=None,
            directions=directions(head.settings.spec),
            user_attrs=attrs,
            system_attrs=metric_names(head.settings.spec),
            study_id=study_id,
        )

    def create_new_study(
        self, directions: Sequence[StudyDirection], study_name: str | None = None
    ) -> NoReturn:
        raise ReadOnlyError

    def delete_study(self, study_id: int) -> NoReturn:
        raise ReadOnlyError

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> NoReturn:
        raise ReadOnlyError

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> NoReturn:
        raise ReadOnlyError

    def create_new_trial(
        self, study_id: int, template_trial: FrozenTrial | None = None
    ) -> NoReturn:
        raise ReadOnlyError

    def set_trial_param(
        self,
        trial_id: int,
        param_name: str,
        param_value_internal: float,
        distribution: BaseDistribution,
    ) -> NoReturn:
        raise ReadOnlyError

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> NoReturn:
        raise ReadOnlyError

    def set_trial_intermediate_value(
        self, trial_id: int, step: int, intermediate_value: float
    ) -> NoReturn:
        raise ReadOnlyError

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> NoReturn:
        raise ReadOnlyError

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> NoReturn:
        raise ReadOnlyError
