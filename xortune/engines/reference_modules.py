"""The reference pack of a module: fixed trials on the first rows, to tell how a machine computes.

Its trials have seeds that no search space can have, and are known by them.
"""

from __future__ import annotations

from xortune.problems.trainer_parameters import LOSS_FN, OPTIMIZERS, SCHEDULES, trainer_parameters
from xortune.spec import ProblemSpec
from xortune.trial import Params

REFERENCE_ROWS = 52
_FIRST_SEED = 2**32
# The parameters of training; all others are keywords of the model.
TRAINER_NAMES = frozenset(parameter.name for parameter in trainer_parameters(("any",)))


def reference_modules(spec: ProblemSpec) -> tuple[Params, ...]:
    """Three short epochs with each optimizer; large rates carry a change of the last bit on."""
    choices = [p for p in spec.parameters if p.kind == "choice" and p.name not in TRAINER_NAMES]
    choices += [p for p in spec.parameters if p.name == LOSS_FN]
    return tuple(
        spec.assignment(
            {
                **{p.name: p.choices[i % len(p.choices)] for p in choices},
                "lr": 0.03,
                "batch_size": 20,
                "epochs": 3,
                "seed": _FIRST_SEED + i,
                "optimizer": optimizer,
                "weight_decay": 0.01,
                "schedule": SCHEDULES[i % len(SCHEDULES)],
            }
        )
        for i, optimizer in enumerate(OPTIMIZERS)
    )
