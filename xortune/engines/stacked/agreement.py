"""Compares the gradient of a lane in a stack with that of the plain loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from xortune.engines.plain.dropout import CallDropout, kept_at, keys_of, seeds_of
from xortune.engines.plain.module import ModuleLearner
from xortune.engines.stacked.form import Form, made, rates_of
from xortune.engines.stacked.stack import Stack
from xortune.problems.module.lesson import ModuleLesson

_LANES = 2


def gradient_difference(
    lesson: ModuleLesson, params: Mapping[str, Any], heartbeat: Callable[[], None]
) -> float:
    """The largest difference in the first step, relative to the largest number of the gradient.

    Of all lanes, though they are alike: an operation may treat the first in another way.

    Raises:
        UserError: the user's code fails by itself.
        Exception: whatever the module raises in a stack.
    """
    learner = ModuleLearner(params, lesson, heartbeat)
    x, y = next(learner.order.epoch())[0]
    learner.learn((x, y), 0)
    assert learner.weights.grad is not None
    expected = learner.weights.grad.numpy()

    module, _ = made(lesson, params)
    rates = rates_of(module)
    # The module that a stack shares may be of any of its lanes.
    stranger, _ = made(lesson, {**params, "seed": (params["seed"] + 1) % 2**32})
    form = Form(stranger, lesson, params)
    stack = Stack(form.plan, [form.numbers(module)] * _LANES, _LANES)
    first = ({name: t[0] for name, t in held.items()} for held in (stack.arrays, stack.buffers))
    weights, buffers = first
    steps = np.zeros(_LANES, np.uint32)
    seeds = seeds_of([params["seed"]] * _LANES)
    factors = {
        call.place: CallDropout().factors(
            keys_of(seeds, steps, call.place), kept_at([call.of_lane(rates)] * _LANES), call.shape
        )
        for call in form.network.settle(weights, buffers, x, y)
    }
    xs, ys = (torch.stack([rows] * _LANES) for rows in (x, y))
    step = form.network.step(stack.arrays, stack.buffers, xs, ys, factors)
    lanes = stack.learn(step.gradients).gradient[:_LANES]
    found = np.stack([form.plan.dense(lane) for lane in lanes])
    largest = max(float(np.abs(expected).max()), float(np.finfo(np.float32).tiny))
    return float(np.abs(found - expected).max()) / largest
