"""One trial of the usual way: trained with the lab's loop, written with PyTorch's SummaryWriter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks.lab_loop import train
from tests.benchmarks.stock_writer import write_run
from xortune.problems.xor.data import load_data


def run_trial(params: Mapping[str, Any], folder: Path) -> float:
    """Trains a trial, writes its TensorBoard run into a folder, and returns its final loss."""
    trained = train(params)
    metrics = {"final_loss": trained.final_loss}
    x = load_data("xor").training.x
    write_run(folder, trained.model, x, params, trained.curve, metrics)
    return trained.final_loss
