"""The recorded names of the stacked engines and their libraries, apart from their code."""

# Another number means other bits.
STACKED, STACKED_COMPILED = "stacked-1", "stacked-compiled-1"
# Those whose version decides the bits.
LIBRARIES = ("torch", "numpy")
