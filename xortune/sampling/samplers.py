"""Optuna's samplers, fitted to what is searched here."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from xortune.sampling.distributions import continuous, on_grid
from xortune.settings import SamplerName
from xortune.space import Domain, Range, SearchSpace

# Parameters without an order, about which there is nothing to learn from neighbours.
_UNMODELLED = ("seed",)


def make_sampler(
    name: SamplerName, space: SearchSpace, study_seed: int, generation: int
) -> BaseSampler:
    """A sampler for one generation, fixed by the study's seed and the generation's number."""
    if name == "random":
        model: BaseSampler = RandomSampler(seed=_seed(study_seed, generation, "model"))
    else:
        # Multivariate, which is also twice as fast as one model a parameter. The constant
        # liar keeps the trials of a generation, all asked before any is told, apart.
        model = TPESampler(
            seed=_seed(study_seed, generation, "model"), multivariate=True, constant_liar=True
        )
    draws = RandomSampler(seed=_seed(study_seed, generation, "draws"))
    return _SpaceSampler(model, draws, space.domains)


class _SpaceSampler(BaseSampler):
    """Lets a sampler see ranges as intervals of floats, and keeps the seed out of its model.

    Optuna's samplers treat an integer range value by value, in Python: over 9,500 epochs
    most of their time goes there. They are asked for a float instead, which is then rounded.
    """

    def __init__(
        self, model: BaseSampler, draws: BaseSampler, domains: Mapping[str, Domain]
    ) -> None:
        self._model = model
        self._draws = draws
        self._domains = domains

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        inferred = self._model.infer_relative_search_space(study, trial)
        return {name: d for name, d in inferred.items() if name not in _UNMODELLED}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        seen = {name: self._seen(name, d) for name, d in search_space.items()}
        sampled = self._model.sample_relative(study, trial, seen)
        return {name: self._value(name, value) for name, value in sampled.items()}

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        sampler = self._draws if param_name in _UNMODELLED else self._model
        seen = self._seen(param_name, param_distribution)
        return self._value(param_name, sampler.sample_independent(study, trial, param_name, seen))

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        self._model.before_trial(study, trial)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Any) -> None:
        self._model.after_trial(study, trial, state, values)

    def _seen(self, name: str, distribution: BaseDistribution) -> BaseDistribution:
        domain = self._domains[name]
        return continuous(domain) if isinstance(domain, Range) else distribution

    def _value(self, name: str, value: Any) -> Any:
        domain = self._domains[name]
        return on_grid(domain, value) if isinstance(domain, Range) else value


def _seed(study_seed: int, generation: int, purpose: str) -> int:
    """Independent 32-bit seeds; a hash, since neighbouring seeds need not give unlike streams."""
    text = f"{study_seed}/{generation}/{purpose}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "big")
