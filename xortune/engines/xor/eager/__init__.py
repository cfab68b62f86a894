"""The eager engine: stacked tensors, trained by PyTorch's own kernels."""

from xortune.engines.xor.eager.block import EagerEngine, has_gpu

__all__ = ["EagerEngine", "has_gpu"]
