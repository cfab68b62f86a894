"""Trains packs of XOR: thousands of tiny networks at once, by PyTorch or by compiled C."""

from xortune.engines.xor.engines import CompiledEngine, EagerEngine

__all__ = ["CompiledEngine", "EagerEngine"]
