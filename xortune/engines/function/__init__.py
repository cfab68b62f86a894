"""Calls a user's function, trial after trial, in a process of its own."""
