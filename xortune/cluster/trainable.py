"""The worker: a Ray actor that trains one pack after the other."""

from __future__ import annotations

import time
from typing import Any

from ray import get_runtime_context
from ray.tune import Trainable

from xortune.cluster.limits import memory_kills
from xortune.errors import UsageError
from xortune.trial import Pack

# How long a worker without a pack idles: longer each time, since a hundred of them would keep
# the driver busy with hearing that there is no news.
_IDLE_S, _LONGEST_IDLE_S = 0.1, 1.0


class PackTrainable(Trainable):  # type: ignore[misc]
    """One Tune trial from the start to the end of a worker, with any number of packs.

    Its first step says where it is, and how often memory ran out there. Every step after that
    trains the pack that it was given since the one before, or idles for a moment. Its
    configuration is that of `PackSearcher`.
    """

    def setup(self, config: dict[str, Any], library: bytes | None) -> None:
        self._device = config["device"]
        self._how = (config["data"], config["log_every"], self._device)
        self._library = library if self._device == "cpu" else None
        self._pack: Pack | None = None
        self._fault: Exception | None = None
        self._at_work = False
        self._idle_s = _IDLE_S

    def take(self, pack: Pack) -> None:
        """Called by the driver between two steps: what the next one is to train."""
        self._pack = pack

    def step(self) -> dict[str, Any]:
        if not self._at_work:
            self._at_work = True
            self._get_ready()
            place = get_runtime_context().get_node_id()
            return {"place": place, "memory_kills": memory_kills()}
        if self._fault is not None:
            raise self._fault
        if self._pack is None:
            time.sleep(self._idle_s)
            self._idle_s = min(2 * self._idle_s, _LONGEST_IDLE_S)
            return {}
        self._idle_s = _IDLE_S
        params = [trial.params for trial in self._pack.trials]
        self._pack = None
        return {"outcomes": self._train_pack(params, *self._how, self._step)}

    def _get_ready(self) -> None:
        """Imports and loads what training needs.

        Not in `setup`, where a fault would look like the death of a worker nobody knows where;
        and raised in the step after this, when that is known.
        """
        try:
            from xortune.engines.devices import usable_device
            from xortune.engines.xor import train_pack
            from xortune.engines.xor.native import load_step

            self._train_pack = train_pack
            self._step = None if self._library is None else load_step(self._library)
            usable_device(self._device)
        except UsageError as error:
            self._fault = DeviceError(str(error))
        except Exception as error:
            self._fault = error


class DeviceError(Exception):
    """A worker has not the GPU that its node declares."""
