"""Trains packs: thousands of tiny networks at once, as stacked tensors."""

from xortune.engine.pack import has_gpu, train_pack, usable_device

__all__ = ["has_gpu", "train_pack", "usable_device"]
