"""What a paused trial of the plain engine is made of is checked before it continues."""

from dataclasses import replace

import numpy as np
import pytest

from tests.make import lanes
from tests.tables import make_engine, make_trial
from xortune.errors import XortuneError
from xortune.trial import Paused, RawArray

PARAMS = make_trial(epochs=6, optimizer="adam", dropout=0.2)


def paused(params=PARAMS, until: int = 3) -> Paused:
    (outcome,) = make_engine().open("cpu").train(lanes([params]), 1, until=until)
    return outcome.paused


def resume(state: Paused, params=PARAMS):
    return make_engine().open("cpu").train(lanes([params], paused=[state]), 1)


def changed(name: str, array: RawArray | None) -> Paused:
    state = paused()
    arrays = {key: value for key, value in {**state.arrays, name: array}.items() if value}
    return replace(state, arrays=arrays)


def test_a_state_is_made_of_arrays_with_names():
    count = 3 * 5 + 5 + 5 * 5 + 5 + 5 + 1
    shapes = {name: (array.dtype, array.shape) for name, array in paused().arrays.items()}
    vectors = ("weights", "best", "exp_avg", "exp_avg_sq")
    assert shapes == {
        **dict.fromkeys(vectors, ("<f4", (count,))),
        "step": ("<f4", ()),
        "losses": ("<f8", (3,)),
        "best_epoch": ("<i8", (1,)),
    }


@pytest.mark.parametrize("name", ["weights", "best", "step", "exp_avg", "losses", "best_epoch"])
def test_a_missing_array(name):
    with pytest.raises(XortuneError, match=f"stored state: no array {name}. Train it from the"):
        resume(changed(name, None))


@pytest.mark.parametrize(
    "array",
    [
        RawArray("<f4", (55,), bytes(4 * 55)),
        RawArray("<f4", (56,), bytes(4 * 56 - 1)),
        RawArray("<f8", (56,), bytes(8 * 56)),
        RawArray("<f4", (7, 8), bytes(4 * 56)),
        RawArray("<f4", (2**62, 4), b""),
        RawArray("O", (56,), bytes(8 * 56)),
    ],
)
def test_an_array_of_another_size_or_type(array):
    with pytest.raises(XortuneError, match="weights has the type .* instead of <f4, \\(56,\\) and"):
        resume(changed("weights", array))


@pytest.mark.parametrize(("epoch", "best"), [(7, 1), (3, 4), (3, -1), (-1, 0)])
def test_epochs_that_cannot_be(epoch, best):
    state = changed("best_epoch", RawArray("<i8", (1,), np.array([best], "<i8").tobytes()))
    with pytest.raises(XortuneError, match=f"epoch {epoch} with the best epoch {best}"):
        resume(replace(state, epoch=epoch))


def test_the_state_of_another_optimizer_or_network():
    with pytest.raises(XortuneError, match="no array momentum_buffer"):
        resume(paused(), make_trial(epochs=6, optimizer="momentum"))
    with pytest.raises(XortuneError, match="weights has the type"):
        resume(paused(), make_trial(epochs=6, width=9))
