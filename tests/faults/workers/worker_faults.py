"""Faults that happen inside workers, at a moment that is chosen in advance.

A worker asks the plan in a folder at every moment that has a name. Ray runs `arm` in every
worker process when it starts; no code of the package knows of it.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

# In the order in which they come in a worker's life.
MOMENTS = ("created", "ready", "given", "before training", "in training", "after training")


class Plan:
    """What is to go wrong, in a folder that the test and all workers see.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, *faults: dict[str, Any]) -> None:
        """Each fault has a `moment`, and may have what limits it:

        `trials`: only for packs with one of these; `node`, `not_node`: only there, or
        elsewhere; `after`: not before so many such moments; `times`: so often, by default once;
        `signal`: by default SIGKILL; `delay`: seconds after the moment; `eats`: bytes that it
        takes instead of a signal, and keeps until it is killed. With `wait`, it is no fault:
        the worker waits until there were so many.
        """
        for old in self.folder.iterdir():
            old.unlink()
        (self.folder / "plan").write_text(json.dumps(faults))

    def happened(self) -> int:
        """How many faults there were."""
        return len(list(self.folder.glob("fault-*")))

    def victims(self) -> list[int]:
        """The processes that they happened to, in no order."""
        return [int(path.read_text()) for path in self.folder.glob("fault-*")]

    def pretend_gpus(self) -> None:
        """Workers that are to train on CUDA train on the CPU, and note what they were given."""
        (self.folder / "no-gpus").touch()

    def pretends(self) -> bool:
        return (self.folder / "no-gpus").exists()

    def note(self, trials: Sequence[int], gpus: float) -> None:
        """Called by a worker, for every pack."""
        (self.folder / f"pack-{trials[0]}").write_text(json.dumps([trials, gpus]))

    def packs(self) -> list[tuple[list[int], float]]:
        """The trials of every pack, and the share of a GPU that its worker had."""
        return [tuple(json.loads(path.read_text())) for path in self.folder.glob("pack-*")]

    def _claim(self, kind: str, count: int) -> bool:
        """Takes one of so many tokens, over all processes; False when they are gone."""
        for place in range(count):
            try:
                file = os.open(
                    self.folder / f"{kind}-{place}", os.O_CREAT | os.O_EXCL | os.O_WRONLY
                )
            except FileExistsError:
                continue
            os.write(file, str(os.getpid()).encode())
            os.close(file)
            return True
        return False

    def reach(self, moment: str, trials: Sequence[int], node: str) -> None:
        """Called by a worker; where a fault is planned, it may not return."""
        try:
            faults = json.loads((self.folder / "plan").read_text())
        except FileNotFoundError:
            return
        for place, fault in enumerate(faults):
            if fault["moment"] != moment or fault.get("node", node) != node:
                continue
            if fault.get("not_node") == node:
                continue
            while self.happened() < fault.get("wait", 0):
                time.sleep(0.05)
            if "wait" in fault:
                continue
            if "trials" in fault and not set(fault["trials"]) & set(trials):
                continue
            if self._claim(f"passed-{place}", fault.get("after", 0)):
                continue
            if self._claim(f"fault-{place}", fault.get("times", 1)):
                if "eats" in fault:
                    _eat(fault["eats"])
                _strike(fault.get("signal", signal.SIGKILL), fault.get("delay", 0))


def _strike(number: int, delay: float) -> None:
    if delay:
        threading.Timer(delay, os.kill, (os.getpid(), number)).start()
    else:
        os.kill(os.getpid(), number)


def _eat(size: int) -> NoReturn:
    eaten = bytearray(size)
    eaten[:: os.sysconf("SC_PAGE_SIZE")] = b"x" * len(eaten[:: os.sysconf("SC_PAGE_SIZE")])
    while True:
        signal.pause()


def arming(folder: Path) -> Callable[[], None]:
    """What makes a worker process follow the plan in a folder."""

    def arm() -> None:
        import ray

        from xortune.cluster import trainable
        from xortune.cluster.trainable import PackTrainable

        plan = Plan(folder)
        if os.environ.get("OTHER_PROCESSOR"):
            # As if this node's processor rounded differently.
            trainable.reference_digest = lambda engine, trainer: "0" * 32
        setup, take, step = PackTrainable.setup, PackTrainable.take, PackTrainable.step

        def reach(moment: str, pack: Any = None) -> None:
            trials = [trial.number for trial in pack.trials] if pack else []
            plan.reach(moment, trials, ray.get_runtime_context().get_node_id())

        def faulty_setup(worker: Any, config: Any, **rest: Any) -> None:
            setup(worker, config, **rest)
            if plan.pretends():
                worker._device = "cpu"
            reach("created")

        def faulty_take(worker: Any, pack: Any) -> None:
            take(worker, pack)
            reach("given", pack)

        def faulty_step(worker: Any) -> Any:
            if not worker._at_work:
                result = step(worker)
                reach("ready")
                return result
            if worker._pack is None:
                return step(worker)
            pack = worker._pack
            if plan.pretends():
                gpus = ray.get_runtime_context().get_assigned_resources().get("GPU", 0)
                plan.note([trial.number for trial in pack.trials], gpus)
            reach("before training", pack)
            reach("in training", pack)
            result = step(worker)
            reach("after training", pack)
            return result

        PackTrainable.setup = faulty_setup
        PackTrainable.take = faulty_take
        PackTrainable.step = faulty_step

    return arm
