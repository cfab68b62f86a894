"""The engines that keep the contract. A new one needs a `Case` here, and passes every test.

A case names values to draw trials from, and one trial that fails.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from hypothesis import strategies as st

from tests import toy
from tests.engines.function import functions
from tests.make import lanes, make_params
from tests.modules import (
    CLASSES,
    CONVOLUTION,
    MIXED,
    NETWORK,
    PERCEPTRON,
    RECURRENT,
    SIXTY_FOUR,
    SIZE,
    Made,
)
from tests.tables import make_engine, make_folds, make_mlp, make_spec, make_trial
from xortune.engines.engine import Engine, Trainer
from xortune.engines.mlp.engine import MlpEngine
from xortune.engines.mlp.module_engine import MlpModuleEngine
from xortune.engines.mlp.native.build import built_library as built_mlp
from xortune.engines.plain.engine import PlainEngine
from xortune.engines.stacked.engine import StackedEngine
from xortune.engines.stacked.padding import Padding
from xortune.engines.xor.engines import CompiledEngine, EagerEngine
from xortune.engines.xor.native import built_library
from xortune.problems.table.rows import TASKS, Task
from xortune.problems.table.spec import ACTIVATIONS, LOSS_FNS, OPTIMIZERS, SCHEDULES
from xortune.problems.xor.spec import LOSS_FNS as XOR_LOSS_FNS
from xortune.problems.xor.spec import SPEC as XOR_SPEC
from xortune.spec import ProblemSpec
from xortune.trial import Lane, Outcome, Params, Paused, Value


@dataclass(frozen=True)
class Case:
    """An engine under contract.

    Attributes:
        name: in the tests' names.
        make: makes the engine.
        spec: of its problem.
        values: some values of each parameter, for short trials; others take their default.
        failing: a trial that fails.
        pauses: whether its trainer takes `until` and `paused`.
        seeded: whether a trial's outcome depends on its number.
        is_long: whether it shows a thing a second time, and is left to the long part.
    """

    name: str
    make: Callable[[], Engine]
    spec: ProblemSpec
    values: Mapping[str, Sequence[Value]]
    failing: Params
    pauses: bool = True
    seeded: bool = False
    is_long: bool = False

    def drawn(self, count: int, seed: int = 0) -> list[Params]:
        """So many trials, always the same; one in the middle fails."""
        draw = random.Random(seed)
        trials = [
            self.spec.assignment({name: draw.choice(some) for name, some in self.values.items()})
            for _ in range(count)
        ]
        trials[count // 2] = self.failing
        return trials

    @property
    def trials(self) -> st.SearchStrategy[Params]:
        """Any short trial."""
        drawn = {name: st.sampled_from(some) for name, some in self.values.items()}
        return st.fixed_dictionaries(drawn).map(self.spec.assignment)


def _xor(name: str, make: Callable[[], Engine]) -> Case:
    values: dict[str, Any] = {
        "lr": (0.1, 2.0, 50.0),
        "epochs": range(1, 41),
        "seed": range(30),
        "loss_fn": XOR_LOSS_FNS,
    }
    return Case(name, make, XOR_SPEC, values, make_params(3e38, 80, 0, "bce_with_logits"))


def _plain(task: Task) -> Case:
    values: dict[str, Any] = {
        "width": (1, 2, 5, 17),
        "depth": range(4),
        "activation": ACTIVATIONS,
        "dropout": (0.0, 0.1, 0.6),
        "lr": (1e-3, 0.03, 1.0),
        "batch_size": (6, 7, 20, 1000),
        "epochs": range(1, 5),
        "seed": (0, 1, 2**32 - 1),
        "optimizer": OPTIMIZERS,
        "weight_decay": (0.0, 0.01),
        "schedule": SCHEDULES,
        "loss_fn": LOSS_FNS[task],
        "early_stopping": (0, 1, 2),
    }
    failing = make_trial(task, lr=3e38, epochs=4, optimizer="sgd")
    make = _Plain(task)
    return Case(f"plain, {task}", make, make_spec(task), values, failing)


@dataclass(frozen=True)
class _Plain:
    task: Task

    def __call__(self) -> Engine:
        return make_engine(self.task, count=20)


def _mlp(task: Task) -> Case:
    return replace(_plain(task), name=f"mlp, {task}", make=_Mlp(task))


@dataclass(frozen=True)
class _Mlp:
    task: Task

    def __call__(self) -> Engine:
        return make_mlp(self.task, count=20)


class _Folded(PlainEngine):
    """A table with folds of different numbers of inputs; a trial's number chooses its fold."""

    def __init__(self, task: Task) -> None:
        folds = make_folds(task)
        super().__init__(*folds[0], make_spec(task), folds)

    def open(self, device: str) -> Trainer:
        return _ByNumber(super().open(device), len(self._folds))


@dataclass(frozen=True)
class _ByNumber:
    trainer: Trainer
    folds: int

    def train(self, lanes: Sequence[Lane], *how: Any, **more: Any) -> list[Outcome]:
        chosen = [lane._replace(fold=lane.number % self.folds) for lane in lanes]
        return self.trainer.train(chosen, *how, **more)


_FOLDED = replace(_plain("classes"), name="plain, folds", make=lambda: _Folded("classes"))


