"""Reads existing studies: `xortune.Study` and `xortune.load`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xortune.errors import UsageError, XortuneError
from xortune.ledger import Ledger
from xortune.paths import DEFAULT_RESULTS, StudyPaths, as_path, find_study
from xortune.plain_numbers import brief, whole_number
from xortune.run_time import RunTime
from xortune.settings import Provenance, StudySettings, described, weakened
from xortune.studies.foreign import meant_attribute
from xortune.studies.held_out import best_number
from xortune.studies.models import Models
from xortune.studies.notebook import Notebook
from xortune.studies.pages import Pages
from xortune.studies.plotting import Plots
from xortune.studies.retraining import luck_of
from xortune.trial import FinishedTrial, Replicate
from xortune.trial_table import TrialTable
from xortune.version import __version__
from xortune.wording import command

if TYPE_CHECKING:
    import optuna
    import pandas as pd

    from xortune.space import SearchSpace


class Study(Models, Plots, Notebook, Pages):
    """An existing study. All of it is read on demand: a resume may change it at any time."""

    def __init__(self, paths: StudyPaths) -> None:
        self.paths = paths
        # The current folder may change later.
        self._own = StudyPaths(paths.folder.absolute())
        with Ledger.read(paths) as ledger:  # Raises for what is not a study.
            ledger.settings()
            ledger.provenance()

    if not TYPE_CHECKING:  # A type checker is to refuse what a study lacks.

        def __getattr__(self, name: str) -> Any:
            if (hint := meant_attribute(name)) is None:
                # Raises the error again, which a property may have raised.
                return object.__getattribute__(self, name)
            # With the study as `obj`, Python would add a guess of its own.
            raise AttributeError(f"a study has no {name!r}. Use {hint}.", name=name, obj=None)

    def __repr__(self) -> str:
        return f"Study({str(self.paths.folder)!r}{self._progress()})"

    @property
    def name(self) -> str:
        return self.paths.name

    @property
    def settings(self) -> StudySettings:
        """What was searched, and how, as it is recorded by now."""
        with Ledger.read(self._own) as ledger:
            return ledger.settings()

    @property
    def provenance(self) -> Provenance:
        """The software behind its numbers, as it is recorded by now."""
        with Ledger.read(self._own) as ledger:
            return ledger.provenance()

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
    def recommended(self) -> pd.Series:
        """The trial to use: the one with the best mean over seeds that the search has not used.

        Its `number` and parameters; the objective as the study aggregates it, under its own name;
        `std`; `seeds`, how many, and `failed`, how many of them diverged; where the problem has a
        goal `solved_share`, with the ends `solved_low` and `solved_high` of Wilson's interval at
        95 %.

        Raises:
            XortuneError: the study has no confirmation, or no trial passed it.
        """
        with Ledger.read(self._own) as ledger:
            found = ledger.findings().get("confirmation")
            table = ledger.trials()
        if found is None:
            how = command("resume", str(self.paths.folder), confirm="32:256")
            raise XortuneError(
                f"study {self.name} has no confirmation, and so no trial to recommend. Confirm its "
                f"best trials with: {how}"
            )
        number = found["recommended"]
        if number is None:
            raise XortuneError(
                f"study {self.name} has no trial to recommend: of the {found['of']} that were "
                "confirmed, those that came out best failed on some of their seeds."
            )
        entry = next(one for one in found["trials"] if one["number"] == number)
        return self._confirmed(table, entry)

    def luck(
        self,
        number: int,
        seeds: int | None = None,
        *,
        data: Any = None,
        problem: Any = None,
        include: Any = None,
    ) -> pd.Series:
        """What a trial's assignment comes to on fresh seeds; trains them here, and records nothing.

        Args:
            number: the trial's.
            seeds: how many; neither the search nor its confirmation has used them. By default as
                many as the confirmation has, and at least 8.
            data: of a study of a table: its data, named again.
            problem: of a study of a function or a module: its problem, named again.
            include: as for `search`.

        Returns:
            As `recommended`.

        Raises:
            UsageError: there is no such trial, or the data or function is not the study's.
            XortuneError: this machine cannot train it.

        Example:
            study.luck(study.best_number)["solved_share"]
        """
        with Ledger.read(self._own) as ledger:
            trial = self._finished(ledger, number).trial
            table = ledger.trials()
        given = {"data": data, "problem": problem, "include": include}
        named = {key: value for key, value in given.items() if value is not None}
        entry = luck_of(self.name, self.settings, self.provenance, trial, seeds, named)
        return self._confirmed(table, entry)

    def _confirmed(self, table: TrialTable, entry: Mapping[str, Any]) -> pd.Series:
        from xortune.report import BestTrial, assignment, facts

        spec, number = table.spec, entry["number"]
        values = {**assignment(spec, table.params(number)), **facts(spec, entry)}
        return BestTrial({"number": number, **values}, dtype=object)

    def replicates(self, number: int) -> pd.DataFrame:
        """The trainings of a trial, one per row: those of the search, then of the confirmation.

        Columns as `xortune.report.replicates_frame`.

        Raises:
            UsageError: there is no such trial, or it is not finished.
        """
        from xortune.loop.seeds import replicate_seeds
        from xortune.report import replicates_frame

        settings = self.settings
        with Ledger.read(self._own) as ledger:
            trial, outcome = self._finished(ledger, number)
            trainings = ledger.replicates(trial.number)
        if settings.replicates == 1:
            alone = Replicate(0, outcome.state, outcome.scores, outcome.duration_s, outcome.error)
            trainings = [alone, *trainings]
        if not trainings:
            raise UsageError(
                f"trial {trial.number} of study {self.name} is {outcome.state}, and single "
                "trainings are kept of those that ended. Name a complete trial."
            )
        count = max(one.place for one in trainings) + 1
        seeds = [*replicate_seeds(settings, settings.spec, count)]
        if seeds[0] is None and settings.spec.seed is not None:
            seeds[0] = trial.params[settings.spec.seed]  # type: ignore[assignment]
        return replicates_frame(
            settings.spec, trainings, seeds, settings.replicates, settings.folds
        )

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
    def recommended_number(self) -> int | None:
        """The number of the recommended trial; None without a confirmation that one passed."""
        with Ledger.read(self._own) as ledger:
            number: int | None = ledger.findings().get("confirmation", {}).get("recommended")
        return number

    @property
    def stopped_by(self) -> str | None:
        """The limit at which the search ended, such as `plateau`; None if it ended otherwise."""
        with Ledger.read(self._own) as ledger:
            by: str | None = ledger.findings().get("stopped", {}).get("by")
        return by

    @property
    def has_complete_trial(self) -> bool:
        """Whether some trial was trained to its end."""
        with Ledger.read(self._own) as ledger:
            return ledger.has_complete_trial()

    @property
    def is_finished(self) -> bool:
        """Whether every trial of the study has ended, in whatever state."""
        return self._table().finished >= self.settings.trials

    def _without_best(self) -> XortuneError:
        return XortuneError(f"study {self.name} has no complete trial, so no best one.")

    def summary(self) -> dict[str, Any]:
        """Counts by state, solved trials, the best trials, and where the time went.

        Of a table also `test`: the number of the best trial, and its metrics on the rows that
        the search has never seen; `test_of_recommended` likewise. After another version of the
        code was taken by force, `outdated`: the number of trials of the earlier one. Of a
        study whose best trials were confirmed, `confirmation`, all of them, and `recommended`.
        `edges`: what of that trial, or else of the best one, lies at an end of its range.
        `stopped`: why the search ended before its last trial. `weakened`: what is not promised of
        a study whose workers may have several kinds of processor.
        """
        return self.summary_of(self.trials)

    def summary_of(self, trials: pd.DataFrame) -> dict[str, Any]:
        """As `summary`, from trials already read."""
        from xortune.report import summarise, summarise_findings, summarise_time

        with Ledger.read(self._own) as ledger:
            findings, runs = ledger.findings(), ledger.runs()
            settings, provenance = ledger.settings(), ledger.provenance()
        outdated = len(provenance.outdated_numbers())
        more: dict[str, Any] = {"outdated": outdated} if outdated else {}
        if words := weakened(settings, provenance):
            more["weakened"] = words
        if settings.replicates > 1:
            more["replicates"] = settings.replicates
        more |= summarise_findings(findings, trials, self.space)
        return {**summarise(trials, settings.spec), **more, "time": summarise_time(runs)}

    def curves(self, number: int) -> pd.DataFrame:
        """A trial's curve: the column `epoch`, and one per series of the problem.

        Raises:
            UsageError: there is no such trial.
        """
        from xortune.report import curve_frame

        with Ledger.read(self._own) as ledger:
            found = self._finished(ledger, number)
            return curve_frame(ledger.curve(found.trial.number))

    def optuna(self) -> optuna.Study:
        """The study as an in-memory Optuna study, for `optuna.visualization` and the like.

        Trials keep their numbers; those that are not trained yet are waiting. They have the curve
        of the objective as intermediate values, and their times, unless the study was made by a
        version of xortune that did not record these.
        """
        from xortune.sampling import optuna_study

        with Ledger.read(self._own) as ledger:
            trials = [change.trial for change in ledger.changes()]
            outdated = ledger.provenance().outdated_numbers()
        return optuna_study(self.name, self.space, trials, outdated)

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
