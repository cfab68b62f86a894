"""Calls the user's training function, trial after trial, in a process of its own."""
