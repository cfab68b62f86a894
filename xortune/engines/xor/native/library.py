"""step.c as functions that Python can call."""

from __future__ import annotations

import ctypes
import hashlib
from array import array
from functools import cache
from typing import Any

from xortune.engines.loading import loaded
from xortune.errors import NoEngineError

# A block of step.c: arrays of lanes have a multiple of it.
WIDTH = 32

# The results of `_fingerprint` where every operation is rounded as IEEE 754 says.
_TRAINED = "b53f7cf85e73d13c4352fb04078fa9d91df5ef9c5c8c00439273208364653c63"
_MEASURED = "d980b46801b6fda4195618ab6f7b5623fbf6766e8b704f8e5e0d9a3f8e316d67"
_LANES = 64


def _pointers(*names: str) -> list[tuple[str, type[ctypes.c_void_p]]]:
    return [(name, ctypes.c_void_p) for name in names]


class _Pack(ctypes.Structure):
    """`Pack` of step.c."""

    _fields_ = (
        *_pointers("weights", "lr", "slope", "offset", "epochs", "y"),
        ("lanes", ctypes.c_int64),
        ("begin", ctypes.c_int32),
        ("end", ctypes.c_int32),
    )


class _Measurement(ctypes.Structure):
    """`Measurement` of step.c."""

    _fields_ = (
        *_pointers("weights", "loss", "y", "results"),
        ("stride", ctypes.c_int64),
        ("lanes", ctypes.c_int64),
    )


class CFunctions:
    """The functions of step.c, which release the GIL.

    Arrays are contiguous, and given by address in the order of step.c's structs, which say their
    shapes. They have `L` lanes, a multiple of `WIDTH`.
    """

    def __init__(self, library: ctypes.CDLL) -> None:
        self._train, self._draw = library.xortune_train, library.xortune_draw
        self._measure = library.xortune_measure
        self._train.argtypes = (ctypes.POINTER(_Pack),)
        self._measure.argtypes = (ctypes.POINTER(_Measurement),)
        pointer, number = ctypes.c_void_p, ctypes.c_float
        self._draw.argtypes = (pointer, number, number, pointer, ctypes.c_int64)
        self._train.restype = self._draw.restype = self._measure.restype = None

    def draw(self, seeds: int, low: float, high: float, draws: int, lanes: int) -> None:
        """Draws as `torch.empty(9).uniform_(low, high)` after each `manual_seed(seed)`.

        From seeds, `(L,)`, uint32, into draws, `(9, L)`, float32.
        """
        self._draw(seeds, low, high, draws, lanes)

    def train(self, addresses: tuple[int, ...], lanes: int, begin: int, end: int) -> None:
        """Trains lanes from epoch `begin` to `end`, or to their own last one."""
        self._train(ctypes.byref(_Pack(*addresses, lanes, begin, end)))

    def measure(self, addresses: tuple[int, ...], stride: int, lanes: int) -> None:
        """Measures the first of `stride` lanes; those with a weight that is not finite give NaN."""
        self._measure(ctypes.byref(_Measurement(*addresses, stride, lanes)))


@cache
def load_library(library: bytes) -> CFunctions:
    """Loads the library of `built_library`, which another process may have called.

    Raises:
        NoEngineError: this machine cannot load it, or computes other bits with it.
    """
    try:
        functions = CFunctions(loaded(library, "xortune-step"))
    except (OSError, AttributeError) as error:
        raise NoEngineError(f"the compiled step cannot be loaded: {error}") from None
    if _fingerprint(functions) != (_TRAINED, _MEASURED):
        raise NoEngineError("the compiled step does not round as it should on this machine")
    return functions


def _fingerprint(c: CFunctions) -> tuple[str, str]:
    """Digests of 64 lanes of every kind, drawn and trained for up to 300 epochs, and measured."""
    places = range(_LANES)
    seeds = array("I", [(i * 2_654_435_761) % 2**32 for i in places])
    weights = array("f", bytes(4 * 9 * _LANES))
    lr = array("f", [2.0 ** (i % 11 - 6) for i in places])
    slope = array("f", [(0.5, 2.5e11, 0.0)[i % 3] for i in places])
    offset = array("f", [(0.0, 0.0, 0.25)[i % 3] for i in places])
    epochs = array("i", [300 - i for i in places])
    y = array("f", [0, 1, 0, 1])
    c.draw(_address(seeds), -1.5, 1.5, _address(weights), _LANES)
    arrays: tuple[array[Any], ...] = (weights, lr, slope, offset, epochs, y)
    c.train(tuple(_address(values) for values in arrays), _LANES, 0, 300)
    trained = hashlib.sha256(weights.tobytes()).hexdigest()
    for i in places:
        weights[6 * _LANES + i] += (i % 9 - 4) * 20.0  # the output's bias: outputs near 0 and 1
    loss = array("i", [i % 3 for i in places])
    measured = array("f", bytes(4 * 4 * _LANES))
    arrays = (weights, loss, y, measured)
    c.measure(tuple(_address(values) for values in arrays), _LANES, _LANES)
    return trained, hashlib.sha256(measured.tobytes()).hexdigest()


def _address(values: array[Any]) -> int:
    return values.buffer_info()[0]
