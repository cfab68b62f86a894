"""Engines: what trains packs of trials."""
