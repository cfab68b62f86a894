"""Trains tables in packs, with C: every lane as if it were alone."""