class _FoldedMlp(MlpEngine):
    """As `_Folded`."""

    def __init__(self, task: Task) -> None:
        folds = make_folds(task)
        super().__init__(folds[0], make_spec(task), built_mlp(), folds)

    def open(self, device: str) -> Trainer:
        return _ByNumber(super().open(device), len(self._folds))


_FOLDED_MLP = replace(_mlp("classes"), name="mlp, folds", make=lambda: _FoldedMlp("classes"))


def _module(made: Made, name: str, make: Callable[[], Engine], *, is_long: bool = False) -> Case:
    values: dict[str, Any] = {
        "width": (3, 5),
        "lr": (1e-3, 0.03),
        "batch_size": (7, 1000),
        "epochs": range(1, 5),
        "seed": (0, 1, 2**32 - 1),
        "optimizer": OPTIMIZERS,
        "weight_decay": (0.0, 0.01),
        "schedule": SCHEDULES,
        "early_stopping": (0, 1, 2),
    }
    more: dict[str, Any] = {
        "activation": ("Tanh", "Sigmoid"),
        "dropout": (0.0, 0.3),
        "depth": range(4),
        "loss_fn": tuple(made.losses),
    }
    if not is_long:  # Fewer buckets.
        more |= {"activation": ("Sigmoid",), "dropout": (0.1, 0.3)}
    values |= {key: some for key, some in more.items() if key in made.spec.names}
    failing = made.trial(lr=3e38, epochs=4, optimizer="sgd")
    return Case(name, make, made.spec, values, failing, is_long=is_long)


class _FoldedModule(StackedEngine):
    """As `_Folded`."""

    def __init__(self) -> None:
        super().__init__(PERCEPTRON, PERCEPTRON.spec, SIZE, SIXTY_FOUR, folds=3)

    def open(self, device: str) -> Trainer:
        return _ByNumber(super().open(device), 3)


class _FoldedMlpModule(MlpModuleEngine):
    """As `_Folded`."""

    def __init__(self) -> None:
        vars(self).update(vars(NETWORK.mlp(folds=3)))

    def open(self, device: str) -> Trainer:
        return _ByNumber(super().open(device), 3)


_MODULES = (
    _module(NETWORK, "mlp, module", NETWORK.mlp),
    _module(CLASSES, "mlp, module of classes", CLASSES.mlp, is_long=True),
    _module(NETWORK, "mlp, module with folds", _FoldedMlpModule, is_long=True),
    _module(MIXED, "plain, module", MIXED.plain),
    _module(MIXED, "stacked, buffers and dropout", MIXED.stacked),
    _module(PERCEPTRON, "stacked, folds", _FoldedModule, is_long=True),
    _module(PERCEPTRON, "stacked, perceptron", PERCEPTRON.stacked, is_long=True),
    _module(
        CONVOLUTION, "stacked, convolution", partial(CONVOLUTION.stacked, Padding()), is_long=True
    ),
    _module(RECURRENT, "stacked, recurrent", partial(RECURRENT.stacked, Padding()), is_long=True),
)
_HILL = Case(
    "hill",
    toy.HillEngine,
    toy.SPEC,
    {"rate": (0.1, 0.5), "steps": range(1, 9), "wide": (False, True), "start": range(-9, 10)},
    toy.SPEC.assignment({"rate": 9.0}),
)
_, _FUNCTION_SPEC = functions.engine_of()
_FUNCTION = Case(
    "function",
    lambda: functions.engine_of()[0],
    _FUNCTION_SPEC,
    {"x": (-1.0, 0.0, 0.5), "epochs": (1, 7, 120), "how": ("well", "print"), "seed": (0, 1)},
    _FUNCTION_SPEC.assignment({"x": 1.0, "epochs": 4, "how": "raise"}),
    pauses=False,
    seeded=True,
)
_VARIED = replace(_FUNCTION, name="function, with seeds and folds", make=functions.varied_engine)
COUNT = 64  # of the trials that packs are made of
SOME = (5, 32, 17)  # the numbers of those that train in another process, too
CASES = (
    _xor("eager", lambda: EagerEngine("xor")),
    _xor("compiled", lambda: CompiledEngine("xor", built_library())),
    *map(_plain, TASKS),
    _FOLDED,
    *map(_mlp, TASKS),
    _FOLDED_MLP,
    *_MODULES,
    _HILL,
    _FUNCTION,
    _VARIED,
)


def available(case: Case) -> bool:
    """Whether this machine can make the engine."""
    return not case.name.startswith(("compiled", "mlp")) or any(
        map(shutil.which, ("cc", "gcc", "clang"))
    )


def train(
    engine: Engine,
    trials: Mapping[int, Params],
    log_every: int | None = 2,
    paused: Sequence[Paused | None] = (),
    **how: Any,
) -> dict[int, Outcome]:
    """Trains trials, by their numbers in a study, as one pack in the order given."""
    trainer = engine.open("cpu")
    outcomes = trainer.train(
        lanes([*trials.values()], paused=paused, numbers=[*trials]), log_every, **how
    )
    return dict(zip(trials, outcomes))


def bits(outcome: Outcome) -> str:
    """All of an outcome but when and where; NaN equals NaN, and -0.0 is not 0.0."""
    return repr(replace(outcome, duration_s=None, worker=None))


def all_bits(outcomes: Mapping[int, Outcome]) -> dict[int, str]:
    """The bits of each trial, by number."""
    return {number: bits(outcomes[number]) for number in sorted(outcomes)}
