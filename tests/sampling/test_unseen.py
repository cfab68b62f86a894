"""No point is asked for twice, in spaces of any size, and always for the same ones."""

import math
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.make import make_outcome, make_params, make_scores
from tests.space.spaces import PROBLEMS, load_xor
from xortune.sampling import ask_generation
from xortune.sampling.permutation import Permutation
from xortune.sampling.unseen import Points
from xortune.settings import SAMPLERS
from xortune.space import count_points, load_space, point_at
from xortune.trial import FinishedTrial, Params, Trial

LARGE = load_xor({"epochs": {"min": 1, "max": 10**6}, "seed": {"min": 0, "max": 10**6}})
GRID = load_xor(
    {
        "lr": {"min": 0.1, "max": 1.0, "q": 0.1, "distribution": "q_uniform"},
        "epochs": {"min": 1, "max": 6},
        "loss_fn": {"values": ["mse", "bce"]},
    }
)
# Infinite, but TPE goes to the ends of the only range more than once.
ONE_RANGE = load_xor({"lr": {"min": 0.1, "max": 1.0}})


def loss(params: Params) -> float:
    return abs(math.log(params["lr"] / 0.3)) + 1 / params["epochs"] + (params["loss_fn"] == "mse")


def tell(params: Sequence[Params]) -> list[FinishedTrial]:
    return [
        FinishedTrial(Trial(number, 0, p), make_outcome(scores=make_scores(mse=loss(p))))
        for number, p in enumerate(params)
    ]


def study(space, sampler, sizes, study_seed=0, **rest) -> list[Params]:
    """The trials of a study, generation by generation."""
    trials: list[Params] = []
    for generation, size in enumerate(sizes):
        told = tell(trials)
        trials += ask_generation(space, sampler, study_seed, generation, size, told, **rest)
    return trials


def numbers(low: int, high: int) -> st.SearchStrategy[dict]:
    """A few whole numbers, as values or as a range."""
    number = st.integers(low, high)
    return st.one_of(
        st.lists(number, min_size=1, max_size=3, unique=True).map(lambda v: {"values": v}),
        st.tuples(number, st.integers(0, 4), st.sampled_from([1, 2])).map(
            lambda t: {"min": t[0] * t[2], "max": t[0] * t[2] + t[1], "q": t[2],
                       "distribution": "q_log_uniform_values"}
        ),
    )  # fmt: skip


SPACES = st.fixed_dictionaries(
    {
        "lr": st.sampled_from(
            [{"values": [0.1, 3]}, {"min": 0.1, "max": 0.4, "q": 0.1, "distribution": "q_uniform"}]
        )
    },
    optional={
        "epochs": numbers(1, 9),
        "seed": numbers(1, 9),
        "loss_fn": st.sampled_from([{"value": "bce"}, {"values": ["mse", "bce"]}]),
    },
).map(load_xor)


@pytest.mark.parametrize("sampler", SAMPLERS)
@settings(max_examples=25, deadline=None)
@given(SPACES, st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_every_point_is_asked_for_once_and_then_no_more(sampler, space, study_seed, size):
    points = count_points(space)
    trials = study(space, sampler, [size] * (points // size + 2), study_seed)
    assert len(trials) == len(set(trials)) == points
    assert set(trials) == {point_at(space, index) for index in range(points)}


@pytest.mark.parametrize("sampler", SAMPLERS)
@settings(max_examples=15, deadline=None)
@given(SPACES, st.integers(0, 2**32 - 1), st.integers(1, 8), st.data())
def test_a_generation_is_the_same_in_whatever_portions_it_is_asked(
    sampler, space, study_seed, first, data
):
    told = tell(study(space, sampler, [first], study_seed))
    one_go = list(ask_generation(space, sampler, study_seed, 1, 30, told))
    portion = data.draw(st.integers(0, len(one_go)))
    part = list(ask_generation(space, sampler, study_seed, 1, portion, told))
    again = list(ask_generation(space, sampler, study_seed, 1, 30, told, part))
    assert (part, again) == (one_go[:portion], one_go)


@pytest.mark.parametrize("sampler", SAMPLERS)
@settings(max_examples=15, deadline=None)
@given(PROBLEMS, st.integers(0, 2**32 - 1))
def test_every_point_of_any_problem_is_asked_for_once(sampler, problem, study_seed):
    spec, block = problem
    space = load_space(block, spec)
    points = count_points(space)
    assume(points is not None and points <= 200)
    trials = list(ask_generation(space, sampler, study_seed, 0, points + 1, []))
    assert len(trials) == points
    assert set(trials) == {point_at(space, index) for index in range(points)}


def test_a_set_of_points_tells_them_apart():
    points = Points()
    for params in (make_params(), make_params(lr=0.2), make_params(loss_fn="bce"), make_params()):
        points.add(params)
    assert len(points) == 3
    assert make_params(lr=0.2) in points
    assert make_params(lr=math.nextafter(0.2, 1)) not in points


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_no_point_of_a_grid_is_asked_for_twice(sampler):
    trials = study(GRID, sampler, [20] * 6)
    assert len(set(trials)) == len(trials) == count_points(GRID) == 120
    assert study(GRID, sampler, [20] * 7) == trials


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_before_version_2_points_were_repeated(sampler):
    trials = study(GRID, sampler, [20] * 6, version=1)
    assert len(set(trials)) < len(trials) == 120


def test_tpe_does_not_repeat_the_ends_of_a_range_of_floats():
    assert max(Counter(study(ONE_RANGE, "tpe", [10] * 10, version=1)).values()) > 1
    trials = study(ONE_RANGE, "tpe", [10] * 10)
    assert len(set(trials)) == len(trials) == 100


def test_what_does_not_repeat_is_as_before():
    assert study(LARGE, "tpe", [20] * 3) == study(LARGE, "tpe", [20] * 3, version=1)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_tpe_and_random_are_quick_where_there_are_very_many_points(sampler):
    """10^12 of them, none of which is listed."""
    assert count_points(LARGE) > 10**12
    assert len(set(study(LARGE, sampler, [50] * 2))) == 100


def test_tpe_still_goes_where_trials_were_good_while_there_is_room():
    trials = study(GRID, "tpe", [10] * 5)
    good = {p for p in trials[10:] if p["loss_fn"] == "bce"}
    assert len(good) > 25


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_points_that_another_version_proposed_are_not_asked_for_again(sampler):
    """After --force the trials of a generation are not those that are proposed now."""
    others = study(GRID, sampler, [20], study_seed=7)
    asked = list(ask_generation(GRID, sampler, 0, 0, 200, [], others))
    assert asked[:20] != others
    assert len(asked) == 120
    assert set(asked[20:]) | set(others) == {point_at(GRID, index) for index in range(120)}


@settings(deadline=None)
@given(st.integers(1, 300), st.text(max_size=3))
def test_a_permutation_holds_every_number_once(count, seed):
    order = Permutation(count, seed)
    assert sorted(order[place] for place in range(count)) == list(range(count))


@pytest.mark.parametrize("count", [1, 10**12, 2**100, 2**100 + 1])
def test_a_permutation_of_any_size(count):
    order = Permutation(count, "seed")
    places = {0, count // 2, count - 1}
    found = {order[place] for place in places}
    assert len(found) == len(places)
    assert all(0 <= number < count for number in found)
    with pytest.raises(IndexError):
        order[count]


def test_another_seed_is_another_order():
    first, second = ([Permutation(1000, seed)[p] for p in range(1000)] for seed in "ab")
    assert sum(a == b for a, b in zip(first, second)) < 10
    assert sum(number == place for place, number in enumerate(first)) < 10
