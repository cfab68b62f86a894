"""The recorded name of the compiled engine of tables and perceptrons, apart from its code."""

# Another number means other bits. Numbers below 1.2e-38 count as 0 in training.
MLP = "mlp-1"
# None decides the bits: weights and orders are drawn as PyTorch does, by the engine's own code.
LIBRARIES: tuple[str, ...] = ()
# Of modules, PyTorch draws weights, and measures what the user's functions are given.
LIBRARIES_OF_MODULES = ("torch", "numpy")
