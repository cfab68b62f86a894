"""Runs a search on Ray Tune."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from xortune.cluster.connection import connected
from xortune.errors import UsageError, XortuneError
from xortune.search_loop import Search
from xortune.settings import RunOptions


@contextmanager
def ray_runner(options: RunOptions, meanwhile: Callable[[], None]) -> Iterator[RayRunner]:
    """A runner on the Ray that the options name, connected for as long as the context lasts.

    Args:
        options: which Ray, and what to do with it.
        meanwhile: imports what will be needed, in a thread, while Ray starts.

    Raises:
        UsageError: there is no such Ray, or it has not what the options want.
    """

    def import_tune() -> None:
        # Where it fails, it will fail again in the thread that has use for it.
        with suppress(ImportError):
            import xortune.cluster.searcher
            import xortune.cluster.trainable  # noqa: F401

            meanwhile()

    with connected(options, import_tune) as ours:
        yield RayRunner(options, ours)


class RayRunner:
    """A runner whose workers are Ray actors that Ray Tune starts, reuses and replaces."""

    def __init__(self, options: RunOptions, ours: bool) -> None:
        import ray

        self._options = options
        self._ours = ours
        resources = ray.cluster_resources()
        self.device = _device(options, resources.get("GPU", 0))
        self.workers = options.workers or _capacity(options, resources, self.device)

    def run(self, search: Search, library: bytes | None) -> None:
        from ray import tune

        from xortune.cluster.searcher import (
            OutcomeCallback,
            PackSearcher,
            SearchOver,
            SearchStopper,
        )
        from xortune.cluster.trainable import PackTrainable

        search.start(self.workers, self._options.pack_size, self._options.retries)
        if search.finished:
            return
        searcher = PackSearcher(search, self.workers, self.device)
        gpus = self._options.gpus_per_worker if self.device == "cuda" else 0
        trainable = tune.with_parameters(PackTrainable, library=library)
        with tempfile.TemporaryDirectory(prefix="xortune-") as scratch:
            tuner = tune.Tuner(
                tune.with_resources(trainable, {"cpu": 1, "gpu": gpus}),
                tune_config=tune.TuneConfig(search_alg=searcher, num_samples=-1, reuse_actors=True),
                run_config=tune.RunConfig(
                    name="packs",
                    storage_path=scratch,
                    callbacks=[OutcomeCallback(searcher)],
                    stop=SearchStopper(searcher, at_once=self._ours),
                    checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                    verbose=0,
                ),
            )
            with suppress(SearchOver):
                tuner.fit()
        if searcher.failure is not None:
            raise searcher.failure
        if not search.finished:
            raise XortuneError(
                "Ray Tune stopped before the search was done. Resume the study, with --verbose "
                "to see what Ray says."
            )


def _device(options: RunOptions, gpus: float) -> str:
    if options.device == "cuda" and not gpus:
        raise UsageError("--device cuda: this Ray has no GPU. Use --device cpu.")
    return "cuda" if gpus and options.device != "cpu" else "cpu"


def _capacity(options: RunOptions, resources: dict[str, float], device: str) -> int:
    workers = resources.get("CPU", 1)
    if device == "cuda":
        workers = min(workers, resources["GPU"] / options.gpus_per_worker)
    return max(1, int(workers))
