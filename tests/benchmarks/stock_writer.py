"""A trial's TensorBoard run, written with the `SummaryWriter` of PyTorch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams


def write_run(
    folder: Path,
    model: nn.Module | None,
    x: Tensor,
    config: Mapping[str, Any],
    curve: Iterable[tuple[int, float, float]],
    metrics: Mapping[str, float],
) -> None:
    """Writes the graph, the curve and a row for the HPARAMS tab; no model, no graph.

    `SummaryWriter.add_hparams` opens a second file, with a thread of its own; its three
    summaries are put into the run's one file instead, which costs half.
    """
    with SummaryWriter(str(folder)) as writer:
        if model is not None:
            writer.add_graph(model, x)
        for summary in hparams(dict(config), dict(metrics)):
            writer.file_writer.add_summary(summary)
        for epoch, training, validation in curve:
            writer.add_scalar("loss/training", training, epoch)
            writer.add_scalar("loss/validation", validation, epoch)
        for tag, value in metrics.items():
            writer.add_scalar(tag, value, config["epochs"])
