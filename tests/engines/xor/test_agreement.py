"""Both engines against the reference loop, on 200 random trials of the default search space."""

import csv
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from tests.engines.xor.packs import train_pack
from tests.make import make_params, make_scores
from xortune.engines.xor.eager.lanes import initial_weights
from xortune.problems.xor.loop import train
from xortune.problems.xor.model import seeded_model
from xortune.trial import Outcome, Params, Scores

REFERENCE = Path(__file__).with_name("reference_trials.csv")
SCORES = ("train_loss", "mse", "bce", "accuracy")
CLOSE = 1e-3


@dataclass(frozen=True)
class Row:
    params: Params
    scores: Scores


@pytest.fixture(scope="module")
def reference() -> list[Row]:
    """What `make_reference.py` wrote."""
    with REFERENCE.open(newline="") as file:
        return [
            Row(
                make_params(float(r["lr"]), int(r["epochs"]), int(r["seed"]), r["loss_fn"]),
                make_scores(*(float(r[name]) for name in SCORES)),
            )
            for r in csv.DictReader(file)
        ]


@pytest.fixture(scope="module")
def outcomes(reference, engine) -> list[Outcome]:
    return train_pack(engine(), [row.params for row in reference])


def relative_error(row: Row, outcome: Outcome) -> float:
    return abs(outcome.scores["mse"] - row.scores["mse"]) / row.scores["mse"]


def test_the_file_holds_200_trials_of_every_kind(reference):
    assert len({row.params for row in reference}) == 200
    assert {row.params["loss_fn"] for row in reference} == {"mse", "bce", "bce_with_logits"}
    assert sum(row.params["lr"] <= 1 for row in reference) > 100
    assert sum(row.params["lr"] > 1 for row in reference) > 50


def test_the_reference_loop_still_gives_what_the_file_says(reference):
    for row in sorted(reference, key=lambda row: row.params["epochs"])[:4]:
        live = train(row.params).scores
        for name in SCORES:
            assert live[name] == pytest.approx(row.scores[name], rel=CLOSE)


def test_initial_weights_are_exactly_equal(reference):
    weights = initial_weights([row.params["seed"] for row in reference]).T
    for row, found in zip(reference, weights):
        expected = torch.cat([p.flatten() for p in seeded_model(row.params["seed"]).parameters()])
        assert torch.equal(found, expected), row.params["seed"]


def test_final_losses_are_close_up_to_a_learning_rate_of_1(reference, outcomes):
    errors = {
        row.params: relative_error(row, outcome)
        for row, outcome in zip(reference, outcomes)
        if row.params["lr"] <= 1
    }
    assert not {params: error for params, error in errors.items() if error > CLOSE}


def test_final_losses_are_close_for_nearly_all_trials(reference, outcomes):
    close = [relative_error(r, outcome) <= CLOSE for r, outcome in zip(reference, outcomes)]
    assert sum(close) >= 0.97 * len(close)


def test_the_same_trials_are_solved(reference, outcomes):
    equal = [
        (row.scores["accuracy"] == 1) == (outcome.scores["accuracy"] == 1)
        for row, outcome in zip(reference, outcomes)
    ]
    assert sum(equal) >= 0.995 * len(equal)
