"""Engines train packs of trials."""
