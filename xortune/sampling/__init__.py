"""Chooses the next trials with Optuna."""

from xortune.sampling.generations import ask_generation, optuna_study

__all__ = ["ask_generation", "optuna_study"]
