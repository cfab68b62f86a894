"""A cluster of several nodes on this machine, whose workers can be made to fail."""

import os

import pytest

from tests.faults.workers import worker_faults


@pytest.fixture(scope="session")
def plan_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("plan")


@pytest.fixture
def plan(plan_folder):
    """The plan of what goes wrong in this test: nothing, so far."""
    plan = worker_faults.Plan(plan_folder)
    plan.write()
    yield plan
    plan.write()


@pytest.fixture(scope="session")
def cluster(plan_folder):
    """Two nodes with a CPU each, joined by this process.

    Ray is this process's only one: another that is there, as of other tests, is left.
    """
    import ray
    from ray import cloudpickle
    from ray.cluster_utils import Cluster

    from xortune.cluster.ray_internals import ENVIRONMENT

    ray.shutdown()
    os.environ.update(ENVIRONMENT)
    cloudpickle.register_pickle_by_value(worker_faults)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        cluster.add_node(num_cpus=1)
        ray.init(
            cluster.address,
            log_to_driver=False,
            logging_level="CRITICAL",
            runtime_env={"worker_process_setup_hook": worker_faults.arming(plan_folder)},
        )
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


@pytest.fixture
def told(monkeypatch):
    """The numbers of all trials that were finished, in order; each should be there once."""
    from xortune.ledger import Ledger

    numbers = []
    finish = Ledger.finish_trials

    def noting(ledger, finished, *rest):
        finish(ledger, finished, *rest)
        numbers.extend(f.trial.number for f in finished)

    monkeypatch.setattr(Ledger, "finish_trials", noting)
    return numbers
