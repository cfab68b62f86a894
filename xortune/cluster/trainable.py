"""The worker: a Ray actor that trains one pack after the other."""

from __future__ import annotations

import time
from typing import Any

from ray.tune import Trainable

from xortune.trial import Pack

_IDLE_S = 0.1


class PackTrainable(Trainable):  # type: ignore[misc]
    """Trains the pack in its configuration in one step, and is reused for the next.

    Its configuration is that of `PackSearcher`. A worker that is given no pack idles in short
    steps until Tune takes it away: Tune keeps one actor without a trial, and would stop all
    the others whenever a generation ends, at three seconds each to come back.
    """

    def setup(self, config: dict[str, Any], library: bytes | None) -> None:
        # Imported when the actor starts, while there is something to wait for anyway.
        from xortune.engine import train_pack
        from xortune.native import load_step

        self._train_pack = train_pack
        self._load_step = load_step
        self._library = library
        self._pack: Pack | None = config["pack"]
        self._how = (config["data"], config["log_every"], config["device"])

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._pack = new_config["pack"]
        return True

    def step(self) -> dict[str, Any]:
        if self._pack is None:
            time.sleep(_IDLE_S)
            return {"outcomes": None}
        params = [trial.params for trial in self._pack.trials]
        # Not in setup: what is raised there looks like the death of a worker.
        step = None if self._library is None else self._load_step(self._library)
        outcomes = self._train_pack(params, *self._how, step)
        return {"outcomes": outcomes, "done": True}
