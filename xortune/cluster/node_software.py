"""The software that the nodes of a cluster must have, checked before a search starts."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from xortune.cluster.ray_errors import in_one_line
from xortune.engines.engine import Engine
from xortune.errors import UsageError
from xortune.wording import option

_NEEDED = ("ray", "numpy", "torch")
# Its version does not affect results.
_IN_ANY_VERSION = ("numpy",)
_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Software:
    """The software of a node.

    Attributes:
        versions: the versions of Python and of the packages that a worker needs; None for one
            that is missing.
        cuda: whether PyTorch finds a GPU; None if that was not asked.
    """

    versions: dict[str, str | None]
    cuda: bool | None


def check_nodes(address: str, device: str, engine: Engine) -> None:
    """Checks that every node has the software to train with the same result as any other.

    Args:
        address: the cluster's address, for the message.
        device: the device that packs are to be trained on: `cpu`, `cuda` or `both`.
        engine: the engine that trains them.

    Raises:
        UsageError: a node lacks something; the message has a line for each fault.
    """
    import ray

    here = software(look_for_gpu=False).versions
    if "torch" not in engine.libraries(device):
        del here["torch"]
    nodes = {node["NodeID"]: node for node in ray.nodes() if node["Alive"]}
    asked = {_asked(node, device): node for node in nodes.values() if node["Resources"].get("CPU")}
    answered, silent = ray.wait(list(asked), num_returns=len(asked), timeout=_PATIENCE_S)
    faults = [
        f"{_name(asked[answer])} has started no worker in {_PATIENCE_S:.0f} s. Check it, or take "
        "it out of the cluster."
        for answer in silent
    ]
    for answer in answered:
        try:
            faults += _faults(ray.get(answer), here, _name(asked[answer]))
        except ray.exceptions.OutOfMemoryError as error:
            faults.append(f"{_name(asked[answer])} is short of memory: {in_one_line(error)}.")
        except ray.exceptions.RayError as error:
            reason = str(error).strip().splitlines()[-1]
            faults.append(f"{_name(asked[answer])} cannot run a worker: {reason}")
    if faults:
        raise UsageError(
            "\n".join(f"{option('address')} {address}: {fault}" for fault in sorted(faults))
        )


def software(look_for_gpu: bool) -> Software:
    """The software of this process.

    Args:
        look_for_gpu: ask PyTorch for a GPU, too, which takes seconds.
    """
    versions: dict[str, str | None] = {"Python": ".".join(platform.python_version_tuple()[:2])}
    for name in _NEEDED:
        try:
            versions[name] = metadata.version(name).partition("+")[0]
        except metadata.PackageNotFoundError:
            versions[name] = None
    if not look_for_gpu or versions["torch"] is None:
        return Software(versions, None)
    from xortune.engines.devices import has_gpu

    return Software(versions, has_gpu())


def _asked(node: dict[str, Any], device: str) -> Any:
    """Asks a node for its software; returns the reference to its answer."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    gpus = node["Resources"].get("GPU", 0) if device != "cpu" else 0
    there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
    # A share of a GPU, because Ray hides GPUs from tasks that ask for none.
    task = ray.remote(num_cpus=0, num_gpus=0.01 if gpus else 0, max_retries=0)(software)
    return task.options(scheduling_strategy=there).remote(look_for_gpu=bool(gpus))


def _faults(there: Software, here: dict[str, str | None], name: str) -> list[str]:
    faults = []
    for package, version in here.items():
        found = there.versions[package]
        if found is None:
            faults.append(f"{name} has no {package}. Install {package} {version} there.")
        elif found != version and package not in _IN_ANY_VERSION:
            faults.append(
                f"{name} has {package} {found}, and here it is {version}: losses may differ. "
                "Install the same version on all nodes."
            )
    if there.cuda is False:
        faults.append(
            f"{name} declares a GPU, but PyTorch finds none there. Correct its --num-gpus, or "
            f"search with {option('device', 'cpu')}."
        )
    return faults


def _name(node: dict[str, Any]) -> str:
    return f"node {node['NodeManagerHostname']} ({node['NodeManagerAddress']})"
