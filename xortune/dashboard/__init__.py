"""Serves a results folder in optuna-dashboard, from ledgers that it only reads."""
