"""Trains tables trial after trial, with autograd and `torch.optim`: the reference for others."""

from xortune.engines.plain.engine import PlainEngine

__all__ = ["PlainEngine"]
