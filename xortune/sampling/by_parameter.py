"""TPE with a model for each parameter; what is private of Optuna's sampler is used here alone.

Optuna's own way asks for one parameter of one trial at a time, and makes the densities anew for
each. Here they are made once a generation, and proposals are drawn and judged many at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import TPESampler
from optuna.samplers._tpe.sampler import _split_trials, default_gamma
from optuna.study import Study
from optuna.trial import TrialState

# Proposals that are drawn together. Another number draws others.
_DRAWN = 32
# Draws of a parameter for a proposal, of which the most promising is taken: Optuna's default.
_CANDIDATES = 24


class ParameterModels:
    """Proposals from the densities of good and of other trials, parameter by parameter.

    The proposals of a generation are drawn from one model, so nothing has to keep them apart: they
    differ as draws do.

    Args:
        study: with the trials to learn from.
        distributions: of the parameters.
        seed: of the draws.
    """

    def __init__(
        self, study: Study, distributions: Mapping[str, BaseDistribution], seed: int
    ) -> None:
        self._distributions = distributions
        self._draws = np.random.RandomState(seed)
        sampler = TPESampler()
        trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        parts = _split_trials(study, trials, default_gamma(len(trials)))
        self._densities = {
            name: tuple(
                sampler._build_parzen_estimator(study, {name: one}, part, handle_below=below)
                for part, below in zip(parts, (True, False))
            )
            for name, one in distributions.items()
        }
        self._ready: deque[dict[str, Any]] = deque()

    def ask(self) -> dict[str, Any]:
        """The next proposal."""
        if not self._ready:
            columns = [self._column(name) for name in self._densities]
            self._ready.extend(dict(zip(self._densities, row)) for row in zip(*columns))
        return self._ready.popleft()

    def _column(self, name: str) -> list[Any]:
        """A value for each proposal, where good trials are densest by comparison."""
        good, other = self._densities[name]
        drawn = good.sample(self._draws, _DRAWN * _CANDIDATES)
        gain = (good.log_pdf(drawn) - other.log_pdf(drawn)).reshape(_DRAWN, _CANDIDATES)
        values = drawn[name].reshape(_DRAWN, _CANDIDATES)
        chosen = values[np.arange(_DRAWN), gain.argmax(axis=1)]
        return [*map(self._distributions[name].to_external_repr, chosen)]
