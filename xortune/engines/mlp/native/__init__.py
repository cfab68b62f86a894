"""Multilayer perceptrons in C: compiled when first needed, kept in the user's cache."""
