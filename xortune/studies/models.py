"""The trained models of a study: what they answer, and what they look like."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from xortune.errors import UsageError
from xortune.ledger import Ledger
from xortune.network import MOST_NUMBERS, Network, Surface
from xortune.paths import StudyPaths
from xortune.settings import Provenance, StudySettings, one_of, truth
from xortune.spec import PRUNED_EPOCH
from xortune.studies.files import checked_file, write_file
from xortune.studies.problems import kind_of, named_problem, problem_of, resumed
from xortune.studies.retraining import weights_again
from xortune.trial import FinishedTrial, Params, Weights
from xortune.version import __version__

if TYPE_CHECKING:
    from xortune.problems.problem import Problem

# The endings of files, with what they hold.
MODEL_FILES = {
    ".safetensors": "the weights",
    ".pt": "the state_dict() for PyTorch",
    ".onnx": "the network",
}
PICTURE_FILES = {".svg": "lines", ".png": "pixels"}


class Models:
    """What a `Study` makes of its trained models. A trial is by default the best one, rank 1."""

    _own: StudyPaths

    if TYPE_CHECKING:

        @property
        def settings(self) -> StudySettings: ...

        @property
        def provenance(self) -> Provenance: ...

        @property
        def name(self) -> str: ...

        @property
        def best_number(self) -> int: ...

        def _finished(self, ledger: Ledger, number: Any) -> FinishedTrial: ...

    def model(
        self,
        number: int,
        *,
        problem: Any = None,
        include: Any = None,
        data: Any = None,
        force: bool = False,
    ) -> Any:
        """The trained model of a trial, a `torch.nn.Module`.

        Args:
            number: the trial's.
            problem: of a study of a module of your own: its problem, named again, since a study
                does not keep code.
            include: as for `search`.
            data: of such a study of a table: its data, to be compared, too; it is not needed.
            force: take a problem whose text or whose own data has changed, with a warning, if the
                trained weights fit its model.

        Raises:
            UsageError: there is no such trial, or it was not trained to the end; or the problem
                is not the study's.
            XortuneError: the trained weights do not fit the model.
        """
        found, params, weights = self._modelled(number)
        named = self._with_code(found, problem, include, data, force=force)
        return named.model(params, weights)

    def predict(
        self,
        number: int | None = None,
        inputs: Any = None,
        *,
        problem: Any = None,
        include: Any = None,
        force: bool = False,
    ) -> Any:
        """The answer of a trial's trained model.

        Args:
            number: the trial's; None for the best one: `study.predict(inputs=[0, 1])`.
            inputs: of the lab's problem a row of two numbers; of a table, also where a module
                learns from it, rows like those of its data, as a file, a DataFrame or an array;
                of a module with data of its own an array of such rows, or a file with one.
            problem: of a study of a module of your own: its problem, named again, since a study
                does not keep code.
            include: as for `search`.
            force: as for `model`.

        Returns:
            Of the lab's problem the output, from 0 to 1, computed without PyTorch; otherwise a
            DataFrame with a row for every row. Of a module its columns follow from the final loss:
            a value or a class, or the outputs as they are.

        Raises:
            UsageError: as `model`, or the inputs are missing or do not fit the model.
            XortuneError: no trial is complete, so there is no best one; or as `model`.
        """
        if inputs is None:
            raise UsageError("predict: give inputs, such as predict(inputs=[0, 1]).")
        found, params, weights = self._modelled(self._named(number))
        named = self._with_code(found, problem, include, force=force)
        return named.predict(params, weights, inputs)

    def network(self, number: int | None = None) -> Network | None:
        """A trial's trained model as its layers, with all weights and biases.

        None: the study is one of a function, which leaves no models, or of a module of your own,
        or the model has more than a million weights.

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

        None: the study is one of a function or of a module of your own, or of a table with other
        inputs than two numbers.

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

    def explain(self, inputs: Any, number: int | None = None) -> str:
        """A trained model's answer, worked out step by step, at most 80 columns wide.

        The last number is that of `predict`. Of a table, whose layers may be large, the first and
        last units of each, and of a long sum its largest terms; of several rows, the first.

        Args:
            inputs: as for `predict`.
            number: the trial's; None for the best one.

        Raises:
            UsageError: as `predict`, or the model has more than a million weights.
            XortuneError: no trial is complete, so there is no best one.

        Example:
            print(study.explain([0, 1]))
        """
        problem, params, weights = self._modelled(self._named(number))
        return problem.explain(params, weights, inputs)

    def export(
        self,
        file: str | Path,
        number: int | None = None,
        *,
        problem: Any = None,
        include: Any = None,
        force: bool = False,
    ) -> None:
        """Writes a trained model for other programs.

        Args:
            file: its ending names the format: `.safetensors` has the weights, and in its metadata
                the study, the trial, its parameters and how inputs are prepared; `.pt` the
                `state_dict()`, for `torch.load(file, weights_only=True)`; `.onnx` the network,
                with the same metadata; of a module of your own only if it is a multilayer
                perceptron, and its code is named.
            number: the trial's; None for the best one.
            problem: of a study of a module of your own: its problem, named again. The weights
                alone need none.
            include: as for `search`.
            force: overwrite the file if it exists; and as for `model`.

        Raises:
            UsageError: as `model`, or the file cannot be written.
            XortuneError: the extra `models` is not installed, or no trial is complete.

        Example:
            study.export("xor.onnx")
        """
        path = checked_file(file, self._own.folder, MODEL_FILES, force=force)
        number = self._named(number)
        found, params, weights = self._modelled(number)
        named = self._with_code(found, problem, include, force=force)
        portable = named.portable(params, weights)
        about = {
            "study": self.name,
            "trial": int(number),
            "problem": self.settings.spec.problem,
            "params": dict(params),
            "xortune": __version__,
        }
        from xortune.problems.model_files import model_file

        write_file(path, model_file(portable, path.suffix.lower(), about), force=force)

    def draw(
        self,
        file: str | Path,
        number: int | None = None,
        *,
        theme: str | None = None,
        data: Any = None,
        force: bool = False,
    ) -> None:
        """Draws a trained model: its network, and beside it what it answers over two inputs.

        Args:
            file: `.svg` or `.png`.
            number: the trial's; None for the best one.
            theme: `light` or `dark`; for an SVG also `auto`, the default, which follows its reader.
            data: as for `surface`.
            force: overwrite the file if it exists.

        Raises:
            UsageError: as `surface`, or there is nothing to draw, or the file cannot be written.
            XortuneError: the extra `models` is not installed, or no trial is complete.

        Example:
            study.draw("xor.svg")
        """
        path = checked_file(file, self._own.folder, PICTURE_FILES, force=force)
        as_png = path.suffix.lower() == ".png"
        themes = ("light", "dark") if as_png else ("auto", "light", "dark")
        theme = themes[0] if theme is None else theme
        if faults := one_of("theme", theme, themes):
            raise UsageError(faults[0])
        network, surface = self.network(number), self.surface(number, data=data)
        if network is None and surface is None:
            raise UsageError(f"study {self.name} has nothing to draw: {self._why_no_picture()}.")
        from xortune.drawing import picture_svg, svg_as_png

        svg = picture_svg(network, surface, theme)
        content = svg_as_png(svg) if as_png else f"{svg}\n".encode()
        write_file(path, content, force=force)

    def _why_no_picture(self) -> str:
        if problem_of(self.settings).has_models:
            return f"the model has more than {MOST_NUMBERS:,} weights"
        if kind_of(self.settings.problem).is_function:
            return "it searches a function, and keeps its numbers, not models"
        return "the layers of a module of your own are known to its code alone"

    def _with_code(
        self, found: Problem, problem: Any, include: Any, data: Any = None, *, force: bool
    ) -> Problem:
        """The problem, with its code and its data as far as they are named again."""
        if faults := truth("force", force):
            raise UsageError(faults[0])
        given = {"problem": problem, "include": include, "data": data}
        named = {key: value for key, value in given.items() if value is not None}
        return named_problem(self.settings, self.name, named, force=force) if named else found

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
