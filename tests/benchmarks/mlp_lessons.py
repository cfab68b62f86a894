"""What the compiled engine of tables is timed on: made-up rows, and networks to train on them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from tests.benchmarks import stock_mlp_loop
from tests.benchmarks.core import Skipped
from tests.benchmarks.made_table import made_rows
from xortune.engines.engine import Trainer
from xortune.engines.mlp.engine import MlpEngine
from xortune.engines.mlp.native.build import built_library
from xortune.engines.plain.engine import PlainEngine
from xortune.errors import NoEngineError
from xortune.problems.table.rows import Rows, Target
from xortune.problems.table.spec import table_spec
from xortune.trial import Lane, Outcome, Params

LANES, TABLE_ROWS, VALIDATION = 256, 1000, 8
EPOCHS, BATCH, LR = stock_mlp_loop.EPOCHS, stock_mlp_loop.BATCH, stock_mlp_loop.LR


class Lesson:
    """Both engines with a made-up table.

    Attributes:
        spec: the table's.
        mlp: the compiled engine.
        plain: the plain engine.

    Args:
        inputs: the columns.
        outputs: 1 to learn a number, or how many classes.

    Raises:
        Skipped: the compiled engine is not available on this machine.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        x, y = made_rows(TABLE_ROWS, inputs, outputs)
        y = y[:, 0] if outputs == 1 else y
        target = Target("regression")
        if outputs > 1:
            target = Target("classes", tuple(map(str, range(outputs))))
        self.spec = table_spec(target.task)
        rows = Rows(x, y), Rows(x[:VALIDATION], y[:VALIDATION]), target
        try:
            library = built_library()
        except NoEngineError as error:
            raise Skipped(str(error)) from error
        self.mlp: Trainer = MlpEngine(rows, self.spec, library).open("cpu")
        self.plain: Trainer = PlainEngine(*rows, self.spec).open("cpu")

    @classmethod
    def of(cls, network: str) -> Lesson:
        """For a network such as `8-32-32-1`."""
        sizes = sizes_of(network)
        return cls(sizes[0], sizes[-1])

    def trial(self, params: dict[str, Any]) -> Params:
        """A trial that trains for all its epochs; with Adam and ReLU unless it says otherwise."""
        usual = {"epochs": EPOCHS, "batch_size": BATCH, "lr": LR, "early_stopping": 0}
        kinds = {"activation": "relu", "optimizer": "adam"}
        return self.spec.assignment({**kinds, **usual, **params})

    def trials(self, network: str, count: int, epochs: int = EPOCHS) -> list[Params]:
        """Trials of one network that differ in their seed."""
        sizes = sizes_of(network)
        shape = {"width": sizes[1], "depth": len(sizes) - 2, "epochs": epochs}
        return [self.trial({**shape, "seed": seed}) for seed in range(count)]


def sizes_of(network: str) -> list[int]:
    return [int(size) for size in network.split("-")]


def trained(trainer: Trainer, trials: Sequence[Params]) -> list[Outcome]:
    """The outcomes, with curves that begin with the last epoch."""
    longest = max(trial["epochs"] for trial in trials)
    return trainer.train([*map(Lane, trials)], log_every=longest + 1)


def flops(sizes: Sequence[int]) -> int:
    """Multiplications and additions of matrix products in an epoch; those of updates are left out.

    A row is multiplied with the weights of each layer, and on the way back twice more, but only
    once in the first layer, whose inputs need no gradient.
    """
    weights = [math.prod(pair) for pair in itertools.pairwise(sizes)]
    return 2 * TABLE_ROWS * (3 * sum(weights) - weights[0])
