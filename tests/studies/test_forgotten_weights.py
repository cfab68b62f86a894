"""Models of trials whose weights were not kept: trained again, to the same bits."""

from dataclasses import replace

import pytest
import torch

import xortune
from xortune.errors import XortuneError
from xortune.ledger import Ledger
from xortune.loop import best_weights

SETTINGS = {"trials": 8, "generation": 4, "pack_size": 3, "runner": "inline"}


@pytest.fixture(params=["eager", "compiled"])
def studies(request, tmp_path, monkeypatch):
    """A study that kept all weights, and the same one with room for three."""
    common = {"results": tmp_path, "engine": request.param, **SETTINGS}
    all_kept = xortune.search("smoke", name="all", **common)
    monkeypatch.setattr(best_weights, "BUDGET", 3 * 36)
    return all_kept, xortune.search("smoke", name="three", **common)


def test_the_best_trials_keep_their_weights(studies):
    best = sorted(studies[1].trials["number"].head(3))
    with Ledger.read(studies[1].paths) as ledger:
        assert ledger.weighted() == best
        assert [ledger.weights(n) is not None for n in range(8)] == [n in best for n in range(8)]


def test_every_model_has_the_same_bits(studies):
    all_kept, three = studies
    for number in range(8):
        pairs = zip(all_kept.model(number).parameters(), three.model(number).parameters())
        assert all(torch.equal(a, b) for a, b in pairs)
        assert all_kept.predict(number, (0, 1)) == three.predict(number, (0, 1))


def test_a_model_that_cannot_be_had_again_is_refused(studies):
    """Where this machine gives other numbers than the recorded ones."""
    three = studies[1]
    worst = int(three.trials["number"].iloc[-1])
    with Ledger.open(three.paths) as ledger:
        ledger.record(ledger.settings(), replace(ledger.provenance(), engine="eager-0"))
    with pytest.raises(XortuneError, match="trained again.*engine eager-0"):
        three.model(worst)
