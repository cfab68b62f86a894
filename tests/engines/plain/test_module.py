"""The plain engine of modules against the loop that PyTorch's users write."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn, optim

from tests.engines.plain.test_dropout import documented
from tests.engines.stacked import nets
from tests.make import lanes
from tests.modules import MIXED, PERCEPTRON, Made
from xortune.engines.plain.module import ModuleLearner
from xortune.engines.plain.optimizers import rate
from xortune.errors import UsageError
from xortune.problems.module.weights import set_weights
from xortune.problems.trainer_parameters import OPTIMIZERS, SCHEDULES
from xortune.trial import Outcome, Params

OPTIMS = {
    "sgd": lambda p, **how: optim.SGD(p, **how),
    "momentum": lambda p, **how: optim.SGD(p, momentum=0.9, **how),
    "nesterov": lambda p, **how: optim.SGD(p, momentum=0.9, nesterov=True, **how),
    "rmsprop": lambda p, **how: optim.RMSprop(p, **how),
    "adam": lambda p, **how: optim.Adam(p, **how),
    "adamw": lambda p, **how: optim.AdamW(p, **how),
}


def train(made: Made, params: Params, **how) -> Outcome:
    return made.plain().open("cpu").train(lanes([params]), 1, **how)[0]


def in_the_usual_way(made: Made, params: Params) -> tuple[list[float], list[float], nn.Module]:
    """The curves of a plain loop, and the module of its last epoch."""
    lesson = made()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(params["seed"])
        module = lesson.build(params)
    how = {"lr": params["lr"], "weight_decay": params["weight_decay"]}
    optimizer = OPTIMS[params["optimizer"]](module.parameters(), **how)
    loss_fn, final = lesson.losses[params.get("loss_fn", "mse")], lesson.losses["mse"]
    generator = torch.Generator().manual_seed(params["seed"])
    training, validation = [], []
    for epoch in range(params["epochs"]):
        for group in optimizer.param_groups:
            group["lr"] = rate(params, epoch)
        module.train()
        losses = []
        for rows in torch.randperm(len(lesson.x), generator=generator).split(params["batch_size"]):
            loss = loss_fn(module(lesson.x[rows]), lesson.y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        training.append(sum(losses) / len(losses))
        module.eval()
        with torch.no_grad():
            validation.append(float(final(module(lesson.x_validation), lesson.y_validation)))
    return training, validation, module


@pytest.mark.parametrize("place", range(len(OPTIMIZERS)))
def test_it_trains_as_the_usual_loop_does(place):
    params = PERCEPTRON.trial(
        optimizer=OPTIMIZERS[place],
        schedule=SCHEDULES[place % 3],
        loss_fn=("mse", "mae")[place % 2],
        weight_decay=0.01 * (place % 2),
        seed=place,
        lr=0.005,
        epochs=5,
        activation="Tanh",
    )
    training, validation, module = in_the_usual_way(PERCEPTRON, params)
    outcome = train(PERCEPTRON, params)
    curve = outcome.curve.series
    assert curve["training"][1:] == pytest.approx(training, rel=1e-5)
    assert curve["validation"][1:] == pytest.approx(validation, rel=1e-5)
    assert outcome.scores["best_epoch"] == 1 + validation.index(min(validation))
    if min(validation) == validation[-1]:
        flat = torch.cat([p.detach().flatten() for p in module.parameters()])
        assert outcome.weights.numbers() == pytest.approx(flat.tolist(), abs=1e-5)


def test_scores_are_those_of_the_stored_weights_with_buffers():
    params = MIXED.trial(epochs=6, lr=0.01, optimizer="adam")
    outcome = train(MIXED, params)
    lesson = MIXED()
    module = lesson.build(params)
    assert [name for name, _ in outcome.weights.layout] == [*module.state_dict()]
    set_weights(module, outcome.weights)
    module.eval()
    with torch.no_grad():
        outputs = module(lesson.x_validation)
        train_loss = float(lesson.losses["mse"](module(lesson.x), lesson.y))
    errors = outputs - lesson.y_validation
    assert outcome.scores["mse"] == pytest.approx(float((errors**2).mean()), rel=1e-6)
    assert outcome.scores["largest_error"] == pytest.approx(float(errors.abs().max()), rel=1e-6)
    assert outcome.scores["train_loss"] == pytest.approx(train_loss, rel=1e-6)


def test_dropout_is_the_documented_function_of_seed_step_call_and_place():
    made = Made(lambda: nn.Sequential(nn.Dropout(0.5), nn.Dropout(0.25), nn.Linear(3, 1)))
    seen: list[torch.Tensor] = []

    def build(params):
        module = made.make()
        module[2].register_forward_pre_hook(lambda linear, args: seen.append(args[0].clone()))
        return module

    lesson = replace(made(), build=build, x=torch.ones(20, 3))
    learner = ModuleLearner(made.trial(seed=9), lesson, lambda: None)
    step = 0
    for batches in learner.order.epoch():
        for batch in batches:
            learner.learn(batch, step)
            expected = [
                documented(9, 0.5, step, 0, place) * documented(9, 0.25, step, 1, place)
                for place in range(batch[0].numel())
            ]
            assert seen[-1].flatten().tolist() == np.array(expected, np.float32).tolist()
            step += 1
    assert step == 3


def test_draws_in_forward_are_the_trials_own_and_survive_a_pause():
    made = nets.made(nets.Noisy)
    params = [made.trial(seed=seed, epochs=4) for seed in (1, 2)]
    alone = train(made, params[1])
    torch.rand(3)
    beside = made.plain().open("cpu").train(lanes(params), 1)
    paused = train(made, params[1], until=2).paused
    continued = made.plain().open("cpu").train(lanes(params[1:], paused=[paused]), 1)[0]
    for other in (beside[1], continued):
        assert (other.scores, other.curve, other.weights) == (
            alone.scores,
            alone.curve,
            alone.weights,
        )
    assert beside[0].curve.series["training"] != alone.curve.series["training"]


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (nets.Raising, "ValueError: no such width"),
        (nets.Double, "the parameter out.weight is float64 on cpu, and must be float32"),
        (nets.Listing, "the model returns a value of type list, and must return a tensor"),
        (nets.WithState, "TypeError: _extra_state of the model is of the type dict"),
        (nets.Leaving, "SystemExit: 3"),
        (nets.Infinite, "loss is not finite at epoch 0"),
    ],
)
@pytest.mark.parametrize("engine", ["plain", "stacked"])
def test_code_that_fails_fails_its_trial_in_one_line(make, error, engine):
    made = nets.made(make)
    outcomes = getattr(made, engine)().open("cpu").train(lanes([made.trial()] * 2), 1)
    for outcome in outcomes:
        assert outcome.state == "FAIL"
        assert outcome.error.startswith(error)


@pytest.mark.parametrize("engine", ["plain", "stacked"])
def test_a_model_that_fails_for_some_parameters_fails_those_trials_alone(engine):
    def build(width, activation, dropout):
        if width == 4:
            raise ValueError("four is not allowed")
        return PERCEPTRON.make(width, activation, dropout)

    made = replace(PERCEPTRON, make=build)
    params = [made.trial(width=width) for width in (3, 4, 5)]
    outcomes = getattr(made, engine)().open("cpu").train(lanes(params), 1)
    assert [outcome.state for outcome in outcomes] == ["COMPLETE", "FAIL", "COMPLETE"]
    assert outcomes[1].error == "ValueError: four is not allowed"


@pytest.mark.parametrize("engine", ["plain", "stacked"])
def test_a_metric_that_fails_or_has_no_value(engine):
    def nothing(output, target):
        return math.nan

    def wrong(output, target):
        raise KeyError("class")

    made = replace(PERCEPTRON, metrics={"nothing": nothing})
    (outcome,) = getattr(made, engine)().open("cpu").train(lanes([made.trial()]), 1)
    assert outcome.state == "COMPLETE"
    assert math.isnan(outcome.scores["nothing"])
    made = replace(PERCEPTRON, metrics={"wrong": wrong})
    (outcome,) = getattr(made, engine)().open("cpu").train(lanes([made.trial()]), 1)
    assert (outcome.state, outcome.error) == ("FAIL", "KeyError: 'class'")


@pytest.mark.parametrize("engine", ["plain", "stacked"])
def test_other_devices_are_refused_with_a_remedy(engine):
    with pytest.raises(UsageError, match="device cuda: modules are trained on CPUs. Use device='c"):
        getattr(PERCEPTRON, engine)().open("cuda")


@pytest.mark.parametrize("engine", ["plain", "stacked"])
def test_no_search_space_can_ask_for_a_reference_trial(engine):
    made = getattr(MIXED, engine)()
    for trial in made.reference:
        assert not made.spec.parameter("seed").takes(trial["seed"])
        others = {name: made.spec.parameter(name).takes(value) for name, value in trial.items()}
        assert [name for name, taken in others.items() if not taken] == ["seed"]
    outcomes = made.open("cpu").train(lanes(made.reference), 1)
    assert {outcome.state for outcome in outcomes} == {"COMPLETE"}
