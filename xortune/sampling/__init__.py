"""Optuna: which trials to try next."""

from xortune.sampling.generations import ask_generation, optuna_study

__all__ = ["ask_generation", "optuna_study"]
