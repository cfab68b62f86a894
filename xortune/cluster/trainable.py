"""The worker: a Ray actor that trains one pack after the other."""

from __future__ import annotations

import time
from typing import Any

from ray import get_runtime_context
from ray.tune import Trainable

from xortune.cluster.control_groups import memory_kills
from xortune.engines.engine import Engine, Trainer, reference_digest
from xortune.errors import UsageError
from xortune.loop.lanes import Plan
from xortune.trial import Pack

# A worker without a pack sleeps for this long: longer each time, because a hundred of them would
# flood the driver with empty results.
_IDLE_S, _LONGEST_IDLE_S = 0.1, 1.0


class PackTrainable(Trainable):  # type: ignore[misc]
    """One Tune trial from the start to the end of a worker, with any number of packs.

    The first step returns its node, how often memory ran out there, and how it computes. Every
    later step trains the pack that it was given since the step before, or sleeps for a moment.
    Its configuration comes from `PackSearcher`.
    """

    def setup(self, config: dict[str, Any], engine: Engine, plan: Plan) -> None:
        self._device = config["device"]
        self._plan = plan
        self._engine = engine
        self._trainer: Trainer | None = None
        self._pack: Pack | None = None
        self._fault: Exception | None = None
        self._at_work = False
        self._idle_s = _IDLE_S

    def take(self, pack: Pack) -> None:
        """Takes the pack for the next step. Called by the driver between two steps."""
        self._pack = pack

    def step(self) -> dict[str, Any]:
        if not self._at_work:
            self._at_work = True
            place = get_runtime_context().get_node_id()
            reference = self._get_ready()
            return {"place": place, "memory_kills": memory_kills(), "reference": reference}
        if self._fault is not None:
            raise self._fault
        if self._pack is None:
            time.sleep(self._idle_s)
            self._idle_s = min(2 * self._idle_s, _LONGEST_IDLE_S)
            return {}
        self._idle_s = _IDLE_S
        pack, self._pack = self._pack, None
        assert self._trainer is not None
        return {"outcomes": self._plan.train(self._trainer, pack)}

    def _get_ready(self) -> str | None:
        """Opens the engine, and returns the digest of its reference pack.

        Not in `setup`, where a fault would look like a worker that died on an unknown node. A
        fault is raised in the step after this, when the node is known.
        """
        try:
            self._trainer = self._engine.open(self._device)
            return reference_digest(self._engine, self._trainer)
        except UsageError as error:
            self._fault = DeviceError(str(error))
        except Exception as error:
            self._fault = error
        return None


class DeviceError(Exception):
    """A worker lacks the GPU that its node declares."""
