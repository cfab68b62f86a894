"""The eager engine: stacked tensors, trained by PyTorch's own kernels."""

from xortune.engines.xor.eager.block import EagerKernels

__all__ = ["EagerKernels"]
