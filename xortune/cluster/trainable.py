"""The worker: a Ray actor that trains one pack after the other."""

from __future__ import annotations

import time
from typing import Any

from ray import get_runtime_context
from ray.tune import Trainable

from xortune.errors import UsageError
from xortune.trial import Pack

_IDLE_S = 0.1


class PackTrainable(Trainable):  # type: ignore[misc]
    """Says where it is, then trains the pack in its configuration, and is reused for the next.

    Its configuration is that of `PackSearcher`. A worker that is given no pack idles in short
    steps until Tune takes it away: Tune keeps one actor without a trial, and would stop all
    the others whenever a generation ends, at three seconds each to come back.
    """

    def setup(self, config: dict[str, Any], library: bytes | None) -> None:
        self._library = library
        self._pack: Pack | None = config["pack"]
        self._how = (config["data"], config["log_every"])
        self._fault: Exception | None = None
        self._at_work = False

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._pack = new_config["pack"]
        return True

    def step(self) -> dict[str, Any]:
        if not self._at_work:
            self._at_work = True
            self._get_ready()
            return {"place": get_runtime_context().get_node_id()}
        if self._fault is not None:
            raise self._fault
        if self._pack is None:
            time.sleep(_IDLE_S)
            return {}
        params = [trial.params for trial in self._pack.trials]
        device = self._pack.device
        step = self._step if device == "cpu" else None
        outcomes = self._train_pack(params, *self._how, device, step)
        return {"outcomes": outcomes, "done": True}

    def _get_ready(self) -> None:
        """Imports and loads what training needs.

        Not in `setup`, where a fault would look like the death of a worker nobody knows where;
        and raised in the step after this, when that is known.
        """
        try:
            from xortune.engine import train_pack, usable_device
            from xortune.native import load_step

            self._train_pack = train_pack
            self._step = None if self._library is None else load_step(self._library)
            if self._pack is not None:
                usable_device(self._pack.device)
        except UsageError as error:
            self._fault = DeviceError(str(error))
        except Exception as error:
            self._fault = error


class DeviceError(Exception):
    """A worker has not the GPU that its node declares."""
