"""The trained models of a study: what they answer, and what they look like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xortune.errors import UsageError
from xortune.ledger import Ledger
from xortune.network import Network, Surface
from xortune.paths import StudyPaths
from xortune.settings import Provenance, StudySettings
from xortune.spec import PRUNED_EPOCH
from xortune.studies.problems import problem_of, resumed
from xortune.studies.retraining import weights_again
from xortune.trial import FinishedTrial, Params, Weights

if TYPE_CHECKING:
    from xortune.problems.problem import Problem


class Models:
    """What a `Study` makes of its trained models. A trial is by default the best one, rank 1."""

    settings: StudySettings
    provenance: Provenance
    _own: StudyPaths

    if TYPE_CHECKING:

        @property
        def name(self) -> str: ...

        @property
        def best_number(self) -> int: ...

        def _finished(self, ledger: Ledger, number: Any) -> FinishedTrial: ...

    def model(self, number: int) -> Any:
        """The trained model of a trial, a `torch.nn.Module`.

        Raises:
            UsageError: there is no such trial, or it was not trained to the end.
        """
        problem, params, weights = self._modelled(number)
        return problem.model(params, weights)

    def predict(self, number: int | None = None, inputs: Any = None) -> Any:
        """The answer of a trial's trained model.

        Args:
            number: the trial's; None for the best one: `study.predict(inputs=[0, 1])`.
            inputs: of the lab's problem a row of two numbers; of a table rows like those of its
                data, as a file, a DataFrame or an array.

        Returns:
            Of the lab's problem the output, from 0 to 1, computed without PyTorch; of a table a
            DataFrame with a row for every row.

        Raises:
            UsageError: as `model`, or the inputs are missing or do not fit the model.
            XortuneError: no trial is complete, so there is no best one.
        """
        if inputs is None:
            raise UsageError("predict: give inputs, such as predict(inputs=[0, 1]).")
        problem, params, weights = self._modelled(self._named(number))
        return problem.predict(params, weights, inputs)

    def network(self, number: int | None = None) -> Network | None:
        """A trial's trained model as its layers, with all weights and biases.

        None: the study is one of a function, which leaves no models, or the model has more than a
        million weights.

        Args:
            number: the trial's; None for the best one.

        Raises:
            UsageError: as `model`.
            XortuneError: no trial is complete, so there is no best one.
        """
        if not problem_of(self.settings).has_models:
            return None
        problem, params, weights = self._modelled(self._named(number))
        return problem.network(params, weights)

    def surface(self, number: int | None = None, *, data: Any = None) -> Surface | None:
        """What a trial's trained model answers over the plane of its two inputs.

        None: the study is one of a function, or of a table with other inputs than two numbers.

        Args:
            number: the trial's; None for the best one.
            data: of a study of a table: its data, named again, to have its rows in the picture.

        Raises:
            UsageError: as `model`, or the data is not the study's.
            XortuneError: no trial is complete, so there is no best one.
        """
        problem = problem_of(self.settings)
        if not problem.has_models:
            return None
        if data is not None:
            problem = resumed(self.settings, self.name, {"data": data}, force=False).problem
        _, params, weights = self._modelled(self._named(number))
        return problem.surface(params, weights)

    def _named(self, number: int | None) -> int:
        """The number of a trial; None stands for the best one."""
        return self.best_number if number is None else number

    def _modelled(self, number: int) -> tuple[Problem, Params, Weights]:
        """The problem, and a trial's parameters and weights."""
        found, weights = self._trained(number)
        return problem_of(self.settings), found.trial.params, weights

    def _trained(self, number: int) -> tuple[FinishedTrial, Weights]:
        """A trial and its weights; those not kept are trained again, to the same bits."""
        with Ledger.read(self._own) as ledger:
            found = self._finished(ledger, number)
            weights = ledger.weights(found.trial.number)
        if found.outcome.state == "PRUNED":
            scores = found.outcome.scores
            epoch = 0 if scores is None else int(scores[PRUNED_EPOCH])
            raise UsageError(
                f"trial {found.trial.number} of study {self.name} has no model: it was pruned at "
                f"epoch {epoch}. Name a complete trial."
            )
        if found.outcome.scores is None:
            raise UsageError(
                f"trial {found.trial.number} of study {self.name} has no model: "
                f"{found.outcome.error}."
            )
        if weights is None:
            weights = weights_again(self.name, self.settings, self.provenance, found)
        return found, weights
