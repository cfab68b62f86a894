"""Chooses the next trials with Optuna, and gives it finished ones."""

from xortune.sampling.frozen import Frozen, optuna_study
from xortune.sampling.generations import ask_generation
from xortune.sampling.quiet import quiet

__all__ = ["Frozen", "ask_generation", "optuna_study", "quiet"]
