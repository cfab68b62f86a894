"""Several searches in one process, in threads of their own, share one Ray."""

import threading

import pytest
from pandas.testing import assert_frame_equal

import xortune
from tests.cluster.scripts import run
from tests.cluster.session.test_process_state import STATE
from tests.small_study import SETTINGS, SPACE, answer

# Nothing of Ray is imported before the searches: what its import leaves is not compared.
TOGETHER = (
    STATE
    + """
import time
import xortune

def lasting():
    kept = ("environment", "handlers", "files", "faults", "folder", "timer")
    return {name: state()[name] for name in kept}

before = lasting()
results, ended, failures = sys.argv[1], [], []
first_is_done = threading.Event()

def search(name, **options):
    try:
        study = xortune.search("smoke", name=name, results=results, runner="ray", **options)
        ended.append((name, len(study.trials)))
    except BaseException as error:
        ended.append((name, f"{type(error).__name__}: {error}"))

def fail(progress):
    if progress.done:
        raise ValueError("of its own")

def joined_later(progress):
    if progress.done and not first_is_done.is_set():
        first_is_done.set()
        late.start()
        search("elsewhere", address="127.0.0.1:1")

late = threading.Thread(target=search, args=["late"], kwargs={"trials": 6})
threads = [
    threading.Thread(target=search, args=[name], kwargs=options)
    for name, options in {
        "long": {"trials": 40, "engine": "eager", "workers": 1, "on_progress": joined_later},
        "short": {"trials": 4, "workers": 2, "verbose": False},
        "failing": {"trials": 20, "on_progress": fail},
    }.items()
]
for thread in threads:
    thread.start()
for thread in [*threads, late]:
    thread.join()
for name, end in sorted(ended):
    print(name, end)

import ray
from ray._private import ray_constants

threads = [thread.name for thread in threading.enumerate() if "ray" in thread.name]
print("left behind:", ray.is_initialized(), threads, list(changes(before, lasting())))
print(logging.getLogger("ray").level == logging.INFO, ray_constants.RAY_DEDUP_LOGS)
"""
)

FIRST_ENDS = """
import sys, threading
import xortune

def short():
    xortune.search("smoke", name="short", results=sys.argv[1], runner="ray", trials=3)

first = threading.Thread(target=short)
first.start()
study = xortune.search(
    "smoke", name="long", results=sys.argv[1], runner="ray", trials=300, generation=30
)
first.join()
print(dict(study.trials["state"].value_counts()))
print("the end")
"""

SHUT_DOWN = """
import sys
import ray, xortune
from xortune.errors import XortuneError

ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
try:
    xortune.search(
        "smoke", name="cut", results=sys.argv[1], runner="ray", trials=40, generation=10,
        on_progress=lambda progress: progress.done and ray.shutdown(),
    )
except XortuneError as error:
    print(error, error.folder.name)
study = xortune.resume("cut", results=sys.argv[1], runner="inline")
print(dict(study.trials["state"].value_counts()))
"""


@pytest.mark.timeout(200)
def test_searches_that_begin_together_and_end_apart(tmp_path):
    elsewhere, *ends, left_behind, of_ray = run(TOGETHER, tmp_path)
    assert elsewhere == (
        "elsewhere UsageError: address 127.0.0.1:1: another search of this process has started a "
        "Ray. Wait until it has ended, search in another process, or leave address out to use that "
        "one."
    )
    assert not (tmp_path / "elsewhere").exists()
    assert ends == ["failing ValueError: of its own", "late 6", "long 40", "short 4"]
    assert left_behind == "left behind: False [] []"
    assert of_ray == "True True", "as Ray has them where no search was"


@pytest.mark.long
def test_the_end_of_the_first_does_not_end_the_second(tmp_path):
    assert run(FIRST_ENDS, tmp_path) == ["{'COMPLETE': 300}", "the end"]


@pytest.mark.long
def test_a_ray_that_the_user_shuts_down_in_the_middle_is_an_error(tmp_path):
    message, states = run(SHUT_DOWN, tmp_path)
    assert message == "Ray has gone in the middle of the search: it was shut down. cut"
    assert states == "{'COMPLETE': 40}"


def test_two_searches_at_once_have_the_answers_of_each_alone(ray, oracle, tmp_path):
    studies = {}

    def search(name, **options):
        studies[name] = xortune.search(
            SPACE, name=name, results=tmp_path, runner="ray", **SETTINGS, **options
        )

    threads = [
        threading.Thread(target=search, args=["eager"], kwargs={"engine": "eager"}),
        threading.Thread(target=search, args=["one"], kwargs={"pack_size": 3}),
        threading.Thread(target=search, args=["two"], kwargs={"pack_size": 5, "workers": 1}),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in ("one", "two"):
        assert_frame_equal(answer(studies[name]), answer(oracle), check_exact=True)
    assert studies["eager"].provenance.engine != studies["one"].provenance.engine
    assert ray.is_initialized()
