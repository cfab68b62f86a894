"""The eager engine: stacked tensors, trained by PyTorch's own kernels."""

from xortune.engine.eager.block import EagerEngine, has_gpu

__all__ = ["EagerEngine", "has_gpu"]
