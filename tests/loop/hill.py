"""Runs searches of the hill in this process, in packs of any size, with kills between packs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.toy import SPACE, SPEC, HillEngine
from xortune.ledger import Ledger
from xortune.loop.clock import Clock
from xortune.loop.run_queue import RunQueue
from xortune.loop.search import Search
from xortune.paths import StudyPaths
from xortune.settings import Provenance, StudySettings
from xortune.space import load_space
from xortune.tensorboard.runs import RunWriter
from xortune.trial import Pack

ENGINE = HillEngine()


def hill_settings(**settings: Any) -> StudySettings:
    """Settings of a study of the hill, with the spec and the space that they need."""
    replicated = settings.get("replicates", 1) > 1
    pruned = settings.get("pruner", "none") != "none"
    spec = SPEC.extended(replicated=replicated, pruned=pruned)
    space = {name: entry for name, entry in SPACE.items() if name in spec.names}
    return StudySettings(spec, space, **{"trials": 60, "generation": 30, **settings})


class Hill:
    """A study of the hill in a folder, which any number of searches may continue."""

    def __init__(self, folder: Path, settings: StudySettings) -> None:
        self.paths = StudyPaths(folder)
        Ledger.create(self.paths, settings, Provenance(HillEngine.name)).close()

    def run(
        self,
        workers: int = 1,
        pack_size: int | None = None,
        packs: int | None = None,
        backwards: bool = False,
        lost: Callable[[Pack], Any] = lambda pack: False,
        is_late: Callable[[], bool] = lambda: False,
        **changed: Any,
    ) -> Search:
        """Searches until the end, or until so many packs have come back: the rest is lost.

        Args:
            workers: how many packs are out at once.
            pack_size: the most trials in a pack.
            packs: after how many a kill comes.
            backwards: whether packs come back in the opposite order.
            lost: whether the worker of a pack dies.
            is_late: whether the time is over.
            changed: settings that are changed before.
        """
        with Ledger.open(self.paths) as ledger:
            if changed:
                ledger.record(replace(ledger.settings(), **changed), ledger.provenance())
            settings = ledger.settings()
            clock = Clock()
            space = load_space(settings.space, settings.spec)
            runs = RunQueue(RunWriter(self.paths, space), clock)
            search = Search(
                ledger, ENGINE, runs, clock, lambda progress: None, lambda: None, is_late
            )
            search.start({"cpu": workers}, pack_size, 0)
            while not search.finished:
                out: list[Pack] = []
                while len(out) < workers and (pack := search.next_pack()) is not None:
                    out.append(pack)
                for pack in reversed(out) if backwards else out:
                    if lost(pack):
                        search.lost(pack, "its worker died")
                        continue
                    search.finish(pack, search.plan.train(ENGINE, pack))
                    packs = None if packs is None else packs - 1
                    if packs == 0:
                        return search
            search.conclude()
            return search

    def content(self) -> Sequence[Any]:
        """All that is the same for equal studies: trials, curves, replicates and findings."""
        with Ledger.read(self.paths) as ledger:
            table = ledger.trials()
            numbers = range(len(table))
            assert ledger.paused() == {}
            return (
                [repr((row.trial, row.outcome)) for row in table],
                [repr(ledger.curve(number)) for number in numbers],
                [repr(ledger.replicates(number)) for number in numbers],
                [repr(ledger.weights(number)) for number in numbers],
                ledger.findings(),
            )
