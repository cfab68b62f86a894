"""A look at every operation that PyTorch computes."""

from __future__ import annotations

from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While entered, `see` is called before every operation."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """PyTorch would load its compiler, which takes more than a second, to leave this alone."""
        return False

    def see(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Looks at an operation and its arguments."""

    def seen(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """Looks at its result."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        self.see(func, args, kwargs)
        result = func(*args, **kwargs)
        self.seen(func, args, kwargs, result)
        return result


class Work(Operations):  # type: ignore[no-untyped-call]
    """Counts operations.

    Attributes:
        calls: how many there were.
        flops: their floating-point operations, of products alone.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.flops = 0

    def seen(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """Counts an operation."""
        self.calls += 1
        count = flop_registry.get(func.overloadpacket)
        if count is not None:
            self.flops += count(*args, **kwargs, out_val=result)
        elif "rnn_layer" in str(func):
            self.flops += _of_recurrent(args, backward="backward" in str(func))


def _of_recurrent(args: tuple[Any, ...], *, backward: bool) -> int:
    """Of a whole layer of nn.LSTM, which PyTorch does not count: `(T, B, ...)` and two weights."""
    rows, inner, outer = args[:3]
    each = 2 * (inner.numel() + outer.numel())  # a multiplication and an addition
    return int(rows.shape[0] * rows.shape[1] * each * (2 if backward else 1))
