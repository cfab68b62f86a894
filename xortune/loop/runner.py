"""The runners, which drive a search: their protocol, and the one that trains in this process."""

from __future__ import annotations

from typing import Protocol

from xortune.engines.engine import Engine, Trainer, reference_digest
from xortune.errors import XortuneError
from xortune.loop.search import Search
from xortune.settings import RunOptions
from xortune.trial import Pack
from xortune.wording import option


class Runner(Protocol):
    """Drives a search to its end.

    A runner takes packs, and returns each with its outcomes or as lost, in any order. It writes
    nothing itself.

    Attributes:
        device: `cpu`, `cuda`, or `both`.
    """

    device: str

    @property
    def workers(self) -> int:
        """The number of packs trained at once."""

    def check(self, engine: Engine) -> None:
        """Checks that every machine that may train packs meets an engine's needs.

        Raises:
            UsageError: a machine lacks something.
        """

    def run(self, search: Search) -> None:
        """Returns when the search is finished.

        Raises:
            Interrupted: the search was told to stop.
            XortuneError: it cannot continue.
        """


class InlineRunner:
    """Trains one pack after another in this process, which has the device."""

    def __init__(self, options: RunOptions, device: str) -> None:
        self.workers = 1
        self.device = device
        self._options = options

    def check(self, engine: Engine) -> None:
        """Does nothing: the engine was chosen on this machine."""

    def run(self, search: Search) -> None:
        search.start({}, self._options.pack_size, self._options.retries)
        trainers: dict[str, Trainer] = {}
        while (pack := next(filter(None, map(search.next_pack, search.devices)), None)) is not None:
            if pack.device not in trainers:
                trainers[pack.device] = _opened(search, pack.device)
            outcomes = search.plan.train(trainers[pack.device], pack, search.heartbeat)
            search.finish(pack, outcomes)
            search.runs.write_all()
            if self.outgrown(search, pack):
                return

    def outgrown(self, search: Search, pack: Pack) -> bool:
        """Whether another runner is to take over after this pack."""
        return False


def _opened(search: Search, device: str) -> Trainer:
    """The engine on a device, checked to compute the study's bits."""
    trainer = search.engine.open(device)
    if not search.admits(device, reference_digest(search.engine, trainer)):
        raise XortuneError(
            f"the study was trained on another kind of processor; on this one the engine "
            f"{search.engine.name} rounds differently. Resume it where it began, or with "
            f"{option('mixed', True)}: then bits differ between kinds of CPU, and the study says "
            "so."
        )
    return trainer
