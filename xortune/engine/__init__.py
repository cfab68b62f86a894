"""Trains packs: thousands of tiny networks at once, by PyTorch or by compiled C."""

from xortune.engine.pack import train_pack
from xortune.engine.usable import usable_device

__all__ = ["train_pack", "usable_device"]
