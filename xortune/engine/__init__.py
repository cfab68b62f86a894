"""Trains packs: thousands of tiny networks at once, as stacked tensors."""

from xortune.engine.pack import train_pack

__all__ = ["train_pack"]
