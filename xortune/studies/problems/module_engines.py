"""The engines of modules, and which of them a study gets: from what a look at the module finds."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from xortune.engines.mlp.names import LIBRARIES_OF_MODULES, MLP
from xortune.engines.plain.names import LIBRARIES as PLAIN_LIBRARIES
from xortune.engines.plain.names import PLAIN
from xortune.engines.stacked.names import LIBRARIES as STACKED_LIBRARIES
from xortune.engines.stacked.names import STACKED, STACKED_COMPILED
from xortune.errors import NoEngineError, UsageError
from xortune.settings import Provenance, StudySettings, default_generation
from xortune.studies.problems.modules_as_programs import CompiledModuleChoice, other_padding
from xortune.studies.problems.modules_in_c import compiled_choice, words_in_c
from xortune.wording import option

if TYPE_CHECKING:
    from collections.abc import Callable

    from xortune.engines.engine import Engine, Pace
    from xortune.engines.mlp.module_engine import MlpModuleEngine
    from xortune.engines.mlp.perceptrons import Perceptrons
    from xortune.engines.plain.module_engine import PlainModuleEngine
    from xortune.engines.stacked.choice import Choice
    from xortune.engines.stacked.engine import StackedEngine
    from xortune.engines.stacked.fitness import Fitness
    from xortune.engines.stacked.padding import Padding
    from xortune.problems.module.lesson import ModuleLesson
    from xortune.problems.module.problem import ModuleProblem
    from xortune.space import SearchSpace
    from xortune.trial import Params

_log = logging.getLogger("xortune")

# The names that a search accepts, and the recorded ones that this version can train.
ENGINES = ("auto", "mlp", "stacked", "stacked-compiled", "plain")
NAMES = (MLP, STACKED, STACKED_COMPILED, PLAIN)
_AS_ASKED = "one at a time, as asked"
# How many modules are made to see how many stacks there are: fewer where they are large.
_MADE, _LEAST_MADE, _MOST_MADE_WEIGHTS = 64, 8, 4_000_000


def libraries(recorded_name: str, device: str) -> tuple[str, ...]:
    """As `Engine.libraries`, for a recorded engine."""
    if recorded_name == MLP:
        return LIBRARIES_OF_MODULES
    return PLAIN_LIBRARIES if recorded_name == PLAIN else STACKED_LIBRARIES


@dataclass(frozen=True)
class Look:
    """What a look at a module has found, and the engines that can train it.

    Attributes:
        fitness: what was found.
        choice: the engine that suits it, and why.
        points: where it was looked at, the smallest first.
        plain: the engine that trains one trial after the other.
        stacked: the one that trains packs; None where its lanes cannot be stacked.
        stacks: the lanes of each stack that a generation makes; empty where there are none.
        perceptrons: whether C can train it, or why not.
        in_c: makes the engine that does, from its library; None where it cannot.
    """

    fitness: Fitness
    choice: Choice
    points: tuple[Params, ...]
    plain: PlainModuleEngine
    stacked: StackedEngine | None
    stacks: tuple[int, ...]
    perceptrons: Perceptrons
    in_c: Callable[[bytes], MlpModuleEngine] | None

    def engine(self, wanted: str) -> PlainModuleEngine | StackedEngine:
        """The engine for `auto`, `stacked` or `plain`; `plain` where lanes cannot be stacked."""
        name = self.choice.engine if wanted == "auto" else wanted
        return self.stacked if name == "stacked" and self.stacked is not None else self.plain

    def padded(self, padding: Padding) -> Look:
        """The same with another padding of stacked lanes."""
        assert self.stacked is not None
        return replace(self, stacked=self.stacked.padded(padding))

    def words(self, wanted: str) -> str:
        """How that engine trains, and why, for the user."""
        from xortune.engines.stacked.choice import packs_in_words

        if wanted == "stacked":
            return packs_in_words(self.stacks)
        return self.choice.words if wanted == "auto" or self.fitness.alone else _AS_ASKED


def look_at(problem: ModuleProblem, settings: StudySettings, *, shown: bool = False) -> Look:
    """Looks at a module at a few points of a study's space.

    Args:
        problem: the module's.
        settings: of the study.
        shown: whether what its code prints is shown, here and where it trains.

    Raises:
        UsageError: it cannot be trained there; lists all faults.
    """
    from xortune.engines.mlp.module_engine import MlpModuleEngine
    from xortune.engines.mlp.perceptrons import perceptrons_at
    from xortune.engines.plain.module_engine import PlainModuleEngine
    from xortune.engines.stacked.choice import choose
    from xortune.engines.stacked.engine import StackedEngine
    from xortune.engines.stacked.fitness import looked_at
    from xortune.problems.module.lesson import load_travelled
    from xortune.space import load_space
    from xortune.space.spread import sample_points

    spec = problem.spec.aimed_as(settings.spec)
    space = load_space(settings.space, settings.spec)
    points = tuple(map(spec.assignment, sample_points(space, settings.study_seed)))
    fitness = looked_at(replace(problem.lesson, shown=shown), points)
    if fitness.prints:
        _log.warning(f"what the module prints is hidden; {option('verbose', True)} shows it.")
    if fitness.faults:
        named = problem.code.named
        raise UsageError("\n".join(f"{named}: {fault}." for fault in fitness.faults))
    if fitness.doubled:
        _log.warning(f"{problem.code.named}: {fitness.doubled}.")
    load = partial(load_travelled, replace(problem.material, shown=shown))
    plain = PlainModuleEngine(load, spec, fitness.size, settings.folds)
    stacked, stacks = None, tuple[int, ...]()
    if not fitness.alone:
        about = load, spec, fitness.size, fitness.padding, settings.folds
        stacks = _stacks(problem.lesson, space, settings, fitness.size.weights)
        stacked = StackedEngine(*about, stacks)
    paces = (stacked.pace("cpu"), plain.pace("cpu")) if stacked is not None and stacks else None
    choice = choose(fitness, stacks, paces)
    found = perceptrons_at(problem.lesson, points)
    in_c = None
    if found.cost is not None:
        in_c = partial(MlpModuleEngine, load, spec, found.cost, found.typical, folds=settings.folds)
    return Look(fitness, choice, points, plain, stacked, stacks, found, in_c)


def _stacks(
    lesson: ModuleLesson, space: SearchSpace, settings: StudySettings, weights: int
) -> tuple[int, ...]:
    """The lanes of each stack that a generation of a study makes, from random points."""
    from xortune.engines.stacked.crowding import stacks_of
    from xortune.engines.stacked.engine import LARGEST, StackedEngine
    from xortune.space.spread import spread_points

    generation = settings.generation or default_generation(settings, StackedEngine.generation)
    together = min(settings.trials, generation or settings.trials)
    count = min(together, _MADE, max(_LEAST_MADE, _MOST_MADE_WEIGHTS // weights))
    # Of replicates the space has no seed; that of the spec is taken.
    points: list[dict[str, Any]] = [dict(point) for point in spread_points(space, count)]
    each = max(1, settings.replicates // (settings.folds or 1))
    trials = [settings.spec.assignment(point) for point in points]
    return stacks_of(lesson, trials, together * each, LARGEST)


class ModuleChoice:
    """See `EngineChoice`: nothing but the module decides, and no clock."""

    def __init__(self, look: Look, wanted: str) -> None:
        self._look = look
        self._wanted = wanted
        self._compiled = compiled_choice(look, wanted)
        self.training = ""
        if self._compiled is not None:
            self.generation: int = self._compiled.generation
            self.fastest: Pace = self._compiled.fastest
        else:
            engine = self.expected("cpu")
            self.generation, self.fastest = engine.generation, engine.pace("cpu")

    @property
    def padding(self) -> tuple[int, int] | None:
        stacked = self._look.stacked
        if stacked is None or self.expected("cpu") is not stacked:
            return None
        return stacked.padding.multiple, stacked.padding.least

    def keep(self, name: str, provenance: Provenance, *, force: bool) -> None:
        if self.expected("cpu").name != provenance.engine:
            return  # Packs are refused when it comes to decide, or the engine is a newer one.
        self.training = provenance.training or self.training
        there, here = provenance.padding, self._look.fitness.padding
        if there is None or self.padding is None:
            return
        recorded = replace(here, multiple=there[0], least=there[1])
        if recorded.covers(here):
            self._look = self._look.padded(recorded)
        elif not force:
            raise other_padding(name, recorded, here)

    def refuse(self) -> None:
        look = self._look
        if self._wanted == "mlp" and look.in_c is None:
            raise NoEngineError(look.perceptrons.why_not)
        if self._wanted == "stacked" and look.stacked is None:
            raise NoEngineError(look.fitness.alone)

    def decide(self, device: str) -> Engine:
        self.refuse()
        look = self._look
        if self._compiled is not None:
            self._compiled.decide(device)  # Says why there is no C.
        engine = self.expected(device)
        self.training = self.training or self.words(engine)
        packs = engine is not look.plain
        words = f"trials are trained {'in ' if packs else ''}{self.training}."
        # Nobody has asked for what is slower.
        hindered = look.fitness.alone or look.fitness.too_large
        slower = not packs and hindered and self._wanted != "plain"
        (_log.warning if slower else _log.info)(words)
        return engine

    def expected(self, device: str) -> Engine:
        if self._compiled is not None and (in_c := self._compiled.expected(device)).name == MLP:
            return in_c
        return self._look.engine("auto" if self._wanted == "mlp" else self._wanted)

    def words(self, engine: Engine) -> str:
        """How an engine that was expected trains, and why, for the user."""
        return words_in_c(engine) if engine.name == MLP else self._look.words(self._wanted)


def engine_choice(
    problem: ModuleProblem, wanted: str, settings: StudySettings, *, shown: bool = False
) -> ModuleChoice | CompiledModuleChoice:
    """The choice for a module; see `look_at`."""
    look = look_at(problem, settings, shown=shown)
    if wanted == "stacked-compiled":
        return CompiledModuleChoice(look, replace(problem.lesson, shown=shown))
    return ModuleChoice(look, wanted)
