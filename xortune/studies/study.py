"""Reads existing studies: `xortune.Study` and `xortune.load`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from xortune.errors import NoEngineError, UsageError, XortuneError
from xortune.ledger import Ledger
from xortune.paths import DEFAULT_RESULTS, StudyPaths, as_path, find_study
from xortune.plain_numbers import brief, whole_number
from xortune.run_time import RunTime
from xortune.settings import RunOptions, described
from xortune.studies.held_out import best_number
from xortune.studies.problems import kind_of, problem_of, resumed
from xortune.trial import FinishedTrial, Lane, Weights
from xortune.trial_table import TrialTable
from xortune.version import __version__

if TYPE_CHECKING:
    import optuna
    import pandas as pd

    from xortune.space import SearchSpace


class Study:
    """An existing study: its settings when it was opened; all else is read on demand."""

    def __init__(self, paths: StudyPaths) -> None:
        self.paths = paths
        # The current folder may change later.
        self._own = StudyPaths(paths.folder.absolute())
        with Ledger.read(paths) as ledger:
            self.settings = ledger.settings()
            self.provenance = ledger.provenance()

    def __repr__(self) -> str:
        return f"Study({str(self.paths.folder)!r}{self._progress()})"

    @property
    def name(self) -> str:
        return self.paths.name

    @property
    def space(self) -> SearchSpace:
        """The search space, as it was recorded."""
        from xortune.space import load_space

        return load_space(self.settings.space, self.settings.spec)

    @property
    def most_trials(self) -> int | None:
        """The most trials that the study can have, as no point is repeated; None if unlimited."""
        from xortune.space import count_points

        return count_points(self.space) if self.provenance.sampler_version > 1 else None

    @property
    def trials(self) -> pd.DataFrame:
        """All trials, one per row, ranked by final loss; columns as `xortune.report.columns`."""
        from xortune.report import trials_frame

        return trials_frame(self._table())

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
        """The number of the best trial, without making a table.

        Raises:
            XortuneError: no trial is complete.
        """
        best = best_number(self._table())
        if best is None:
            raise self._without_best()
        return best

    @property
    def has_complete_trial(self) -> bool:
        """Whether some trial was trained to its end."""
        with Ledger.read(self._own) as ledger:
            return ledger.has_complete_trial()

    def _without_best(self) -> XortuneError:
        return XortuneError(f"study {self.name} has no complete trial, so no best one.")

    def summary(self) -> dict[str, Any]:
        """Counts by state, solved trials, the best trials, and where the time went.

        Of a table also `test`: the number of the best trial, and its metrics on the rows that
        the search has never seen. After another version of a function was taken by force,
        `outdated`: the number of trials of the earlier one.
        """
        return self.summary_of(self.trials)

    def summary_of(self, trials: pd.DataFrame) -> dict[str, Any]:
        """As `summary`, from trials already read."""
        from xortune.report import summarise, summarise_time

        with Ledger.read(self._own) as ledger:
            findings, runs = ledger.findings(), ledger.runs()
            outdated = len(ledger.provenance().outdated_numbers())
        more = {"test": findings["test"]} if "test" in findings else {}
        more |= {"outdated": outdated} if outdated else {}
        return {**summarise(trials, self.settings.spec), **more, "time": summarise_time(runs)}

    def curves(self, number: int) -> pd.DataFrame:
        """A trial's curve: the column `epoch`, and one per series of the problem.

        Raises:
            UsageError: there is no such trial.
        """
        from xortune.report import curve_frame

        with Ledger.read(self._own) as ledger:
            found = self._finished(ledger, number)
            return curve_frame(ledger.curve(found.trial.number))

    def model(self, number: int) -> Any:
        """The trained model of a trial, a `torch.nn.Module`.

        Raises:
            UsageError: there is no such trial, or it was not trained to the end.
        """
        found, weights = self._trained(number)
        return problem_of(self.settings).model(found.trial.params, weights)

    def predict(self, number: int, inputs: Any) -> Any:
        """The answer of a trial's trained model.

        Args:
            number: the trial's.
            inputs: of the lab's problem a row of two numbers; of a table rows like those of its
                data, as a file, a DataFrame or an array.

        Returns:
            Of the lab's problem the output, from 0 to 1, computed without PyTorch; of a table a
            DataFrame with a row for every row.

        Raises:
            UsageError: as `model`, or the inputs do not fit the model.
        """
        found, weights = self._trained(number)
        return problem_of(self.settings).predict(found.trial.params, weights, inputs)

    def optuna(self) -> optuna.Study:
        """The study as an in-memory Optuna study, for `optuna.visualization` and the like."""
        from xortune.sampling import optuna_study

        rows = self._table()
        told = [FinishedTrial(row.trial, row.outcome) for row in rows if row.outcome is not None]
        return optuna_study(self.name, self.space, told)

    def runs(self) -> list[RunTime]:
        """Where the time of each search and resume went, in order."""
        with Ledger.read(self._own) as ledger:
            return ledger.runs()

    def described(self) -> dict[str, Any]:
        """Name, folder and recorded settings, as plain values, and the version that reads them."""
        return {
            "name": self.name,
            "folder": str(self.paths.folder),
            **described(self.settings, self.provenance),
            "xortune": __version__,
        }

    def _table(self) -> TrialTable:
        with Ledger.read(self._own) as ledger:
            return ledger.trials()

    def _trained(self, number: int) -> tuple[FinishedTrial, Weights]:
        """A trial and its weights; those not kept are trained again, to the same bits."""
        with Ledger.read(self._own) as ledger:
            found = self._finished(ledger, number)
            weights = ledger.weights(found.trial.number)
        if found.outcome.scores is None:
            raise UsageError(
                f"trial {found.trial.number} of study {self.name} has no model: "
                f"{found.outcome.error}."
            )
        return found, weights or self._trained_again(found)

    def _trained_again(self, found: FinishedTrial) -> Weights:
        settings, number = self.settings, found.trial.number
        kind = kind_of(settings.problem)
        if kind.named_by == "problem":
            raise UsageError(
                f"trial {number} of study {self.name} has no model: a function trained it, and "
                "xortune keeps only what it returned."
            )
        if kind.named_by is not None:
            raise XortuneError(
                f"trial {number}: the ledger keeps the weights of the best trials, and this is not "
                "one of them."
            )
        device = settings.device_of(number)
        choice = resumed(settings, self.name, {}, False).choice(
            kind.family(self.provenance.engine), settings, RunOptions()
        )
        try:
            engine = choice.decide(device)
        except NoEngineError as error:
            raise XortuneError(
                f"trial {found.trial.number} has to be trained again: {error}."
            ) from None
        trainer = engine.open(device)
        (outcome,) = trainer.train([Lane(found.trial.params)], settings.log_every)
        if engine.name != self.provenance.engine or outcome.scores != found.outcome.scores:
            raise XortuneError(
                f"trial {found.trial.number} has to be trained again, and this machine does not "
                f"give its recorded numbers: it was trained by the engine {self.provenance.engine}."
            )
        assert outcome.weights is not None
        return outcome.weights

    def _progress(self) -> str:
        """The progress shown by `repr`, which never raises."""
        try:
            with Ledger.read(self._own) as ledger:
                table, total = ledger.trials(), ledger.settings().trials
        except XortuneError:
            return ""
        name, direction = table.spec.objectives[0]
        values = [s[name] for s in map(table.scores, range(len(table))) if s is not None]
        best = (max if direction == "maximize" else min)(values, default=None)
        shown = "" if best is None else f", best {name} {best:.3g}"
        return f": {table.finished} of {total} trials finished{shown}"

    def _finished(self, ledger: Ledger, number: Any) -> FinishedTrial:
        whole = whole_number(number)
        if isinstance(number, float) and number.is_integer():
            whole = int(number)  # pandas turns an integer in a row of floats into a float
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
