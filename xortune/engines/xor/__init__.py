"""Trains packs: thousands of tiny networks at once, by PyTorch or by compiled C."""

from xortune.engines.devices import usable_device
from xortune.engines.xor.pack import train_pack

__all__ = ["train_pack", "usable_device"]
