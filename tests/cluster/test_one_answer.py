"""One study, one answer: on any number of workers, cut in any packs, on any runner."""

import pytest
from pandas.testing import assert_frame_equal

import xortune
from tests.small_study import SETTINGS, SPACE, answer


def test_the_oracle_is_worth_comparing_with(oracle):
    states = oracle.summary()["states"]
    assert states["COMPLETE"] >= 5
    assert states["FAIL"] == 2
    assert oracle.trials["generation"].nunique() == 2


@pytest.mark.parametrize(
    "options",
    [{"workers": 1}, {"workers": 2, "pack_size": 3}],
    ids=str,
)
def test_ray_gives_the_table_of_the_inline_runner(ray, oracle, tmp_path, options):
    study = xortune.search(SPACE, name="ray", results=tmp_path, runner="ray", **SETTINGS, **options)
    assert_frame_equal(answer(study), answer(oracle), check_exact=True)
    assert study.curves(3).equals(oracle.curves(3))


def test_ray_matches_inline_on_the_eager_engine(ray, oracle, tmp_path):
    alone, on_ray = (
        xortune.search(
            SPACE, name=runner, results=tmp_path, runner=runner, engine="eager", **SETTINGS
        )
        for runner in ("inline", "ray")
    )
    assert on_ray.provenance.engine == "eager-1"
    assert_frame_equal(answer(on_ray), answer(alone), check_exact=True)
    if oracle.provenance.engine != "eager-1":
        assert not answer(on_ray).equals(answer(oracle))


@pytest.mark.parametrize("pack_size", [1, 5, 100])
def test_the_cut_into_packs_does_not_matter(oracle, tmp_path, pack_size):
    study = xortune.search(
        SPACE, runner="inline", pack_size=pack_size, name="packs", results=tmp_path, **SETTINGS
    )
    assert_frame_equal(answer(study), answer(oracle), check_exact=True)


def test_another_study_seed_is_another_answer(oracle, tmp_path):
    study = xortune.search(
        SPACE, runner="inline", name="other", results=tmp_path, **{**SETTINGS, "study_seed": 2}
    )
    assert not answer(study)["lr"].equals(answer(oracle)["lr"])


def test_a_study_that_is_extended_equals_one_in_one_go(oracle, tmp_path):
    first = xortune.search(
        SPACE, runner="inline", name="grown", results=tmp_path, **{**SETTINGS, "trials": 7}
    )
    for total in (15, 22):
        first = xortune.resume(first.paths.folder, trials=total, runner="inline")
    assert_frame_equal(answer(first), answer(oracle), check_exact=True)


def test_a_random_study_that_is_extended_equals_one_in_one_go(tmp_path):
    def search(name, trials):
        return xortune.search(
            "smoke", sampler="random", trials=trials, runner="inline", name=name, results=tmp_path
        )

    whole, grown = search("whole", 20), search("grown", 6)
    grown = xortune.resume(grown.paths.folder, trials=20, runner="inline")
    assert_frame_equal(answer(grown), answer(whole), check_exact=True)
