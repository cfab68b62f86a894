"""What the lanes of a bucket have alike, and what is each one's own."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from xortune.engines.curve_points import Points
from xortune.engines.plain.module import (
    own_loss_of,
    rows_at_once,
    seeded_module,
    trained_parameters,
    widest,
)
from xortune.engines.plain.optimizers import SCALARS
from xortune.engines.plain.pausing import Unpacked, packed, remembered
from xortune.engines.progress import Progress
from xortune.engines.reference_modules import TRAINER_NAMES
from xortune.engines.stacked.network import Network
from xortune.engines.stacked.optimizers import MEMORY
from xortune.engines.stacked.padding import Padding
from xortune.engines.stacked.stack import LaneNumbers, Plan
from xortune.engines.stacked.structure import DROPOUTS, shapes_of, structure_of
from xortune.engines.user_code import user_code
from xortune.problems.module.lesson import ModuleLesson
from xortune.problems.module.weights import layout_of, weights_of
from xortune.trial import Curve, Paused, Weights

if TYPE_CHECKING:
    from xortune.engines.stacked.programs import Programs

# The most numbers of an array of all lanes in a step, as far as their sizes are known.
_MOST_NUMBERS = 2**25


@dataclass
class Member:
    """A lane in training.

    Attributes:
        place: in the pack.
        params: of its trial.
        points: of its curve.
        progress: how far it has come.
        numbers: at the start of its training, and at its end.
        order: draws the order of its rows.
        rates: of dropout, by the names of its modules.
        began: the epoch at which this training began.
    """

    place: int
    params: Mapping[str, Any]
    points: Points
    progress: Progress
    numbers: LaneNumbers
    order: torch.Generator
    rates: Mapping[str, float]
    began: int

    @property
    def finished(self) -> bool:
        """Whether it has trained all its epochs, or too many without a better one."""
        return self.progress.finished(self.params["epochs"], self.params["early_stopping"])


class Form:
    """What is the same for all lanes of a bucket.

    Args:
        module: of the first of them, which must not be used afterwards.
        lesson: of all.
        params: of the first.
        programs: that lanes of this structure run; None computes operation by operation.
    """

    def __init__(
        self,
        module: nn.Module,
        lesson: ModuleLesson,
        params: Mapping[str, Any],
        programs: Programs | None = None,
    ) -> None:
        self.lesson = lesson
        self.programs = programs
        self.loss = own_loss_of(lesson, params)
        self.batch = min(params["batch_size"], len(lesson.x))
        rest = len(lesson.x) % self.batch
        self.batch_sizes = (self.batch, rest) if rest else (self.batch,)
        self.most_rows = rows_at_once(module, lesson)
        trained = trained_parameters(module)
        self.plan = Plan({name: tuple(p.shape) for name, p in trained.items()})
        with user_code(lesson.words):  # An extra state is no array.
            self._layout = layout_of(module)
            self._stored = _stored(module)
        largest = max(len(lesson.x), self.plan.size, self.batch * widest(module, lesson))
        self._most_lanes = _MOST_NUMBERS // largest
        self._changing = [name for name, _ in module.named_buffers()]
        drops = any(rates_of(module).values())
        self.network = Network(module, self.loss, trained, untrained(module), drops=drops)

    def stacks(self, members: Sequence[Member], padding: Padding) -> list[Sequence[Member]]:
        """Lanes in stacks that need no more memory than there should be."""
        unit = max(padding.multiple, padding.least)
        size = max(unit, self._most_lanes // unit * unit)
        return [members[start : start + size] for start in range(0, len(members), size)]

    def numbers(self, module: nn.Module) -> LaneNumbers:
        """The numbers of a lane before its training."""
        weights = self.plan.joined(trained_parameters(module))
        buffers = untrained(module)
        first, second = torch.zeros(2, self.plan.size)
        return LaneNumbers(weights, weights, first, second, buffers, dict(buffers))

    def resume(self, numbers: LaneNumbers, params: Mapping[str, Any], state: Paused) -> Progress:
        """Puts the numbers of a paused trial in place.

        Raises:
            XortuneError: the state is not that of such a trial.
        """
        like = {name: numbers.buffers[name] for name in self._changing}
        found = Unpacked(state, params, self.plan.count, like)
        spread = {
            name: self.plan.spread(vector)
            for name, vector in found.vectors.items()
            if name not in SCALARS
        }
        numbers.weights, numbers.best = spread["weights"], spread["best"]
        if state.epoch:
            for memory, name in MEMORY[params["optimizer"]].items():
                setattr(numbers, memory, spread[name])
        numbers.buffers.update(found.buffers)
        numbers.best_buffers.update(found.best_buffers)
        return found.progress

    def paused(self, member: Member, steps: int, curve: Curve) -> Paused:
        """The state of a lane after so many steps; the curve must end before its epoch."""
        numbers, params = member.numbers, member.params
        memory = {
            name: getattr(numbers, held) for held, name in MEMORY[params["optimizer"]].items()
        }
        rows = {"weights": numbers.weights, "best": numbers.best, **memory}
        names = ("weights", "best", *remembered(params, member.progress.epoch))
        vectors = {name: self.plan.dense(rows[name]) for name in names if name in rows}
        if "step" in names:
            vectors["step"] = torch.tensor(float(steps)).numpy()
        buffers, best = (
            {name: some[name] for name in self._changing}
            for some in (numbers.buffers, numbers.best_buffers)
        )
        return packed(member.progress, vectors, (buffers, best), curve)

    def weights(self, numbers: LaneNumbers) -> Weights:
        """The best weights of a lane, as a study stores them."""
        views = self.plan.arrays(numbers.best.unsqueeze(0))
        held: dict[str, Tensor] = {name: view[0] for name, view in views.items()}
        held |= numbers.best_buffers
        content = weights_of({name: held[origin] for name, origin in self._stored.items()}).content
        return Weights(self._layout, content)


class Kind(NamedTuple):
    """What a lane must have alike with others to train beside them."""

    structure: Hashable
    batch: int


def made(lesson: ModuleLesson, params: Mapping[str, Any]) -> tuple[nn.Module, Kind]:
    """The module of a trial, and what it must have alike with others to train beside them.

    Raises:
        UserError: its code fails.
    """
    module = seeded_module(lesson, params)
    trained_parameters(module)
    structure = structure_of(module)
    if structure is None:  # Then equal keywords make equal modules.
        structure = tuple((name, params[name]) for name in params if name not in TRAINER_NAMES)
    batch = min(params["batch_size"], len(lesson.x))
    drops = any(rates_of(module).values())
    return module, Kind((structure, shapes_of(module), drops, params.get("loss_fn")), batch)


def rates_of(module: nn.Module) -> dict[str, float]:
    """The rates of dropout by the names of modules."""
    parts = module.named_modules()
    return {name: part.p for name, part in parts if isinstance(part, DROPOUTS)}


def untrained(module: nn.Module) -> dict[str, Tensor]:
    """Buffers, and parameters that training leaves alone, by name."""
    frozen = {name: p for name, p in module.named_parameters() if not p.requires_grad}
    every = {**frozen, **dict(module.named_buffers())}
    return {name: tensor.detach().clone() for name, tensor in every.items()}


def _stored(module: nn.Module) -> dict[str, str]:
    """For each array of the module's `state_dict()`, the name under which a lane holds it."""
    held = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    names = {id(tensor): name for name, tensor in held.items()}
    return {name: names[id(t)] for name, t in module.state_dict(keep_vars=True).items()}
