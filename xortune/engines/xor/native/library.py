"""step.c as functions that Python can call."""

from __future__ import annotations

import ctypes
import hashlib
import os
import sys
import tempfile
from array import array
from functools import cache
from pathlib import Path
from typing import Any

from xortune.errors import NoEngineError

# A block of step.c: arrays of lanes have a multiple of it.
WIDTH = 32

# What `_fingerprint` gives when every operation is rounded as IEEE 754 says.
_TRAINED = "b53f7cf85e73d13c4352fb04078fa9d91df5ef9c5c8c00439273208364653c63"
_MEASURED = "d980b46801b6fda4195618ab6f7b5623fbf6766e8b704f8e5e0d9a3f8e316d67"
_LANES = 64


class _Pack(ctypes.Structure):
    """`Pack` of step.c."""

    _fields_ = (
        ("weights", ctypes.c_void_p),
        ("lr", ctypes.c_void_p),
        ("slope", ctypes.c_void_p),
        ("offset", ctypes.c_void_p),
        ("epochs", ctypes.c_void_p),
        ("y", ctypes.c_void_p),
        ("lanes", ctypes.c_int64),
        ("begin", ctypes.c_int32),
        ("end", ctypes.c_int32),
    )


class _Measurement(ctypes.Structure):
    """`Measurement` of step.c."""

    _fields_ = (
        ("weights", ctypes.c_void_p),
        ("loss", ctypes.c_void_p),
        ("y", ctypes.c_void_p),
        ("results", ctypes.c_void_p),
        ("stride", ctypes.c_int64),
        ("lanes", ctypes.c_int64),
    )


class CFunctions:
    """The functions of step.c. They release the GIL.

    Args:
        library: step.c, loaded.
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
        """What `torch.empty(9).uniform_(low, high)` draws after each `manual_seed(seed)`.

        Args:
            seeds: the address of the seeds, `(L,)`, uint32.
            low: the lower bound.
            high: the upper bound.
            draws: the address of the draws, `(9, L)`, float32.
            lanes: `L`, a multiple of `WIDTH`.
        """
        self._draw(seeds, low, high, draws, lanes)

    def train(self, addresses: tuple[int, ...], lanes: int, begin: int, end: int) -> None:
        """Takes lanes from `begin` epochs to `end`, or to their own last one.

        Args:
            addresses: of contiguous arrays: weights `(9, L)`, lr, slope, offset `(L,)`, and
                the targets y `(4,)`, all float32, with the epochs `(L,)`, int32, before y.
            lanes: `L`, a multiple of `WIDTH`.
            begin: epochs that the lanes have had.
            end: epochs that they have afterwards.
        """
        self._train(ctypes.byref(_Pack(*addresses, lanes, begin, end)))

    def measure(self, addresses: tuple[int, ...], stride: int, lanes: int) -> None:
        """Measures lanes: NaN for those that have a weight which is not finite.

        Args:
            addresses: of contiguous arrays: weights `(9, L)`, float32, the place of each
                lane's loss function in `LOSS_FNS`, `(L,)`, int32, the targets y `(4,)`, and
                what is written: own loss, mean squared error, cross-entropy and accuracy,
                `(4, L)`, float32.
            stride: `L`, a multiple of `WIDTH`.
            lanes: how many of the first lanes, likewise.
        """
        self._measure(ctypes.byref(_Measurement(*addresses, stride, lanes)))


@cache
def load_library(library: bytes) -> CFunctions:
    """Loads what `built_library` returned, in this process or in another one.

    Raises:
        NoEngineError: this machine cannot load it, or it does not compute what it should.
    """
    try:
        functions = CFunctions(_loaded(library))
    except (OSError, AttributeError) as error:
        raise NoEngineError(f"the compiled step cannot be loaded: {error}") from None
    if _fingerprint(functions) != (_TRAINED, _MEASURED):
        raise NoEngineError("the compiled step does not round as it should on this machine")
    return functions


def _loaded(library: bytes) -> ctypes.CDLL:
    """From a file that no other process can have written, and that is gone afterwards."""
    if sys.platform == "linux":
        # Left open: a second library under the same name would be taken for the first.
        handle = os.memfd_create("xortune-step")
        with os.fdopen(handle, "wb", closefd=False) as file:
            file.write(library)
        return ctypes.CDLL(f"/proc/self/fd/{handle}")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder, "step.so")
        path.write_bytes(library)
        return ctypes.CDLL(str(path))


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
