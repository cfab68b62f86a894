"""A module's problem in the process where it trains: what makes it, its rows, losses, metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from xortune.problems.table.folds import cut_into_folds
from xortune.problems.table.splitting import Parts

Measure = Callable[[Tensor, Tensor], Any]  # of output and target
_FOLD_SEED = 0  # of the order in which rows are dealt into folds


@dataclass(frozen=True, eq=False)
class ModuleLesson:
    """All that an engine needs of a module's problem.

    Attributes:
        build: makes the module of a trial from its parameters. Its weights are drawn from the
            global generator of PyTorch, which the caller seeds right before.
        x, y, x_validation, y_validation: the rows, contiguous float32 or int64 on the CPU.
        x_test, y_test: those that no search sees; None for none.
        losses: by the choices of `loss_fn`: of output and target, a mean over rows.
        metrics: of output and target of all validation rows.
        loss: the final loss, a name of `losses`, measured on the validation rows.
        words: an exception of the user's code in one line, with the user's place.
    """

    build: Callable[[Mapping[str, Any]], nn.Module]
    x: Tensor
    y: Tensor
    x_validation: Tensor
    y_validation: Tensor
    x_test: Tensor | None
    y_test: Tensor | None
    losses: Mapping[str, Measure]
    metrics: Mapping[str, Measure]
    loss: str
    words: Callable[[BaseException], str]

    def fold(self, k: int, folds: int) -> ModuleLesson:
        """The lesson in which the k-th of so many parts validates: see `cut_into_folds`."""
        x = torch.cat((self.x, self.x_validation))
        y = torch.cat((self.y, self.y_validation))
        places = np.arange(len(x))
        parts = Parts(places[: len(self.x)], places[len(self.x) :], places[:0])
        part = cut_into_folds(parts, folds, _FOLD_SEED)[k]
        learnt, held = torch.from_numpy(part.training), torch.from_numpy(part.validation)
        return replace(self, x=x[learnt], y=y[learnt], x_validation=x[held], y_validation=y[held])
