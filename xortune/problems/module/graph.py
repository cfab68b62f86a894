"""The graph of a module for TensorBoard: the functions that it calls for a few rows.

It is recorded while the module computes, so that any module has one, whatever its `forward` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from xortune.errors import XortuneError
from xortune.spec import GraphNode

MOST_NODES = 500  # TensorBoard draws more slowly, and every run has them
ANY = -1  # an axis of rows, which TensorBoard shows as a question mark


def graph_of(module: nn.Module, x: Tensor) -> tuple[GraphNode, ...]:
    """The nodes of a module in evaluation mode, named by the submodules that call them.

    Args:
        module: the module, of the caller's own.
        x: rows of its data, `(n, ...)`, of which it is given two and then three, to see which
            sizes follow from their number.

    Raises:
        XortuneError: there are more than `MOST_NODES`.
        Exception: whatever the module raises.
    """
    module.eval()
    two, three = (_recorded(module, x[:rows]) for rows in (2, 3))
    if [(n.name, len(n.shape)) for n in two] != [(n.name, len(n.shape)) for n in three]:
        return two  # The calls themselves depend on the number of rows.
    shapes = [
        tuple(a if a == b else ANY for a, b in zip(one.shape, other.shape))
        for one, other in zip(two, three)
    ]
    return tuple(node._replace(shape=shape) for node, shape in zip(two, shapes))


def _recorded(module: nn.Module, x: Tensor) -> tuple[GraphNode, ...]:
    recorder = _Recorder(module)
    recorder.add("input/x", "IO Node", (), (x,))
    try:
        with recorder:
            output = module(x)
    finally:
        recorder.end()
    found = [*_tensors(output)]
    recorder.add("output/output", "IO Node", found, found)
    return tuple(recorder.nodes)


class _Recorder(TorchFunctionMode):
    """While entered, records the functions of PyTorch that a module calls.

    Args:
        module: the module, which gets hooks until `end`.

    Attributes:
        nodes: those of its parameters and buffers that it uses, and of its calls, in their order.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.nodes: list[GraphNode] = []
        self._scopes = _scopes(module)
        self._within = [self._scopes[""]]
        self._names: dict[int, str] = {}  # of what has a node, by the identity of a tensor
        self._kept: list[Tensor] = []  # so that no other gets the identity of one
        self._given = dict(self._weights(module))
        self._counts: dict[str, int] = {}
        self._hooks = [
            hook for name, part in module.named_modules() for hook in self._hooked(name, part)
        ]

    def end(self) -> None:
        """Removes the hooks."""
        for hook in self._hooks:
            hook.remove()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        # Before the call, which may change its arguments in place.
        inputs = [*_tensors((args, kwargs))]
        result = func(*args, **(kwargs or {}))
        name = _called(func)
        outputs = inputs[:1] if name == "setitem" else [*_tensors(result)]
        if outputs:
            self.add(f"{self._within[-1]}/{name}", name, inputs, outputs)
        return result

    def add(self, name: str, op: str, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        """Adds a node, whose shape is that of its first output."""
        sources = tuple(dict.fromkeys(map(self._source, inputs)))
        name = self._unused(name)
        self._append(GraphNode(name, op, sources, tuple(outputs[0].shape) if outputs else ()))
        for tensor in outputs:
            self._names[id(tensor)] = name
            self._kept.append(tensor)

    def _append(self, node: GraphNode) -> None:
        self.nodes.append(node)
        if len(self.nodes) > MOST_NODES:
            raise XortuneError(
                f"it has more than {MOST_NODES} nodes, which is more than can be read"
            )

    def _source(self, tensor: Tensor) -> str:
        """The node that a tensor comes from; one of its own where it was there before."""
        key = id(tensor)
        if key not in self._names:
            constant = f"{self._within[-1]}/constant", "Constant"
            name, op = self._given.get(key, constant)
            self._names[key] = self._unused(name)
            self._kept.append(tensor)
            self._append(GraphNode(self._names[key], op, (), tuple(tensor.shape)))
        return self._names[key]

    def _unused(self, name: str) -> str:
        """The name, with a number where it has been used before."""
        count = self._counts[name] = self._counts.get(name, -1) + 1
        return f"{name}_{count}" if count else name

    def _weights(self, module: nn.Module) -> Iterator[tuple[int, tuple[str, str]]]:
        """By the identities of parameters and buffers, the names and operations of their nodes."""
        kinds = (("Parameter", module.named_parameters()), ("Buffer", module.named_buffers()))
        for op, named in kinds:
            for path, tensor in named:
                owner, _, name = path.rpartition(".")
                yield id(tensor), (f"{self._scopes[owner]}/{name}", op)

    def _hooked(self, path: str, part: nn.Module) -> Iterator[Any]:
        """Hooks by which the calls within a submodule get its name."""

        def enter(*_: Any) -> None:
            self._within.append(self._scopes[path])

        def leave(*_: Any) -> None:
            self._within.pop()

        yield part.register_forward_pre_hook(enter, prepend=True)
        yield part.register_forward_hook(leave, always_call=True)


def _scopes(module: nn.Module) -> dict[str, str]:
    """The groups of all submodules by their paths, as in `Net/Sequential[body]/Linear[0]`."""
    scopes = {"": type(module).__name__}
    for path, part in module.named_modules(remove_duplicate=False):
        if path:
            above, _, name = path.rpartition(".")
            label = name.replace("/", "_")
            scopes[path] = f"{scopes[above]}/{type(part).__name__}[{label}]"
    return scopes


def _called(func: Callable[..., Any]) -> str:
    """The name of a function or of an attribute such as `T`; of an operator without underscores."""
    name = str(getattr(func, "__name__", "call"))
    if name == "__get__":
        name = str(getattr(getattr(func, "__self__", None), "__name__", name))
    return name.strip("_") if name.startswith("__") else name


def _tensors(values: Any) -> Iterator[Tensor]:
    """All tensors among some values, however deep."""
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, Mapping):
        yield from _tensors(tuple(values.values()))
    elif isinstance(values, (tuple, list)):
        for value in values:
            yield from _tensors(value)
