"""What drives a search: the protocol that every runner follows."""

from __future__ import annotations

from typing import Protocol

from xortune.engines.engine import Engine
from xortune.loop.search import Search


class Runner(Protocol):
    """Drives a search to its end.

    A runner takes packs, gives each back with its outcomes or as lost, in any order, and
    writes nothing itself.

    Attributes:
        device: where packs are trained: `cpu`, `cuda`, or `both`.
    """

    device: str

    @property
    def workers(self) -> int:
        """How many packs are trained at once."""

    def check(self, engine: Engine) -> None:
        """Checks that every machine on which packs may be trained has what an engine needs.

        Raises:
            UsageError: one lacks something.
        """

    def run(self, search: Search) -> None:
        """Returns when the search is finished.

        Raises:
            Interrupted: the search was told to stop.
            XortuneError: it cannot continue.
        """
