"""The same training in C, compiled for this machine: what the engine is measured against."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from tests.benchmarks.core import Skipped
from xortune.problems.xor.data import load_data
from xortune.problems.xor.model import seeded_model, weights_of
from xortune.trial import Params

_SOURCE = Path(__file__).with_name("stock_step.c")
_FLAGS = ("-O3", "-march=native", "-ffast-math", "-fPIC", "-c")
# The compilers are held to vectors of 256 bits unless told otherwise. With exp inlined,
# dividing outright is quicker than what -ffast-math puts in its place.
_WIDE = "-mprefer-vector-width=512"
_OWN_EXP = ("-DOWN_EXP", "-mno-recip")
_SLOPE = {"mse": 0.5, "bce": 0.25e12, "bce_with_logits": 0.0}
_OFFSET = {"mse": 0.0, "bce": 0.0, "bce_with_logits": 0.25}


class Lanes:
    """Trials as arrays, sorted by falling epochs, ready to be trained.

    Args:
        trials: what to train.
        own_exp: take the inlined exp instead of libmvec's.
    """

    def __init__(self, trials: Sequence[Params], own_exp: bool) -> None:
        self._order = sorted(range(len(trials)), key=lambda i: -trials[i]["epochs"])
        ordered = [trials[i] for i in self._order]
        y = load_data("xor").training.y.flatten().numpy()
        self._library = _compiled(own_exp)
        self._epochs = np.array([t["epochs"] for t in ordered], dtype=np.int32)
        self._lanes = [
            np.array(values, dtype=np.float32)
            for values in (
                [t["lr"] for t in ordered],
                [_SLOPE[t["loss_fn"]] for t in ordered],
                [_OFFSET[t["loss_fn"]] for t in ordered],
                y,
            )
        ]
        initial = [weights_of(seeded_model(t["seed"])) for t in ordered]
        self._initial = np.array(initial, dtype=np.float32).T.copy()
        self._weights = self._initial.copy()

    def train(self) -> None:
        """Trains all lanes from their initial weights."""
        self._weights[:] = self._initial
        arrays = [self._epochs, *self._lanes, self._weights]
        self._library.train(len(self._epochs), *[array.ctypes for array in arrays])

    def final_losses(self) -> np.ndarray:
        """The mean squared error of every trained trial, in the order they were given."""
        v00, v01, v10, v11, c0, c1, u0, u1, d = self._weights.astype(np.float64)[:, None]
        rows = load_data("xor").validation
        x0, x1 = rows.x.numpy().astype(np.float64).T[:, :, None]
        h0, h1 = _sigmoid(c0 + v00 * x0 + v01 * x1), _sigmoid(c1 + v10 * x0 + v11 * x1)
        error = _sigmoid(d + u0 * h0 + u1 * h1) - rows.y.numpy()
        losses = np.empty(len(self._order))
        losses[self._order] = np.square(error).mean(axis=0)
        return losses


def compiler() -> str:
    """The first line of what the compiler says of itself.

    Raises:
        Skipped: there is none.
    """
    command = [_compiler(), "--version"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[0]


def _compiler() -> str:
    found = shutil.which("gcc") or shutil.which("cc")
    if found is None:
        raise Skipped("no C compiler was found")
    return found


@cache
def _compiled(own_exp: bool) -> ctypes.CDLL:
    """The library, with whichever flags this compiler knows."""
    extra = _OWN_EXP if own_exp else ()
    with tempfile.TemporaryDirectory() as folder:
        built, library = str(Path(folder) / "step.o"), str(Path(folder) / "step.so")
        for flags in ((_WIDE, *extra), extra[:1]):
            error = _call(*_FLAGS, *flags, str(_SOURCE), "-o", built)
            # A library that is linked with -ffast-math sets the processor's mode when it is
            # loaded, and so for the engine, too.
            error = error or _call("-shared", built, "-o", library, "-lm")
            if not error:
                return ctypes.CDLL(library)
    raise Skipped(f"the C compiler failed: {error}")


def _call(*arguments: str) -> str:
    """Calls the compiler; what it complained about, empty when it did not fail."""
    command = [_compiler(), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else ""


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))
