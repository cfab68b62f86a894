"""A TensorBoard run for every trial."""
