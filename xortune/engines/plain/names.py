"""The name of the plain engine, apart from its code."""

# As recorded: another number means other bits.
PLAIN = "plain-1"
