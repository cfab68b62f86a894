"""A problem's file: a trial draws from `random`, begins with its fold, and ends as `how` says."""

import math
import os
import random
import signal
import time

import xortune


def train(config, report):
    how, start = config.pop("how"), config["x"] ** 2 + config.get("fold", 0) / 8
    for epoch in range(config["epochs"] + 1):
        report(epoch, loss=random.random() + start)
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
    loss = math.nan if how == "nan" else random.random() + start
    return {"loss": loss, "drawn": random.random()}


problem = xortune.Problem(
    train,
    space={
        "x": {"min": -2.0, "max": 2.0},
        "epochs": {"min": 1, "max": 300},
        "how": {"values": ["well", "nan", "raise", "exit", "sigsegv", "sleep", "print"]},
        "seed": {"min": 0, "max": 9},
    },
    cost="epochs",
)
