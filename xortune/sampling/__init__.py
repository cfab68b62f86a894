"""Chooses the next trials with Optuna, and gives it finished ones."""

from xortune.sampling.frozen import optuna_study
from xortune.sampling.generations import ask_generation

__all__ = ["ask_generation", "optuna_study"]
