"""Trials whose loss does not stay finite."""

import math
from dataclasses import replace

import pytest
from pandas.testing import assert_frame_equal

import xortune
from tests.make import lanes, make_params
from tests.small_study import check_runs
from xortune.engines.xor.choice import engine_choice
from xortune.problems.xor.spec import LOSS_FNS

# With sigmoids that saturate a loss stays finite at nearly any learning rate: at 1e30 always,
# with logits at 3e38 for one seed in two.
SPACE = {
    "lr": {"values": [0.1, 1.0, 1e30, 3e38]},
    "epochs": {"value": 60},
    "seed": {"min": 0, "max": 99},
    "loss_fn": {"value": "bce_with_logits"},
}


@pytest.fixture(scope="module", params=["eager", "compiled"])
def study(request, tmp_path_factory):
    results = tmp_path_factory.mktemp("divergence")
    return xortune.search(
        SPACE, trials=160, runner="inline", engine=request.param, name="s", results=results
    )


def test_diverged_trials_fail_with_the_epoch(study):
    failed = study.trials.query("state == 'FAIL'")
    assert len(failed) >= 8
    assert failed["error"].str.fullmatch(r"loss is not finite at epoch \d+").all()
    epochs = failed["error"].str.extract(r"(\d+)")[0].astype(int)
    assert epochs.between(1, 60).all()
    assert set(failed["lr"]) == {3e38}
    assert (
        failed[["rank", "final_loss", "train_loss", "mse", "bce", "accuracy"]].isna().all(axis=None)
    )


def test_diverged_trials_never_rank(study):
    complete = study.trials.query("state == 'COMPLETE'")
    assert study.best["number"] == complete.iloc[0]["number"]
    assert complete["final_loss"].map(math.isfinite).all()
    assert list(complete["rank"]) == list(range(1, len(complete) + 1))
    assert list(study.trials["state"]) == sorted(study.trials["state"])


def test_neighbours_of_a_diverged_trial_are_not_touched(study, tmp_path):
    """The same trials, each alone in its pack."""
    alone = xortune.search(
        SPACE,
        trials=160,
        runner="inline",
        engine=study.provenance.engine.partition("-")[0],
        pack_size=1,
        name="alone",
        results=tmp_path,
    )
    columns = ["duration_s"]
    assert_frame_equal(
        study.trials.drop(columns=columns), alone.trials.drop(columns=columns), check_exact=True
    )


@pytest.mark.parametrize("engine", ["eager", "compiled"])
@pytest.mark.parametrize("lr", [math.nan, math.inf])
def test_a_learning_rate_that_is_not_finite_fails_alone(lr, engine):
    trainer = engine_choice(engine, "xor").decide("cpu").open("cpu")

    def made(lr, seed, loss_fn):
        return make_params(lr=lr, epochs=60, seed=seed, loss_fn=loss_fn)

    sound = [made(1.0, seed, loss_fn) for seed in range(10) for loss_fn in LOSS_FNS]
    lost = [made(lr, 0, loss_fn) for loss_fn in LOSS_FNS]
    mixed = [*sound[:7], *lost, *sound[7:]]
    outcomes = trainer.train(lanes(mixed), 500)
    assert {o.error for o in outcomes[7:10]} == {"loss is not finite at epoch 1"}
    undisturbed = trainer.train(lanes(sound), 500)
    for outcome, alone in zip([*outcomes[:7], *outcomes[10:]], undisturbed, strict=True):
        assert replace(outcome, duration_s=None) == replace(alone, duration_s=None)


def test_the_sampler_learns_to_avoid_divergence(study):
    trials = study.trials.sort_values("number")
    failed = (trials["state"] == "FAIL").to_numpy()
    assert failed[-60:].mean() < 0.5 * failed[:20].mean()


def test_diverged_trials_have_runs_and_the_rest_completes(study):
    assert (study.trials["state"] == "COMPLETE").sum() > 60
    check_runs(study)
