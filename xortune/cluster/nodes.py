"""What the nodes of a cluster that is joined must have, looked at before anything begins."""

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
# It rounds nothing of ours.
_IN_ANY_VERSION = ("numpy",)
_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Software:
    """What a node has.

    Attributes:
        versions: of Python and of the packages that a worker needs, None where it lacks one.
        cuda: whether PyTorch finds a GPU; None where that was not asked.
    """

    versions: dict[str, str | None]
    cuda: bool | None


def check_nodes(address: str, device: str, engine: Engine) -> None:
    """Checks that every node has what it takes to train with the same result as any other.

    Args:
        address: of the cluster, for the message.
        device: where packs are to be trained, `cpu`, `cuda` or `both`.
        engine: what trains them.

    Raises:
        UsageError: one has not; the message has a line for each fault.
    """
    import ray

    here = software(look_for_gpu=False).versions
    if "torch" not in engine.libraries(device):
        del here["torch"]
    nodes = {node["NodeID"]: node for node in ray.nodes() if node["Alive"]}
    asked = {_asked(node, device): node for node in nodes.values() if node["Resources"].get("CPU")}
    answered, silent = ray.wait(list(asked), num_returns=len(asked), timeout=_PATIENCE_S)
    faults = [
        f"{_name(asked[answer])} starts no worker in {_PATIENCE_S:.0f} s. Look after it, or take "
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
            faults.append(f"{_name(asked[answer])} can run no worker: {reason}")
    if faults:
        raise UsageError(
            "\n".join(f"{option('address')} {address}: {fault}" for fault in sorted(faults))
        )


def software(look_for_gpu: bool) -> Software:
    """What this process has."""
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
    """Starts to ask a node."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    gpus = node["Resources"].get("GPU", 0) if device != "cpu" else 0
    there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
    # A share of a GPU, since Ray hides GPUs from those who ask for none.
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
                "Install the same on all nodes."
            )
    if there.cuda is False:
        faults.append(
            f"{name} declares a GPU, and PyTorch finds none there. Correct its --num-gpus, or "
            f"search with {option('device', 'cpu')}."
        )
    return faults


def _name(node: dict[str, Any]) -> str:
    return f"node {node['NodeManagerHostname']} ({node['NodeManagerAddress']})"
