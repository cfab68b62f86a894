"""What becomes of lost packs: again, in halves, blamed, and given up when workers do work."""

from itertools import count

import pytest

from tests.make import make_params, make_trial
from xortune.errors import XortuneError
from xortune.loop.recovery import Recovery
from xortune.trial import Pack

PROBE = make_params(epochs=1)


def trials(*numbers):
    return tuple(make_trial(number) for number in numbers)


def numbers(packs):
    return [[trial.number for trial in pack.trials] for pack in packs]


@pytest.fixture
def recovery():
    return Recovery(count(100), PROBE, retries=2)


def lose(recovery, *packs, place=None):
    """Loses packs one after the other; returns what is to be trained in their place."""
    return [new for pack in packs for new in recovery.lost(pack, "its worker died", place)]


def drain(recovery, packs, is_lost):
    """Trains packs, and what is to be trained in place of the lost ones, to the end."""
    trained, given_up = [], []
    for _ in range(1000):
        if not packs:
            return trained, given_up
        pack, *packs = packs
        if is_lost(pack):
            new = lose(recovery, pack)
            packs = sorted([*packs, *new], key=lambda p: not recovery.is_probe(p))
        else:
            given_up += recovery.trained(pack)
            trained += [trial.number for trial in pack.trials if trial.number >= 0]
    pytest.fail("never ends")


def test_a_lost_pack_is_first_trained_again_as_it_is(recovery):
    (again,) = lose(recovery, Pack(0, trials(1, 2, 3)))
    assert again.trials == trials(1, 2, 3)
    assert again.id != 0


def test_then_in_halves(recovery):
    again = lose(recovery, Pack(0, trials(1, 2, 3, 4, 5)))
    halves = lose(recovery, *again)
    assert numbers(halves) == [[1, 2], [3, 4, 5]]
    assert len({half.id for half in halves}) == 2
    assert numbers(lose(recovery, halves[1])) == [[3], [4, 5]]


def test_no_pack_has_the_number_of_another(recovery):
    seen = [Pack(0, trials(*range(8)))]
    for pack in seen:
        if not recovery.is_probe(pack):
            seen += lose(recovery, pack)
    assert len({pack.id for pack in seen}) == len(seen) > 20


@pytest.mark.parametrize("culprits", [{0}, {6}, {2, 3}, {0, 4, 6}, set(range(7))], ids=str)
def test_culprits_are_found_and_all_others_trained(recovery, culprits):
    def takes_its_worker_along(pack):
        return any(trial.number in culprits for trial in pack.trials)

    trained, given_up = drain(recovery, [Pack(0, trials(*range(7)))], takes_its_worker_along)
    assert sorted(trained) == sorted(set(range(7)) - culprits)
    assert sorted(gone.pack.trials[0].number for gone in given_up) == sorted(culprits)
    assert {gone.error for gone in given_up} == {"given up after 3 tries alone: its worker died"}


def test_nothing_is_given_up_before_another_pack_was_trained(recovery):
    (pack,) = [Pack(0, trials(1))]
    for _ in range(2):
        (pack,) = lose(recovery, pack)
    (probe,) = lose(recovery, pack)
    assert recovery.is_probe(probe)
    assert probe.trials[0].params == PROBE
    error = "given up after 3 tries alone: its worker died"
    (gone,) = recovery.trained(probe)
    assert (numbers([gone.pack]), gone.error) == ([[1]], error)
    assert recovery.trained(Pack(9, trials(2))) == []


def test_where_nothing_can_be_trained_the_search_ends_and_nothing_is_given_up(recovery):
    with pytest.raises(XortuneError, match=r"whatever it trains.*its worker died.*resume"):
        drain(recovery, [Pack(0, trials(*range(500)))], lambda pack: True)


def test_that_is_found_out_long_before_every_trial_was_tried(recovery):
    lost = []
    with pytest.raises(XortuneError):
        drain(recovery, [Pack(0, trials(*range(500)))], lambda pack: not lost.append(pack))
    assert len(lost) == 8


def test_without_retries_one_loss_is_enough(recovery):
    recovery = Recovery(count(100), PROBE, retries=0)
    halves = lose(recovery, Pack(0, trials(1, 2)))
    assert numbers(halves) == [[1], [2]]
    (probe,) = lose(recovery, halves[0])
    assert recovery.is_probe(probe)
    (gone,) = recovery.trained(halves[1])
    assert numbers([gone.pack]) == [[1]]
    assert gone.error == "given up after 1 tries alone: its worker died"


def test_places_where_a_pack_was_lost_are_to_be_avoided(recovery):
    (again,) = lose(recovery, Pack(0, trials(1, 2)), place="a")
    assert again.avoid == {"a"}
    halves = lose(recovery, again, place="b")
    assert [half.avoid for half in halves] == [{"a", "b"}] * 2
    (unknown,) = lose(recovery, Pack(1, trials(3, 4)), place=None)
    assert unknown.avoid == set()


def test_packs_stay_on_their_device(recovery):
    (again,) = lose(recovery, Pack(0, trials(1), device="cuda"))
    (again,) = lose(recovery, again)
    (probe,) = lose(recovery, again)
    assert {again.device, probe.device} == {"cuda"}
