import math
import random
from itertools import pairwise

import pytest

from xortune.sampling.window import window
from xortune.trial import FinishedTrial, Outcome, Params, Scores, Trial


def finished(number: int, mse: float | None, bce: float = 0.5) -> FinishedTrial:
    if mse is None:
        outcome = Outcome("FAIL", error="loss is not finite at epoch 2")
    else:
        outcome = Outcome("COMPLETE", Scores(train_loss=1.0, mse=mse, bce=bce, accuracy=1.0))
    return FinishedTrial(Trial(number, 0, Params()), outcome)


def numbers(told, metric="mse") -> list[int]:
    return [finished.trial.number for finished, _ in window(told, metric)]


def shuffled_losses(count: int) -> list[float]:
    return random.Random(0).sample([i / 8 for i in range(count)], count)


def test_up_to_250_trials_are_all_in_it():
    told = [finished(i, loss) for i, loss in enumerate(shuffled_losses(250))]
    assert window(told, "mse") == [(t, t.outcome.scores.mse) for t in told]


@pytest.mark.parametrize("count", [251, 400, 4000])
def test_of_more_it_has_the_best_25_and_225_others_by_number(count):
    losses = shuffled_losses(count)
    found = numbers([finished(i, loss) for i, loss in enumerate(losses)])
    assert len(set(found)) == 250
    assert found == sorted(found)
    assert {i for i in range(count) if losses[i] < 25 / 8} <= set(found)


def test_the_others_are_evenly_spread():
    """Of 4025 trials the best 25 come last: of the 4000 others every 18th or so."""
    found = numbers([finished(i, 4025 - i) for i in range(4025)])
    others = found[:225]
    gaps = [b - a for a, b in pairwise(others)]
    assert found[225:] == list(range(4000, 4025))
    assert (others[0], set(gaps)) == (0, {17, 18})
    assert others[-1] >= 3980


def test_of_equal_trials_the_first_are_the_best():
    assert numbers([finished(i, 1.0) for i in range(5000)])[:25] == list(range(25))


def test_failed_trials_are_infinitely_bad():
    told = [finished(i, None if i % 2 else i) for i in range(600)]
    found = numbers(told)
    assert len(found) == 250
    assert set(range(0, 50, 2)) <= set(found)
    assert any(number % 2 for number in found)
    assert window(told[:2], "mse") == [(told[0], 0), (told[1], math.inf)]


def test_the_yardstick_is_the_study_s():
    told = [finished(i, mse=i, bce=-i) for i in range(1000)]
    assert set(range(25)) <= set(numbers(told, "mse"))
    assert set(range(975, 1000)) <= set(numbers(told, "bce"))
    assert window(told[:3], "bce") == [(t, -t.trial.number) for t in told[:3]]


def test_the_order_of_the_argument_does_not_matter():
    told = [finished(i, loss) for i, loss in enumerate(shuffled_losses(600))]
    assert window(reversed(told), "mse") == window(told, "mse")
