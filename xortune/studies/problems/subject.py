"""The protocol of a subject, a problem together with what can train it; and the kinds of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from xortune.engines.engine import Engine, EngineChoice, Pace
    from xortune.problems.problem import Problem
    from xortune.settings import Provenance, RunOptions, StudySettings
    from xortune.space import SearchSpace
    from xortune.spec import ProblemSpec
    from xortune.trial import Answers, Params, Weights

SpaceSource = str | Path | Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """What is the same for all subjects of a kind.

    Attributes:
        engines: the names of engines that a search accepts, `auto` first.
        trained: the recorded names of the engines that this version can train.
        on_gpus: whether those can train on a GPU.
        libraries: gives the packages whose version decides the bits of a recorded engine on a
            device.
        named_by: the keyword that names the subject anew when a study is resumed; None where
            the study has all that is needed.
        is_function: whether a function of the user's own trains: it leaves no weights, runs to its
            end once it is called, and takes as long as it likes.
    """

    engines: tuple[str, ...]
    trained: tuple[str, ...]
    on_gpus: bool
    libraries: Callable[[str, str], tuple[str, ...]]
    named_by: str | None = None
    is_function: bool = False

    def family(self, recorded_name: str) -> str:
        """The entry of `engines` for a recorded engine of any version; `auto` if unknown."""
        wanted = recorded_name.rpartition("-")[0]
        return wanted if wanted in self.engines else "auto"


class Subject(Protocol):
    """What a study searches.

    Attributes:
        default_space: the shipped space to search unless another is given; None where the problem
            brings its own.
        recorded: `StudySettings.problem`.
        notes: words for the user before the search.
    """

    default_space: str | None
    recorded: Mapping[str, Any]
    notes: tuple[str, ...]

    @property
    def problem(self) -> Problem:
        """The problem."""

    def space(self, source: SpaceSource | None, spec: ProblemSpec) -> SearchSpace:
        """The search space; None stands for the problem's own.

        Raises:
            UsageError: lists all faults.
        """

    def choice(self, wanted: str, settings: StudySettings, options: RunOptions) -> EngineChoice:
        """Chooses among the engines; may begin to build one."""

    def tested(self, params: Params, weights: Weights) -> Mapping[str, float] | None:
        """The metrics of a trained model on rows that no search has seen; None without such."""

    def test_answers(self, params: Params, weights: Weights) -> Answers | None:
        """The truth and the prediction of each of those rows; likewise."""


class OneEngine:
    """The choice of the only engine that there is; see `EngineChoice`."""

    training = ""
    padding: tuple[int, int] | None = None

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.generation: int = engine.generation
        self.fastest: Pace = engine.pace("cpu")

    def keep(self, name: str, provenance: Provenance, *, force: bool) -> None:
        """There is nothing that a study records beyond the engine's name."""

    def refuse(self) -> None:
        """There is no other."""

    def decide(self, device: str) -> Engine:
        return self._engine

    expected = decide
