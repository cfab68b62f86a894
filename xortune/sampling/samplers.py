"""Optuna's samplers, adapted to this search.

They are called through the methods of `BaseSampler`, since storing a trial's parameters in a
study costs more than choosing them.
"""

from __future__ import annotations

import hashlib
import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from optuna import create_study
from optuna.distributions import BaseDistribution
from optuna.samplers import RandomSampler, TPESampler
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from xortune.sampling.by_parameter import ParameterModels
from xortune.sampling.distributions import continuous, distributions, stretched
from xortune.settings import SAMPLER_VERSION
from xortune.space import Range, SearchSpace
from xortune.trial import Params

# Start modelling after this many trials, unless all of them failed.
_STARTUP = 10
# Parameters that are modelled together, at most. The kernels of a joint model do not narrow: of
# nine parameters, each is a sixth of a range wide however many trials are told.
_TOGETHER = 4
# TPE's cost for a trial grows with the running trials of the generation: keep the latest.
_LIES = 100


class Draws:
    """Draws all parameters at random; ranges as intervals of floats, for `on_grid` to round."""

    def __init__(self, space: SearchSpace, study_seed: int, generation: int) -> None:
        self._sampler = RandomSampler(seed=_seed(study_seed, generation, "draws"))
        self._study = create_study(sampler=self._sampler)
        self._trial = create_trial(state=TrialState.RUNNING)
        self._distributions: dict[str, BaseDistribution] = {
            **distributions(space),
            **{n: continuous(d) for n, d in space.domains.items() if isinstance(d, Range)},
        }

    def ask(self) -> dict[str, Any]:
        return {
            name: self._sampler.sample_independent(self._study, self._trial, name, distribution)
            for name, distribution in self._distributions.items()
        }


class Model:
    """TPE on the told trials, for all parameters but those without an order.

    Few parameters are modelled together, many each by itself.

    Optuna treats an integer range value by value, in Python, which is slow for thousands of
    values. It is asked for a float instead, for `on_grid` to round.

    Args:
        space: the search space.
        study_seed: the study's seed.
        generation: the number of the generation.
        known: trials of earlier generations, by number, with their objectives: smaller is better,
            and infinite for failed trials.
        version: of the sampler, as recorded.
    """

    def __init__(
        self,
        space: SearchSpace,
        study_seed: int,
        generation: int,
        known: Sequence[tuple[Params, float]],
        version: int = SAMPLER_VERSION,
    ) -> None:
        seed = _seed(study_seed, generation, "model")
        # Multivariate costs half as much as a model for each parameter. The constant liar
        # spreads trials that are asked before any of them is told.
        self._sampler = TPESampler(
            n_startup_trials=_STARTUP,
            seed=seed,
            multivariate=True,
            constant_liar=True,
        )
        self._study = create_study(sampler=self._sampler)
        self._distributions = _modelled(space)
        enough = len(known) >= _STARTUP and any(math.isfinite(loss) for _, loss in known)
        self._learns = bool(self._distributions) and enough
        self._study.add_trials(_frozen(*trial, self._distributions) for trial in known)
        self._lies: deque[Trial] = deque()
        self._single: ParameterModels | None = None
        if self._learns and version > 2 and len(self._distributions) > _TOGETHER:
            self._single = ParameterModels(self._study, self._distributions, seed)

    def ask(self) -> dict[str, Any]:
        """The modelled parameters; none before enough trials are complete."""
        if not self._learns:
            return {}
        if self._single is not None:
            return self._single.ask()
        self._lies.append(self._study.ask())
        if len(self._lies) > _LIES:
            self._study.tell(self._lies.popleft(), state=TrialState.FAIL)
        running = self._study.get_trials(deepcopy=False)[-1]
        return self._sampler.sample_relative(self._study, running, self._distributions)


def _frozen(params: Params, loss: float, modelled: Mapping[str, BaseDistribution]) -> FrozenTrial:
    chosen = {name: params[name] for name in modelled}
    return create_trial(params=chosen, distributions=dict(modelled), value=loss)


def _modelled(space: SearchSpace) -> dict[str, BaseDistribution]:
    return {
        name: stretched(domain) if isinstance(domain, Range) else distribution
        for name, distribution in distributions(space).items()
        for domain in [space.domains[name]]
        if space.spec.parameter(name).modelled and not distribution.single()
    }


def _seed(study_seed: int, generation: int, purpose: str) -> int:
    """A 32-bit seed; hashed, since streams of neighbouring seeds may be alike."""
    text = f"{study_seed}/{generation}/{purpose}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "big")
