import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from tests.space.spaces import load_xor
from xortune.problems.xor.spec import SPEC
from xortune.sampling.distributions import continuous, distributions, on_grid, stretched
from xortune.space import Choice, Range, SearchSpace, grid_bounds

DEFAULT = load_xor("default")


@st.composite
def whole_ranges(draw) -> Range:
    log = draw(st.booleans())
    low = draw(st.integers(1 if log else 0, 10_000))
    step = draw(st.none() | st.integers(2, 500))
    return Range(low, low + draw(st.integers(step or 1, 2**32)), log, step)


@st.composite
def float_ranges(draw) -> Range:
    """The steps are powers of two, so that multiples of them are exact."""
    step = draw(st.none() | st.integers(-10, 3).map(lambda n: 2.0**n))
    low = draw(st.floats(1e-6, 100))
    return Range(low, low + draw(st.floats(step or 1e-3, 1000)), draw(st.booleans()), step)


RANGES = whole_ranges() | float_ranges()


def space_of(domain) -> SearchSpace:
    return SearchSpace(SPEC, "custom", {"lr": domain}, {})


def inside(interval: FloatDistribution, share: float) -> float:
    return min(
        max(interval.low + share * (interval.high - interval.low), interval.low), interval.high
    )


@given(RANGES, st.floats(0, 1))
@example(Range(0, 2**32 - 1), 1.0)
@example(Range(1, 2, log=True), 0.0)
@example(Range(0.25000000000000006, 1.25, step=0.25), 0.0)
def test_nothing_outside_a_range_comes_out(domain, share):
    value = on_grid(domain, inside(continuous(domain), share))
    assert domain.low <= value <= domain.high
    assert type(value) is type(domain.low)
    if domain.step is not None and value not in grid_bounds(domain):
        assert value % domain.step == 0


@given(RANGES)
@example(Range(0.25000000000000006, 1.25, step=0.25))
def test_the_ends_of_a_grid_are_multiples_but_for_a_float_s_last_digits(domain):
    for end in grid_bounds(domain):
        if domain.step is not None:
            assert abs(end / domain.step - round(end / domain.step)) <= 1e-9


@given(RANGES)
def test_both_ends_of_a_range_are_reachable(domain):
    interval = continuous(domain)
    low, high = grid_bounds(domain)
    assert (on_grid(domain, interval.low), on_grid(domain, interval.high)) == (low, high)
    if domain.step is None:
        assert (low, high) == (domain.low, domain.high)
    else:
        assert low - domain.step < domain.low <= low
        assert high <= domain.high < high + domain.step


@given(RANGES, st.floats(0, 1))
def test_nothing_outside_a_range_comes_out_of_its_stretched_interval(domain, share):
    value = on_grid(domain, inside(stretched(domain), share))
    assert domain.low <= value <= domain.high
    assert type(value) is type(domain.low)


@given(RANGES)
def test_each_end_has_a_share_of_the_stretched_interval(domain):
    """A twentieth of the interval inside is added: 1 part of 22 of the whole."""
    interval = stretched(domain)
    low, high = grid_bounds(domain)
    found = [on_grid(domain, at_share(interval, share)) for share in (0, 0.045, 0.955, 1)]
    assert found == [low, low, high, high]


@pytest.mark.parametrize("domain", [Range(0.0, 1.0), Range(0.01, 10.0, log=True)])
def test_the_inside_of_a_stretched_interval_is_as_before(domain):
    interval = stretched(domain)
    assert at_share(interval, 1 / 22) == pytest.approx(domain.low)
    assert at_share(interval, 21 / 22) == pytest.approx(domain.high)


def at_share(interval: FloatDistribution, share: float) -> float:
    low, high = interval.low, interval.high
    if interval.log:
        low, high = math.log(low), math.log(high)
    value = low + share * (high - low)
    return math.exp(value) if interval.log else value


def test_the_widest_range_of_floats_can_be_stretched():
    domain = Range(5e-324, 3.4e38, log=True)
    interval = stretched(domain)
    assert 0 < interval.low <= domain.low
    assert domain.high < interval.high < math.inf


@given(RANGES, st.floats(0, 1))
def test_a_value_of_the_domain_is_mapped_to_itself(domain, share):
    value = on_grid(domain, inside(continuous(domain), share))
    assert on_grid(domain, float(value)) == value


@pytest.mark.parametrize(
    ("domain", "values"),
    [
        (Range(3, 6), [3, 4, 5, 6]),
        (Range(1, 4, log=True), [1, 2, 3, 4]),
        (Range(0, 10, step=5), [0, 5, 10]),
        (Range(3, 12, step=4), [4, 8, 12]),
        (Range(0.5, 1.25, step=0.25), [0.5, 0.75, 1.0, 1.25]),
        (Range(0.3, 1.1, log=True, step=0.5), [0.5, 1.0]),
    ],
)
def test_every_value_of_a_grid_has_its_own_part_of_the_interval(domain, values):
    interval = continuous(domain)
    width = interval.high - interval.low
    found = [on_grid(domain, interval.low + width * (i + 0.5) / 1000) for i in range(1000)]
    counts = [found.count(value) for value in values]
    assert sum(counts) == 1000
    assert max(counts) - min(counts) <= 2


def test_decimal_grids_keep_both_ends():
    domain = Range(0.1, 0.3, step=0.1)
    interval = continuous(domain)
    assert on_grid(domain, interval.low) == pytest.approx(0.1)
    assert on_grid(domain, interval.high) == pytest.approx(0.3)
    assert on_grid(domain, interval.high) <= domain.high


@given(RANGES)
def test_optuna_s_distribution_has_the_same_ends(domain):
    distribution = distributions(space_of(domain))["lr"]
    assert (distribution.low, distribution.high) == grid_bounds(domain)
    assert distribution.log == domain.log
    kind = IntDistribution if domain.whole else FloatDistribution
    assert isinstance(distribution, kind)


@given(RANGES, st.floats(0, 1))
def test_optuna_s_distribution_takes_every_value(domain, share):
    value = on_grid(domain, inside(continuous(domain), share))
    distribution = distributions(space_of(domain))["lr"]
    assert distribution._contains(distribution.to_internal_repr(value))


def test_a_step_is_optuna_s_too_where_it_can_be():
    assert distributions(space_of(Range(0, 12, step=5)))["lr"] == IntDistribution(0, 10, step=5)


def test_choices_are_categories_in_their_order():
    choice = Choice(("bce", "mse"))
    assert distributions(space_of(choice))["lr"] == CategoricalDistribution(("bce", "mse"))


def test_the_default_space():
    assert dict(distributions(DEFAULT)) == {
        "lr": FloatDistribution(0.01, 10.0, log=True),
        "epochs": IntDistribution(500, 10_000, log=True),
        "seed": IntDistribution(0, 9999),
        "loss_fn": CategoricalDistribution(("mse", "bce", "bce_with_logits")),
    }
    assert continuous(DEFAULT.domains["epochs"]) == FloatDistribution(499.5, 10_000.5, log=True)
    assert math.isclose(continuous(DEFAULT.domains["lr"]).high, 10.0)
