"""The recorded name of the stacked engine and its libraries, apart from its code."""

# Another number means other bits.
STACKED = "stacked-1"
# Those whose version decides the bits.
LIBRARIES = ("torch", "numpy")
