"""The recorded name of the plain engine and its libraries, apart from its code."""

# Another number means other bits.
PLAIN = "plain-1"
# Those whose version decides the bits.
LIBRARIES = ("torch", "numpy")
