"""A problem of the user's own, declared: the public `xortune.Problem`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

from xortune.errors import UsageError
from xortune.plain_numbers import brief
from xortune.problems.function.declared import RESERVED, Report, function_at_fault
from xortune.problems.function.mentioned import mentioned_metrics
from xortune.problems.helper_texts import text_with_helpers
from xortune.problems.module.declared import DeclaredModule, Given, declared_module
from xortune.problems.module.declared_faults import module_at_fault
from xortune.problems.names import DIRECTIONS, is_name
from xortune.problems.sources import source_of
from xortune.spec import Direction

if TYPE_CHECKING:
    from xortune.problems.module.split import Split

_LOSS = "loss"  # the objective unless another is named


@dataclass(frozen=True)
class Problem:
    """A problem to search over: a training function, or a `torch.nn.Module` with its data.

    **A function** is called with the parameters of a trial, as a dictionary, and with a function
    to report metrics after an epoch. It returns a mapping of metrics, or the objective as a
    number, or nothing: then the reports of the last epoch count. What it returns takes precedence
    over what it reports. Before each call `random`, NumPy and PyTorch are seeded from the study's
    seed and the trial's number, or by a replicate's seed, so a function that draws from them alone
    is repeatable. With folds the dictionary has `fold`, from 0, and `folds`, how many there are.

    It is called in a process of its own, which is used again for other trials. Numerical libraries
    have one thread there, because another number may give other bits, and what it prints is shown
    with `verbose` only.

    **A module** is trained by xortune, many trials at a time where the module allows it, with the
    parameters that a table has: `lr`, `batch_size`, `epochs`, `seed`, `optimizer`, `weight_decay`,
    `schedule`, `early_stopping`, and `loss_fn` where there are several losses. Its weights are
    those after `torch.manual_seed(seed)`.

    Args:
        train: the function, called with `(config, report)`.
        space: the `parameters` of a search space; None if the search names one.
        model: instead of `train`, a class or a function that makes a module. Its keywords are
            parameters of the search. `inputs` and `outputs`, if it has them, are those of the
            data: the columns of `x`, or of rows with more axes their shape; and the columns of
            `y`, or the number of classes.
        data: of a model, a function without arguments that returns an `xortune.Split`; None if
            the search names a table.
        loss: of a model: `mse`, `mae`, `huber`, `bce_with_logits`, `cross_entropy`, or a function
            of output and target, which gives a mean over rows. Of a list, whose names are the
            choices of the parameter `loss_fn`, the first is the final loss.
        objective: the metric that decides the rank, minimised: `"loss"`, which for a model is the
            final loss; or maximised: `"accuracy:max"`. Of a function, a name such as `accuracy`
            has to say which.
        metrics: of a function, the names of further metrics. None finds them in the text of
            `train`, without running it: the keywords of calls of its second parameter, and the
            keys of dictionaries that stand in its `return` statements. Functions that it calls
            are not looked into. Of a model, further metrics by name: functions of output and
            target, which are called with all validation rows. More is better where the name says
            so, as `accuracy` does, or `"gain:max"`.
        defaults: of a model, the values of parameters that a search space leaves out.
        name: the problem's name; None takes the file's.
        cost: of a function, the parameter that training time is proportional to, such as
            `"epochs"`.

    Raises:
        UsageError: lists all faults.

    Example:
        def train(config, report):
            for epoch in range(config["epochs"]):
                report(epoch, loss=(1 - config["rate"]) ** epoch)

        problem = xortune.Problem(train, {"rate": {"min": 0.0, "max": 1.0}, "epochs": {"value": 9}})

        def model(inputs: int, outputs: int, width: int = 16):
            return nn.Sequential(nn.Linear(inputs, width), nn.Tanh(), nn.Linear(width, outputs))

        problem = xortune.Problem(
            model=model, data=data, loss="mse", space={"width": {"values": [4, 8, 16]}}
        )
    """

    train: Callable[[dict[str, Any], Report], Any] | None = None
    space: Mapping[str, Any] | None = None
    _: KW_ONLY
    model: Callable[..., Any] | None = None
    data: Callable[[], Split] | None = None
    loss: Any = None
    objective: str = _LOSS
    metrics: Sequence[str] | Mapping[str, Callable[[Any, Any], Any]] | None = None
    defaults: Mapping[str, Any] | None = None
    name: str | None = None
    cost: str | None = None

    def __post_init__(self) -> None:
        faults = [*self._own_faults(), *_space_faults(self.space), *_name_faults(self.name)]
        if faults:
            raise UsageError("\n".join(f"Problem: {fault}" for fault in faults))

    def _own_faults(self) -> list[str]:
        if self.model is not None and self.train is not None:
            return ["train and model: give one of the two."]
        if self.model is None:
            given = {"data": self.data, "loss": self.loss, "defaults": self.defaults}
            odd = [
                f"{name} {brief(value)}: goes with a model, and there is none."
                for name, value in given.items()
                if value is not None
            ]
            train = function_at_fault(self.train, self.objective, self.metrics, self.cost)
            return [*train, *odd]
        faults = module_at_fault(self._given)
        if self.cost is not None:
            faults.append("cost: goes with a function; a model's is its epochs.")
        return faults

    @property
    def called(self) -> Callable[[dict[str, Any], Report], Any]:
        """The training function of a problem that has one."""
        assert self.train is not None
        return self.train

    @property
    def module(self) -> DeclaredModule:
        """What is declared of a model, of a problem that has one."""
        return declared_module(self._given)

    @property
    def functions(self) -> tuple[Callable[..., Any], ...]:
        """All that is the user's code, the most important first."""
        return (self.called,) if self.model is None else self.module.functions

    @property
    def text(self) -> str:
        """The text of its functions; empty if that of one is not known."""
        if self.model is None:
            return source_of(self.called) or ""
        return text_with_helpers(self.functions)

    @property
    def _given(self) -> Given:
        return Given(self.model, self.data, self.loss, self.metrics, self.objective, self.defaults)

    @property
    def objective_name(self) -> str:
        return self.objective.partition(":")[0]

    @property
    def direction(self) -> Direction:
        return DIRECTIONS[self.objective.partition(":")[2]]

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Of a function: the objective, then the others, declared or found in its text."""
        further = mentioned_metrics(self.called) if self.metrics is None else self.metrics
        usable = (name for name in further if name not in RESERVED and is_name(name))
        return tuple(dict.fromkeys((self.objective_name, *usable)))


def _space_faults(space: object) -> list[str]:
    if space is None or (isinstance(space, Mapping) and len(space) > 0):
        return []
    return [
        f"space {brief(space)}: must be a mapping of at least one parameter, such as "
        '{"rate": {"min": 0.001, "max": 0.1}}.'
    ]


def _name_faults(name: object) -> list[str]:
    if name is None or is_name(name):
        return []
    return [f"name {brief(name)}: must consist of letters, digits and underscores."]
