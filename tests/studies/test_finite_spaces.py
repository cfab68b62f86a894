"""Searches of spaces with finitely many points: each is trained once, whatever is asked for."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import xortune
from tests.small_study import answer
from xortune.errors import UsageError, XortuneError
from xortune.ledger import Ledger
from xortune.settings import SAMPLERS

ONE = {
    "lr": {"value": 1},
    "epochs": {"value": 5},
    "seed": {"value": 1},
    "loss_fn": {"value": "mse"},
}
PARAMETERS = ["lr", "epochs", "seed", "loss_fn"]
TWELVE = {
    "lr": {"values": [0.1, 1.0]},
    "epochs": {"min": 5, "max": 15, "q": 5, "distribution": "q_uniform"},
    "seed": {"min": 1, "max": 2},
    "loss_fn": {"value": "bce"},
}


@pytest.fixture
def search(tmp_path):
    """Searches twelve points in this process."""

    def run(name="s", space=TWELVE, **rest):
        return xortune.search(
            space, name=name, results=tmp_path, runner="inline", engine="eager", **rest
        )

    return run


def resume(study, **rest):
    return xortune.resume(study.paths.folder, runner="inline", **rest)


def distinct(study):
    return len(study.trials.drop_duplicates(PARAMETERS))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_as_many_trials_as_points_train_each_once(search, sampler, caplog):
    study = search(sampler=sampler, trials=12)
    assert len(study.trials) == distinct(study) == 12
    assert caplog.messages == ["the search space has 12 points, and each is trained once."]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_more_trials_than_points_end_with_all_of_them(search, sampler, caplog):
    told = []
    study = search(sampler=sampler, trials=50, on_progress=told.append)
    assert len(study.trials) == distinct(study) == study.settings.trials == 12
    assert {progress.total for progress in told} == {12}
    assert caplog.messages == [
        "the search space has 12 points, and each is trained once: the study ends with 12 of the "
        "50 trials asked for."
    ]
    assert study.most_trials == 12
    assert_frame_equal(
        answer(study), answer(search("exactly", sampler=sampler, trials=12)), check_exact=True
    )


def test_fewer_trials_than_points_say_nothing(search, caplog):
    assert distinct(search(trials=11)) == 11
    assert caplog.messages == []


def test_a_space_of_one_point(search, caplog):
    study = search(space=ONE)
    assert len(study.trials) == 1
    assert "has 1 point, which is trained once: the study ends with 1 of the 50" in caplog.text


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_an_exhausted_study_stays_as_it_is(search, sampler, caplog):
    study = search(sampler=sampler, trials=12)
    before = study.paths.trials_csv.read_bytes()
    caplog.clear()
    resumed = resume(study, trials=30)
    assert caplog.messages == [
        "the search space has 12 points, and each is trained once: there are no more, and the "
        "study stays at 12 trials.",
        "study s is finished already: there was nothing to do.",
    ]
    assert resumed.settings.trials == 12
    assert study.paths.trials_csv.read_bytes() == before
    with pytest.raises(UsageError, match="has 12 trials already"):
        resume(study, trials=11)


@settings(max_examples=5, deadline=None)
@given(
    st.sampled_from(SAMPLERS),
    st.integers(0, 2**32 - 1),
    st.integers(1, 12),
    st.integers(1, 5),
    st.integers(1, 14),
    st.sampled_from([3, 5, 12]),
)
def test_one_answer_with_any_packs_and_extensions(
    tmp_path_factory, sampler, study_seed, pack_size, other, first, generation
):
    """Cut into other packs, and extended from any number of trials to more than there are."""
    recorded = {"sampler": sampler, "study_seed": study_seed, "generation": generation}
    recorded |= {"runner": "inline", "engine": "eager", "results": tmp_path_factory.mktemp("s")}
    one_go = xortune.search(TWELVE, name="a", trials=40, pack_size=pack_size, **recorded)
    start = xortune.search(TWELVE, name="b", trials=first, pack_size=other, **recorded)
    extended = resume(start, trials=40, pack_size=pack_size)
    assert distinct(one_go) == len(one_go.trials) == 12
    assert_frame_equal(answer(extended), answer(one_go), check_exact=True)
    assert extended.settings == one_go.settings


def forget_version(paths):
    """Makes the ledger one that was begun before points were asked for once only."""
    with Ledger.open(paths) as ledger:
        ledger.record(ledger.settings(), replace(ledger.provenance(), sampler_version=1))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_study_begun_before_is_extended_as_it_would_have_been(search, sampler, caplog):
    """It repeats points, whether it is extended in one go or in two."""
    study, other = (search(name, sampler=sampler, trials=1, generation=10) for name in "ab")
    forget_version(study.paths)
    forget_version(other.paths)
    assert xortune.load(study.paths.folder).most_trials is None
    caplog.clear()
    resume(study, trials=25)
    extended, one_go = resume(study, trials=50), resume(other, trials=50)
    assert caplog.messages == []
    assert len(extended.trials) == 50
    assert distinct(extended) <= 12
    assert extended.provenance.sampler_version == 1
    assert_frame_equal(answer(extended), answer(one_go), check_exact=True)


def test_a_study_of_a_later_sampler_needs_force(search):
    study = search(trials=2)
    with Ledger.open(study.paths) as ledger:
        ledger.record(ledger.settings(), replace(ledger.provenance(), sampler_version=9))
    assert len(xortune.load(study.paths.folder).trials) == 2
    with pytest.raises(UsageError, match="its sampler has version 9, and this xortune has 3"):
        resume(study, trials=4)
    assert distinct(resume(study, trials=4, force=True)) == 4


def test_a_ledger_that_wants_more_than_there_is_ends(search):
    study = search(trials=2)
    with Ledger.open(study.paths) as ledger:
        ledger.record(replace(ledger.settings(), trials=50), ledger.provenance())
    with pytest.raises(XortuneError, match="more trials than its space has points"):
        resume(study)


def test_a_narrowed_search_is_one_of_the_narrowed_space(search):
    wider = {**TWELVE, "lr": {"values": [0.1, 0.5, 1.0]}, "seed": {"min": 1, "max": 9}}
    narrow = {"lr": [0.1, 1.0], "seed": (1, 2)}
    study, same = search("a", wider, trials=8, narrow=narrow), search("b", trials=8)
    assert_frame_equal(answer(study), answer(same), check_exact=True)
    assert study.space.domains == same.space.domains
    assert_frame_equal(answer(resume(study, trials=12)), answer(resume(same, trials=12)))
    texts = search("c", wider, trials=8, narrow=["lr=0.1,1", "seed=1..2"])
    assert texts.settings.space == study.settings.space


def test_faults_of_narrowing_and_settings_are_named_at_once(search, tmp_path):
    with pytest.raises(UsageError) as caught:
        search(trials=0, narrow={"lr": 7, "sed": 1})
    assert len(str(caught.value).splitlines()) == 3
    assert not list(tmp_path.iterdir())
