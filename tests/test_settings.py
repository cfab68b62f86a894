"""Which settings are taken, and what is said about the others."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.make import SPEC, make_settings
from xortune.errors import UsageError
from xortune.settings import (
    Provenance,
    RunOptions,
    StudySettings,
    default_generation,
    differences,
)

_SPACE = {"lr": {"min": 0.1, "max": 1.0}}


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("trials", 0, "trials 0: must be a whole number of at least 1."),
        ("trials", 1.5, "trials 1.5: must be a whole number of at least 1."),
        ("trials", True, "trials True: must be a whole number of at least 1."),
        ("trials", "8", "trials '8': must be a whole number of at least 1."),
        ("trials", math.nan, "trials nan: must be a whole number of at least 1."),
        ("sampler", "grid", "sampler 'grid': must be one of tpe, random."),
        ("study_seed", -1, "study_seed -1: must be a whole number from 0 to 4294967295."),
        ("study_seed", 2**32, "study_seed 4294967296: must be a whole number from 0 to 42"),
        ("generation", 0, "generation 0: must be a whole number of at least 1."),
        ("generation", 2**53 + 1, "must be a whole number from 1 to 9007199254740992."),
        ("trials", 10**13, "trials 10000000000000: must be a whole number from 1 to 10000000."),
        ("log_every", 0, "log_every 0: must be a whole number of at least 1."),
        (
            "cuda_share",
            0,
            "cuda_share 0: CUDA trains a share of the trials, above 0 and at most 1",
        ),
    ],
)
def test_a_study_setting_out_of_bounds(name, value, text) -> None:
    with pytest.raises(UsageError) as caught:
        make_settings(**{name: value})
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("runner", "dask", "runner 'dask': must be one of auto, ray, inline."),
        ("workers", 0, "workers 0: must be a whole number of at least 1."),
        ("pack_size", 0, "pack_size 0: must be a whole number of at least 1."),
        ("device", "tpu", "device 'tpu': must be one of auto, cpu, cuda, both."),
        ("pack_timeout", 0, "pack_timeout 0: must be a number of seconds, above 0"),
        ("pack_timeout", math.nan, "pack_timeout nan: must be a number of seconds"),
        ("pack_timeout", "1", "pack_timeout '1': must be a number of seconds"),
        ("timeout", 0, "timeout 0: must be a number of seconds, above 0"),
        ("timeout", "1m", "timeout '1m': must be a number of seconds, above 0"),
        ("verbose", "no", "verbose 'no': must be True or False."),
        ("retries", -1, "retries -1: must be a whole number of at least 0."),
        ("gpus_per_worker", 0, "gpus_per_worker 0: a worker takes a share of one GPU"),
        ("gpus_per_worker", 1.5, "gpus_per_worker 1.5: a worker takes a share of one GPU"),
        ("gpus_per_worker", math.nan, "gpus_per_worker nan: a worker takes a share"),
        ("gpus_per_worker", "1", "gpus_per_worker '1': a worker takes a share"),
    ],
)
def test_a_run_option_out_of_bounds(name, value, text) -> None:
    with pytest.raises(UsageError) as caught:
        RunOptions(**{name: value})
    assert text in str(caught.value)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        make_settings(trials=0, sampler="f1", log_every=-5)
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "trials 0",
        "sampler 'f1'",
        "log_every -5",
    ]
    with pytest.raises(UsageError) as caught:
        RunOptions(workers=0, retries=-1, gpus_per_worker=2)
    assert len(str(caught.value).splitlines()) == 3


def test_the_bounds_themselves_are_taken() -> None:
    make_settings(trials=1, study_seed=0, generation=1, log_every=1)
    make_settings(trials=10_000_000, study_seed=2**32 - 1, generation=None)
    RunOptions(workers=1, pack_size=1, retries=0, gpus_per_worker=1)
    RunOptions(gpus_per_worker=1e-3)


@given(
    st.builds(
        StudySettings,
        spec=st.sampled_from([SPEC, SPEC.with_objective("bce")]),
        space=st.just(_SPACE),
        trials=st.integers(1, 10_000_000),
        sampler=st.sampled_from(["tpe", "random"]),
        study_seed=st.integers(0, 2**32 - 1),
        data=st.sampled_from(["xor", "lab"]),
        generation=st.none() | st.integers(1, 2**53),
        log_every=st.integers(1, 2**53),
    )
)
def test_settings_survive_json(settings) -> None:
    assert StudySettings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings


def test_settings_of_a_later_version_are_read_without_what_they_add() -> None:
    settings = make_settings(trials=3)
    assert StudySettings.from_dict({**settings.to_dict(), "colour": "red"}) == settings


@pytest.mark.parametrize(
    ("sampler", "trials", "size"),
    [
        ("random", 1000, None),
        ("tpe", 1, 10),
        ("tpe", 160, 10),
        ("tpe", 161, 11),
        ("tpe", 1600, 100),
    ],
)
def test_the_default_generation(sampler, trials, size) -> None:
    assert default_generation(make_settings(sampler=sampler, trials=trials), 10) == size


@pytest.mark.parametrize(
    ("trials", "size"), [(1, 10), (40, 10), (41, 11), (255, 64), (1024, 64), (1025, 65)]
)
def test_tpe_learns_a_few_times_whatever_packs_the_engine_likes(trials, size) -> None:
    assert default_generation(make_settings(sampler="tpe", trials=trials), 64) == size


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        ({"pruner": "halving"}, 27),
        ({"pruner": "halving", "trials": 1600}, 100),
        ({"pruner": "median", "sampler": "random"}, 27),
        ({"stop_at": 0.0, "sampler": "random"}, 10),
        ({"plateau": 5, "sampler": "random", "trials": 1600}, 100),
        ({"epoch_budget": 5, "sampler": "random"}, 10),
        ({"replicates": 9, "sampler": "random"}, None),
    ],
)
def test_pruners_compare_more_trials_and_searches_stop_between_generations(settings, size) -> None:
    assert default_generation(make_settings(**{"trials": 50, **settings}), 10) == size


def test_different_settings_are_named_as_they_are_given() -> None:
    found = make_settings(replicates=4, confirm=(20, 256), pruner="halving", rungs=(5, 9))
    assert differences(found, found) == []
    wanted = make_settings(replicates=8, stop_at=0.5, rungs=(), starts=(3,))
    assert differences(found, wanted) == [
        "replicates is 4 there and 8 here",
        "confirm is 20:256 there and none here",
        "pruner is 'halving' there and 'none' here",
        "rung_epochs is 5,9 there and none here",
        "stop_at is none there and 0.5 here",
    ]


def test_a_confirmation_that_is_still_to_be_decided_fits_any() -> None:
    found = make_settings(confirm=(20, 256))
    assert differences(found, make_settings(confirm=None)) == []


def test_replicates_are_not_another_space_though_it_lacks_the_seed() -> None:
    found = make_settings()
    space = {name: entry for name, entry in found.space.items() if name != "seed"}
    spec = found.spec.extended(replicated=True, pruned=False)
    wanted = make_settings(spec=spec, space=space, replicates=4)
    assert differences(found, wanted) == ["replicates is 1 there and 4 here"]
    assert differences(wanted, found) == ["replicates is 4 there and 1 here"]


def test_the_provenance_survives_json() -> None:
    provenance = Provenance("eager-1", {"optuna": "5.0"}, 2, {"cpu": "abc"}, True)
    recorded = json.loads(json.dumps(provenance.to_dict()))
    assert Provenance.from_dict({**recorded, "colour": "red"}) == provenance


@pytest.mark.parametrize(
    "option", [{"workers": 2}, {"gpus_per_worker": 0.5}, {"address": "auto"}], ids=str
)
def test_options_of_a_cluster_do_not_go_with_the_inline_runner(option) -> None:
    with pytest.raises(UsageError, match="Drop one of the two"):
        RunOptions(runner="inline", **option)
    RunOptions(runner="ray", **option)
