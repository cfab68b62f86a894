"""Trains many modules of one shape at once, each lane as if it were alone."""
