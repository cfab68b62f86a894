"""Decides whether a lost pack is trained again, halved, or given up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from xortune.errors import XortuneError
from xortune.trial import Pack, Params, Trial

# After this many losses in a row, check whether workers work at all.
_DOUBT = 5


class GivenUp(NamedTuple):
    """A pack of one trial that no worker survives, and the error of that trial."""

    pack: Pack
    error: str


class Recovery:
    """Decides on lost packs.

    A pack is trained again once, and then in halves, until a trial that kills its worker is
    alone. That trial is retried `retries` times, and then blamed. It is given up only after
    another pack was trained, if necessary one with nothing but the probe, so that a machine that
    can train nothing does not fail every trial of a study.
    """

    def __init__(self, ids: Iterator[int], probe: Params, retries: int) -> None:
        self._ids = ids
        self._probe_trial = Trial(-1, -1, probe)
        self._retries = retries
        self._in_a_row = 0
        self._blamed: list[GivenUp] = []
        self._probe: int | None = None

    def is_probe(self, pack: Pack) -> bool:
        return pack.id == self._probe

    def trained(self, pack: Pack) -> Sequence[GivenUp]:
        """Notes that a pack was trained; returns what fails now, being given up."""
        self._in_a_row = 0
        if self.is_probe(pack):
            self._probe = None
        given_up, self._blamed = self._blamed, []
        return given_up

    def lost(self, pack: Pack, reason: str, place: str | None) -> Sequence[Pack]:
        """Notes that a pack was lost on a node; returns the packs to train instead, in order.

        Raises:
            XortuneError: no worker can train anything.
        """
        self._in_a_row += 1
        tries = pack.tries + 1
        again = replace(
            pack, id=next(self._ids), tries=tries, avoid=pack.avoid | ({place} if place else set())
        )
        if self.is_probe(pack):
            if tries > self._retries:
                raise XortuneError(
                    f"every worker is lost, whatever it trains ({self._in_a_row} in a row): "
                    f"{reason}. Nothing is counted as failed. Check the workers, then resume "
                    "the study."
                )
            self._probe = again.id
            return [again]
        return [*self._instead(again, reason), *self._new_probe(pack.device)]

    def _instead(self, pack: Pack, reason: str) -> Sequence[Pack]:
        if len(pack.trials) > 1 and (pack.tries > 1 or not self._retries):
            return self._halves(pack)
        if len(pack.trials) > 1 or pack.tries <= self._retries:
            return [pack]
        error = f"given up after {pack.tries} tries alone: {reason}"
        self._blamed.append(GivenUp(pack, error))
        return []

    def _halves(self, pack: Pack) -> Sequence[Pack]:
        """A trial that becomes alone starts with its full number of retries."""
        middle = len(pack.trials) // 2
        return [
            replace(pack, id=next(self._ids), trials=half, tries=min(len(half) - 1, 1))
            for half in (pack.trials[:middle], pack.trials[middle:])
        ]

    def _new_probe(self, device: str) -> Sequence[Pack]:
        if self._probe is not None or not (self._blamed or self._in_a_row >= _DOUBT):
            return []
        self._probe = next(self._ids)
        return [Pack(self._probe, (self._probe_trial,), device)]
