"""A study that exists: what the Python face reads of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xortune.errors import UsageError, XortuneError
from xortune.ledger import Ledger
from xortune.paths import DEFAULT_RESULTS, StudyPaths, as_path, find_study
from xortune.plain_numbers import brief, whole_number
from xortune.ranking import NO_STANDING, standing
from xortune.run_time import RunTime
from xortune.space import SearchSpace, count_points, load_space
from xortune.trial import FinishedTrial
from xortune.version import __version__

if TYPE_CHECKING:
    import optuna
    import pandas as pd

    from xortune.problems.xor import XOR


class Study:
    """A study that exists. Everything is read from its ledger when it is asked for.

    Args:
        paths: where it is.
    """

    def __init__(self, paths: StudyPaths) -> None:
        self.paths = paths
        with Ledger.read(paths) as ledger:
            self.settings = ledger.settings()

    def __repr__(self) -> str:
        return f"Study({str(self.paths.folder)!r}{self._progress()})"

    @property
    def name(self) -> str:
        return self.paths.name

    @property
    def space(self) -> SearchSpace:
        """The search space, as it was recorded."""
        return load_space(self.settings.space)

    @property
    def most_trials(self) -> int | None:
        """The most trials that the study can have, as no point is trained twice; None if any."""
        return count_points(self.space) if self.settings.sampler_version > 1 else None

    @property
    def trials(self) -> pd.DataFrame:
        """All trials, one a row, ranked by final loss; columns as `xortune.report.COLUMNS`."""
        from xortune.report import trials_frame

        with Ledger.read(self.paths) as ledger:
            return trials_frame(ledger.trials(), self.settings.metric)

    @property
    def best(self) -> pd.Series:
        """The row of the best trial.

        Raises:
            XortuneError: no trial is complete.
        """
        trials = self.trials
        if trials.empty or trials.iloc[0]["state"] != "COMPLETE":
            raise self._without_best()
        from xortune.report import BestTrial

        return BestTrial(trials.iloc[0])

    @property
    def best_number(self) -> int:
        """The number of the best trial, for which no table is made.

        Raises:
            XortuneError: no trial is complete.
        """
        with Ledger.read(self.paths) as ledger:
            rows = ledger.trials()
        metric = self.settings.metric
        best = min((standing(row.trial, row.outcome, metric) for row in rows), default=NO_STANDING)
        if best[0]:
            raise self._without_best()
        return best[-1]

    def _without_best(self) -> XortuneError:
        return XortuneError(f"study {self.name} has no complete trial, so no best one.")

    def summary(self) -> dict[str, Any]:
        """Counts by state, how many are solved, the best by loss function, and the time."""
        from xortune.report import summarise, summarise_time

        return {**summarise(self.trials), "time": summarise_time(self.runs())}

    def curves(self, number: int) -> pd.DataFrame:
        """A trial's own loss: columns `epoch`, `training`, `validation`.

        Raises:
            UsageError: there is no such trial.
        """
        from xortune.report import curve_frame

        with Ledger.read(self.paths) as ledger:
            found = self._finished(ledger, number)
            return curve_frame(ledger.curve(found.trial.number))

    def model(self, number: int) -> XOR:
        """The trained network of a trial.

        Raises:
            UsageError: there is no such trial, or it was not trained to its end.
        """
        weights = self._weights(number)
        from xortune.problems.xor import trained_model

        return trained_model(weights)

    def predict(self, number: int, inputs: Sequence[float]) -> float:
        """What the trained network of a trial answers to two inputs, without PyTorch.

        Raises:
            UsageError: as `model`.
        """
        from xortune.problems.xor.answer import answer

        return answer(self._weights(number), inputs)

    def optuna(self) -> optuna.Study:
        """The study as Optuna's, in memory, for `optuna.visualization` and the like."""
        from xortune.sampling import optuna_study

        with Ledger.read(self.paths) as ledger:
            told = [
                FinishedTrial(row.trial, row.outcome)
                for row in ledger.trials()
                if row.outcome is not None
            ]
        return optuna_study(self.name, self.space, told, self.settings.metric)

    def runs(self) -> list[RunTime]:
        """Where the time of each search and resume went, in their order."""
        with Ledger.read(self.paths) as ledger:
            return ledger.runs()

    def described(self) -> dict[str, Any]:
        """Name, folder and recorded settings, as plain values, and the version that reads them."""
        return {
            "name": self.name,
            "folder": str(self.paths.folder),
            **self.settings.to_dict(),
            "xortune": __version__,
        }

    def _weights(self, number: int) -> tuple[float, ...]:
        with Ledger.read(self.paths) as ledger:
            found = self._finished(ledger, number)
        weights = found.outcome.weights
        if weights is None:
            raise UsageError(
                f"trial {found.trial.number} of study {self.name} has no model: "
                f"{found.outcome.error}."
            )
        return weights

    def _progress(self) -> str:
        """How far it is, for `repr`, which never raises."""
        try:
            with Ledger.read(self.paths) as ledger:
                outcomes = [row.outcome for row in ledger.trials() if row.outcome is not None]
        except XortuneError:
            return ""
        metric = self.settings.metric
        losses = [o.scores.final_loss(metric) for o in outcomes if o.scores is not None]
        best = f", best {metric} {min(losses):.3g}" if losses else ""
        return f": {len(outcomes)} of {self.settings.trials} trials finished{best}"

    def _finished(self, ledger: Ledger, number: Any) -> FinishedTrial:
        whole = whole_number(number)
        if isinstance(number, float) and number.is_integer():
            whole = int(number)  # what pandas makes of an integer in a row of floats
        row = None if whole is None else ledger.trial(whole)
        if row is None:
            count = len(ledger.trials())
            known = f"0 to {count - 1}" if count else "none yet"
            rule = " A trial's number is a whole number." if whole is None else ""
            raise UsageError(
                f"study {self.name} has no trial {brief(number)}; its trials: {known}.{rule}"
            )
        if row.outcome is None:
            raise UsageError(f"trial {whole} of study {self.name} is not finished yet.")
        return FinishedTrial(row.trial, row.outcome)


def load(study: str | Path, results: str | Path = DEFAULT_RESULTS) -> Study:
    """A study by the path of its folder, or by its name in the results folder.

    Raises:
        UsageError: there is no such study.
    """
    return Study(find_study(as_path("study", study), as_path("results", results)))
