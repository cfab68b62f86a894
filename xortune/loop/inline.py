"""The runner that trains in this process: for small searches, and as an oracle."""

from __future__ import annotations

from xortune.engines.engine import Engine, Trainer, reference_digest
from xortune.errors import XortuneError
from xortune.loop.search import Search
from xortune.settings import RunOptions
from xortune.trial import Pack
from xortune.wording import option


class InlineRunner:
    """Trains one pack after the other in this process.

    Args:
        options: how packs are cut and retried.
        device: `cpu`, `cuda` or `both`, which this process has.
    """

    def __init__(self, options: RunOptions, device: str) -> None:
        self.workers = 1
        self.device = device
        self._options = options

    def check(self, engine: Engine) -> None:
        """Nothing to check: the engine was chosen on this machine."""

    def run(self, search: Search) -> None:
        search.start({}, self._options.pack_size, self._options.retries)
        trainers: dict[str, Trainer] = {}
        while (pack := _any_pack(search)) is not None:
            if pack.device not in trainers:
                trainers[pack.device] = _opened(search, pack.device)
            outcomes = trainers[pack.device].train(
                [trial.params for trial in pack.trials],
                search.settings.log_every,
                search.heartbeat,
            )
            search.finish(pack, outcomes)
            search.runs.write_all()
            if self.outgrown(search, pack):
                return

    def outgrown(self, search: Search, pack: Pack) -> bool:
        """Whether to leave the rest of the search to another runner, after this pack."""
        return False


def _opened(search: Search, device: str) -> Trainer:
    """The engine on a device, once its bits are known to be those of the study."""
    trainer = search.engine.open(device)
    if not search.admits(device, reference_digest(search.engine, trainer)):
        raise XortuneError(
            f"the study was trained on another kind of processor: on this one the engine "
            f"{search.engine.name} rounds differently. Resume it where it was begun, or with "
            f"{option('force', True)}: trials from here on may differ in their last digits."
        )
    return trainer


def _any_pack(search: Search) -> Pack | None:
    """The next pack for any device."""
    return next((p for p in map(search.next_pack, search.devices) if p is not None), None)
