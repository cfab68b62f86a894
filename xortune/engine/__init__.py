"""Trains packs: thousands of tiny networks at once, as stacked tensors."""

from xortune.engine.pack import train_pack, usable_device

__all__ = ["train_pack", "usable_device"]
