"""How many lanes a stack has: those that are wanted, and others that only fill it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Padding:
    """What a lane needs around it to have the same bits in any stack.

    Attributes:
        multiple: the lanes of a stack are a multiple of this many; 1 for any number.
        least: and at least this many, since some kernels treat a single one in another way.
    """

    multiple: int = 1
    least: int = 2

    def padded(self, lanes: int) -> int:
        """The lanes of a stack that has room for so many."""
        return max(self.least, -(-lanes // self.multiple) * self.multiple)

    def covers(self, other: Padding) -> bool:
        """Whether lanes that need another padding have the same bits with this one, too."""
        return self.multiple % other.multiple == 0 and self.least >= other.least

    def parts(self, lanes: int, most: int) -> list[slice]:
        """Cuts a padded stack into parts of about `most` lanes, each of which is padded, too."""
        unit = max(self.multiple, self.least)
        count = max(1, lanes // max(unit, most // unit * unit))
        edges = [lanes * place // count // self.multiple * self.multiple for place in range(count)]
        return [slice(*pair) for pair in zip(edges, [*edges[1:], lanes])]

    def __str__(self) -> str:
        return f"a multiple of {self.multiple}" if self.multiple > 1 else f"at least {self.least}"


# From the cheapest on.
PADDINGS = (Padding(), Padding(64, 64))
