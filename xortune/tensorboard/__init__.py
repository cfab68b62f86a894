"""Writes a TensorBoard run for every trial."""
