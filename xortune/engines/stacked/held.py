"""Lends tensors to a module in the place of its own, for as long as it computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from torch import Tensor, nn


class _Place(NamedTuple):
    """Where a module looks for a tensor."""

    tensors: dict[str, Any]  # of one of its parts
    key: str
    note: Callable[[Tensor], None] | None  # takes note of another tensor


class Held:
    """The tensors of a module, by name; a tensor that it has twice has one name.

    `torch.func.functional_call` does the same for any module at any time. This takes a tenth of
    its time, as it looks for the places only once.

    Args:
        module: whose tensors are replaced.
    """

    def __init__(self, module: nn.Module) -> None:
        self._places: dict[str, list[_Place]] = {}
        names: dict[int, str] = {}
        for prefix, part in module.named_modules():
            for tensors in (part._parameters, part._buffers):
                for key, tensor in tensors.items():
                    if tensor is not None:
                        name = names.setdefault(id(tensor), f"{prefix}.{key}" if prefix else key)
                        place = _Place(tensors, key, _note_of(part, key))
                        self._places.setdefault(name, []).append(place)

    @contextmanager
    def replaced(
        self, tensors: Mapping[str, Tensor], changed: Sequence[str]
    ) -> Iterator[list[Any]]:
        """While entered, the module computes with these tensors.

        Yields:
            A list, which at the end gets those tensors that the module then has under the names
            in `changed`: it may put others in their place.
        """
        before: list[tuple[_Place, Any]] = []
        after: list[Any] = []
        try:
            for name, tensor in tensors.items():
                for place in self._places[name]:
                    before.append((place, place.tensors[place.key]))
                    _put(place, tensor)
            yield after
        finally:
            after += [self._places[name][0] for name in changed]
            after[:] = [place.tensors[place.key] for place in after]
            for place, tensor in before:
                _put(place, tensor)


def _put(place: _Place, tensor: Any) -> None:
    place.tensors[place.key] = tensor
    if place.note is not None:
        place.note(tensor)


def _note_of(part: nn.Module, key: str) -> Callable[[Tensor], None] | None:
    """Recurrent modules of PyTorch keep a list of their weights beside them."""
    if not isinstance(part, nn.RNNBase) or key not in part._flat_weights_names:
        return None
    at = part._flat_weights_names.index(key)

    def note(tensor: Tensor) -> None:
        part._flat_weights[at] = tensor

    return note
