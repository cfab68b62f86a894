"""The recorded name of the engine of functions, apart from its code."""

FUNCTION = "function-1"
