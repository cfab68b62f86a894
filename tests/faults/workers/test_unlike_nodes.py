"""Nodes with other software than the driver's, with GPUs, and with GPUs that are not there."""

import subprocess
import sys

import pytest

import xortune
from tests.make import make_settings
from tests.small_study import SETTINGS, SPACE, check_runs
from xortune.cluster.node_software import check_nodes
from xortune.engines.xor.engines import CompiledEngine, EagerEngine
from xortune.errors import UsageError, XortuneError

EAGER, COMPILED = EagerEngine("xor"), CompiledEngine("xor", b"")


@pytest.fixture
def add_node(cluster):
    """Adds a node for one test."""
    added = []

    def add(num_cpus=2, **properties):
        added.append(cluster.add_node(num_cpus=num_cpus, **properties))
        cluster.wait_for_nodes()

    yield add
    for node in added:
        cluster.remove_node(node)


@pytest.fixture
def other_torch(tmp_path):
    """A folder that makes PyTorch look like another version."""
    info = tmp_path / "site" / "torch-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 1.0\n")
    return info.parent


def test_like_nodes_are_accepted(cluster, plan):
    check_nodes("auto", "cpu", EAGER)
    check_nodes("auto", "cpu", COMPILED)


def test_a_node_with_another_pytorch_is_named_where_pytorch_trains_and_accepted_where_c_does(
    cluster, plan, add_node, other_torch, tmp_path
):
    add_node(env_vars={"PYTHONPATH": str(other_torch)})
    check_nodes("auto", "cpu", COMPILED)
    for device, engine in (("cpu", EAGER), ("both", COMPILED)):
        with pytest.raises(UsageError, match=r"has torch 1\.0, and here it is 2\."):
            check_nodes("auto", device, engine)
    command = [sys.executable, "-m", "xortune", "search", "--address", cluster.address]
    command += ["--results", str(tmp_path / "results"), "--engine", "eager"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 2
    (fault,) = [line for line in done.stderr.splitlines() if "torch" in line]
    assert fault.startswith(f"xortune: --address {cluster.address}: node ")
    assert "has torch 1.0, and here it is 2." in fault
    assert "Install the same version on all nodes." in fault
    assert done.stdout == ""
    assert not (tmp_path / "results").exists()


@pytest.mark.long
def test_a_missing_gpu_is_found_by_a_worker_that_needs_one(cluster, plan, add_node, told, tmp_path):
    add_node(num_gpus=1)
    with pytest.raises(XortuneError, match=r"has no GPU.*--num-gpus.*device='cpu'"):
        xortune.search(SPACE, name="s", results=tmp_path, runner="ray", device="cuda", **SETTINGS)
    assert told == []


def test_packs_go_to_the_device_that_the_settings_say(cluster, plan, add_node, told, tmp_path):
    """Once the GPU that a node declares is there."""
    add_node(num_gpus=1)
    with pytest.raises(UsageError, match=r"declares a GPU, but PyTorch finds none.*device='cpu'"):
        check_nodes("auto", "cuda", EAGER)
    plan.pretend_gpus()
    study = xortune.search(
        SPACE,
        name="s",
        results=tmp_path,
        runner="ray",
        device="both",
        gpus_per_worker=0.5,
        workers=2,
        pack_size=3,
        **SETTINGS,
    )
    on_gpu = [n for trials, gpus in plan.packs() if gpus == 0.5 for n in trials]
    on_cpu = [n for trials, gpus in plan.packs() if gpus == 0 for n in trials]
    assert sorted(on_gpu) == [n for n in range(22) if study.settings.device_of(n) == "cuda"]
    assert sorted(on_gpu + on_cpu) == sorted(told) == list(range(22))
    check_runs(study)


@pytest.fixture
def begun(tmp_path):
    """A study of which the driver has trained three trials; the others take long.

    Long enough for every node's worker to have begun before the last trial is done. The first
    worker on a node that is like the driver's decides.
    """
    space = {**SPACE, "lr": {"values": [0.1, 1.0]}, "epochs": {"value": 2_000_000}}
    settings = {**SETTINGS, "trials": 3, "log_every": 1_000_000}
    return xortune.search(space, name="s", results=tmp_path, runner="inline", **settings)


def resumed(begun, **options):
    return xortune.resume(
        begun.paths.folder, trials=22, runner="ray", workers=3, pack_size=1, **options
    )


def test_a_node_with_another_kind_of_processor_gets_no_packs(
    cluster, plan, add_node, told, begun, caplog
):
    add_node(num_cpus=1, env_vars={"OTHER_PROCESSOR": "1"})
    study = resumed(begun)
    assert set(study.trials["state"]) <= {"COMPLETE", "FAIL"}
    assert "has another kind of processor" in caplog.text
    assert "It gets no packs. With mixed=True it would" in caplog.text
    assert study.provenance.other_references == {}
    check_runs(study)


def test_a_node_with_another_kind_of_processor_gets_packs_where_processors_are_mixed(
    cluster, plan, add_node, told, begun, caplog
):
    add_node(num_cpus=1, env_vars={"OTHER_PROCESSOR": "1"})
    first = begun.provenance.reference
    study = resumed(begun, mixed=True)
    assert set(study.trials["state"]) <= {"COMPLETE", "FAIL"}
    assert "no packs" not in caplog.text
    assert study.provenance.reference == first
    assert study.provenance.other_references == {"cpu": ("0" * 32,)}
    assert study.trials["worker"].nunique() == 4  # the driver, and three workers
    check_runs(study)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.75, 1.0])
def test_a_share_of_the_trials_is_evenly_spread(share):
    settings = make_settings(space=SPACE, device="both", cuda_share=share)
    on_cuda = [settings.device_of(number) == "cuda" for number in range(100)]
    assert sum(on_cuda) == round(100 * share)
    assert all(abs(sum(on_cuda[:n]) - n * share) <= 1 for n in range(100))
