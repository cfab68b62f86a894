"""The C code as functions that Python can call."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Of block.h.
LANES = 16
CHUNK = 32
WORDS = 625

_POINTERS = {
    "x": np.float32,
    "y": np.float32,
    "table": np.float32,
    "order": np.int32,
    "mask": np.int32,
    "width": np.int32,
    "depth": np.int32,
    "activation": np.int32,
    "optimizer": np.int32,
    "loss": np.int32,
    "schedule": np.int32,
    "epoch": np.int32,
    "epochs": np.int32,
    "portions": np.int32,
    "seed": np.uint32,
    "least": np.uint32,
    "kept": np.float32,
    "lr": np.float64,
    "decay": np.float64,
    "weights": np.float32,
    "first": np.float32,
    "second": np.float32,
    "totals": np.float64,
    "losses": np.float64,
    "memory": np.uint8,
}
_COUNTS = ("rows", "batch", "begin", "end")
_SIZES = ("inputs", "outputs_count", "widest", "deepest", "task", "dropout", "lanes", "stride")

_OF_RUN = (
    "words",
    "order",
    "best_weights",
    "epoch",
    "best_epoch",
    "patience",
    "best",
    "losses",
)
_OF_SCORES = ("errors", "hits", "outputs", "larger", "keys")


class Call(ctypes.Structure):
    """`Block` of block.h."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in _POINTERS),
        *((name, ctypes.c_int64) for name in _COUNTS),
        *((name, ctypes.c_int32) for name in _SIZES),
    )

    def point(self, arrays: Mapping[str, NDArray[Any] | None]) -> None:
        """Sets the addresses of arrays, which the caller keeps alive."""
        for name, array in arrays.items():
            if array is None:
                setattr(self, name, None)
                continue
            assert array.dtype == _POINTERS[name], name
            assert array.flags.c_contiguous, name
            setattr(self, name, address(array))


class Sums(ctypes.Structure):
    """`Scores` of block.h."""

    _fields_ = tuple((name, ctypes.c_void_p) for name in _OF_SCORES)


class Run(ctypes.Structure):
    """`Run` of mlp.c."""

    _fields_ = (
        *((name, ctypes.POINTER(Call)) for name in ("training", "final")),
        *((name, ctypes.c_void_p) for name in _OF_RUN),
        *((name, ctypes.c_int64) for name in ("numbers", "portions")),
    )


class CFunctions:
    """The functions of mlp.c, which release the GIL.

    Args:
        library: the loaded one.
        vector: the lanes of its vectors; None for the widest of this processor. No bit depends
            on it.
    """

    def __init__(self, library: ctypes.CDLL, vector: int | None = None) -> None:
        pointer, long, unsigned = ctypes.c_void_p, ctypes.c_int64, ctypes.c_uint32
        library.xortune_vector.restype = ctypes.c_int32
        self.vector = vector or library.xortune_vector()
        kinds = {
            "train": (ctypes.POINTER(Call), ctypes.c_int32),
            "measure": (ctypes.POINTER(Call), ctypes.POINTER(Sums), ctypes.c_int32),
            "rank": (ctypes.POINTER(Call), ctypes.POINTER(Sums)),
            "variance": (pointer, long),
            "begin": (ctypes.POINTER(Run), pointer),
            "judge": (ctypes.POINTER(Run), pointer, pointer),
            "epochs": (ctypes.POINTER(Run), long, ctypes.c_int32),
            "seed": (pointer, ctypes.c_int32, ctypes.c_int32, unsigned, long, long),
            "permute": (pointer, ctypes.c_int32, pointer, long, ctypes.c_int32),
        }
        results = {"judge": ctypes.c_int32, "epochs": long, "variance": ctypes.c_double}
        self._functions = {}
        for name, kind in kinds.items():
            function = getattr(library, f"xortune_{name}")
            function.argtypes, function.restype = kind, results.get(name)
            self._functions[name] = function

    def train(self, call: Call) -> None:
        """Trains the portions from `begin` to `end` of an epoch; adds their losses."""
        self._functions["train"](ctypes.byref(call), self.vector)

    def measure(self, call: Call, sums: Sums | None = None) -> None:
        """Measures the rows from `begin` to `end`; adds their losses, and what scores need."""
        self._functions["measure"](ctypes.byref(call), sums and ctypes.byref(sums), self.vector)

    def rank(self, call: Call, sums: Sums) -> None:
        """Counts the pairs of rows that `auc` is made of, once all rows are measured."""
        self._functions["rank"](ctypes.byref(call), ctypes.byref(sums))

    def variance(self, y: NDArray[np.float32]) -> float:
        """The variance of some targets; 0 without any."""
        return float(self._functions["variance"](address(y), len(y)))

    def begin(self, run: Run, mask: NDArray[np.int32]) -> None:
        """Begins the lanes of a mask: their initial weights, and the generators of orders."""
        self._functions["begin"](ctypes.byref(run), address(mask))

    def seed(self, words: NDArray[np.uint32], lane: int, seed: int, rows: int, orders: int) -> None:
        """Sets a lane's generator, of `(WORDS, lanes)`, to that after so many orders of rows."""
        which = address(words), words.shape[1], lane
        self._functions["seed"](*which, seed & 0xFFFFFFFF, rows, orders)

    def permute(self, words: NDArray[np.uint32], order: NDArray[np.int32]) -> None:
        """Draws the next order of rows, `(rows, lanes)`, for all lanes."""
        which = address(words), order.shape[1]
        self._functions["permute"](*which, address(order), len(order), self.vector)

    def judge(
        self, run: Run, training: NDArray[np.float64], validation: NDArray[np.float64]
    ) -> None:
        """Counts an epoch from its sums of losses, `(LANES,)`, which become means."""
        self._functions["judge"](ctypes.byref(run), address(training), address(validation))

    def epochs(self, run: Run, count: int) -> int:
        """Trains up to `count` epochs, to the first in which a lane ends; returns how many."""
        return int(self._functions["epochs"](ctypes.byref(run), count, self.vector))


def address(array: NDArray[Any]) -> int:
    """Where an array begins."""
    return int(array.__array_interface__["data"][0])  # `array.ctypes.data` takes twice as long
