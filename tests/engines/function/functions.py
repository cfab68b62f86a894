"""Functions that tests train, and engines for them."""

from __future__ import annotations

import math
import os
import random
import signal
import time
from typing import Any

import xortune
from xortune.engines.function.engine import FunctionEngine
from xortune.problems.function.code import load_code
from xortune.problems.function.problem import FunctionProblem, own_space
from xortune.space import inferred_parameters

SPACE = {
    "x": {"min": -2.0, "max": 2.0},
    "epochs": {"min": 1, "max": 300},
    "how": {"values": ["well", "nan", "raise", "exit", "sigsegv", "sleep", "print"]},
    "seed": {"min": 0, "max": 9},
}


def train(config: dict[str, Any], report: Any) -> Any:
    """Draws from `random`; ends as `how` says."""
    how = config.pop("how")
    for epoch in range(config["epochs"]):
        report(epoch, loss=random.random() + config["x"] ** 2)
    if how == "raise":
        raise ValueError("x is too large")
    if how == "exit":
        os._exit(3)
    if how == "sigsegv":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "sleep":
        time.sleep(600)
    if how == "print":
        print("printed by the function")
    loss = math.nan if how == "nan" else random.random() + config["x"] ** 2
    return {"loss": loss, "drawn": random.random()}


def engine_of(function=train, space=SPACE, timeout=None, seed=0, verbose=False, **declared):
    """The engine and the spec of a function of this process."""
    code = load_code(xortune.Problem(function, space, **declared))
    spec = FunctionProblem(code, inferred_parameters(own_space(code))).spec
    return FunctionEngine(code, spec, seed, timeout, verbose), spec


def answer(outcomes):
    """Outcomes without what may differ between two runs."""
    return [(o.state, repr(o.scores), repr(o.curve), o.error) for o in outcomes]
