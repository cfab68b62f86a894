"""Lanes that rest beside lanes that train: harmless to compute, and left as they are."""

import ctypes
import math
import platform
import shutil
import struct
from array import array
from dataclasses import dataclass

import pytest

from xortune.engines.xor.native import build

LANES, EPOCHS = 64, 40
# Invalid, denormal, divide by zero, overflow, underflow: what processors may take long over.
SLOW_FLAGS = 0b11111
FLAGGED = """
#include "step.c"

static unsigned flagged(void (*train)(const Pack *), const Pack *pack)
{
    __builtin_ia32_ldmxcsr(0x1f80);
    train(pack);
    return __builtin_ia32_stmxcsr() & 63;
}

int is_there_anywhere(void) { return 1; }
int is_there_avx2(void) { return has_avx2(); }
int is_there_avx512(void) { return has_avx512(); }
unsigned anywhere(const Pack *pack) { return flagged(train_anywhere, pack); }
unsigned avx2(const Pack *pack) { return flagged(train_avx2, pack); }
unsigned avx512(const Pack *pack) { return flagged(train_avx512, pack); }
"""
# As a lane may look when it ends: diverged, or so small that its numbers are subnormal.
LEFTOVERS = {
    "subnormal": struct.unpack("f", struct.pack("I", 0x00000123))[0],
    "infinite": math.inf,
    "NaN": math.nan,
    "huge": 3e38,
}

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="flags of x86")


@dataclass
class Trained:
    flags: int
    before: list[bytes]
    after: list[bytes]


@pytest.fixture(scope="module", params=["gcc", "clang"])
def library(request, compiled, tmp_path_factory) -> ctypes.CDLL:
    if shutil.which(request.param) is None:
        pytest.skip(f"there is no {request.param}")
    source = tmp_path_factory.mktemp("flagged") / "flagged.c"
    source.write_text(FLAGGED)
    return ctypes.CDLL(str(compiled(source, f"-I{build._SOURCE.parent}", by=request.param)))


@pytest.fixture(scope="module", params=["anywhere", "avx2", "avx512"])
def train(request, library):
    """Trains lanes; some, by default those whose epochs are over, begin with the leftover."""
    if not getattr(library, f"is_there_{request.param}")():
        pytest.skip(f"this processor has no {request.param}")

    def train(epochs: list[int], leftover: float, begin: int = 0, left=None) -> Trained:
        class Pack(ctypes.Structure):
            _fields_ = [
                *((name, ctypes.c_void_p) for name in ("w", "lr", "slope", "offset", "n", "y")),
                ("lanes", ctypes.c_int64),
                ("begin", ctypes.c_int32),
                ("end", ctypes.c_int32),
            ]

        resting = [n <= begin for n in epochs] if left is None else [left] * LANES
        weights = array(
            "f",
            [
                leftover if resting[i] else 0.6 * math.sin(9 * i + k)
                for k in range(9)
                for i in range(LANES)
            ],
        )
        arrays = (
            weights,
            array("f", [leftover if rests else 0.5 for rests in resting]),
            array("f", [0.5] * LANES),
            array("f", [0.0] * LANES),
            array("i", epochs),
            array("f", [0, 1, 0, 1]),
        )
        before = [weights[i::LANES].tobytes() for i in range(LANES)]
        addresses = (values.buffer_info()[0] for values in arrays)
        pack = Pack(*addresses, LANES, begin, EPOCHS)
        flags = getattr(library, request.param)(ctypes.byref(pack))
        return Trained(flags, before, [weights[i::LANES].tobytes() for i in range(LANES)])

    return train


def only(*training: int) -> list[int]:
    return [EPOCHS if i in training else 0 for i in range(LANES)]


@pytest.mark.parametrize("leftover", LEFTOVERS.values(), ids=LEFTOVERS)
@pytest.mark.parametrize(
    "training", [(0,), (31,), (40,), range(8), range(15), range(17), range(33)], ids=str
)
def test_resting_lanes_compute_nothing_slow_and_stay_as_they_are(train, training, leftover):
    trained = train(only(*training), leftover)
    assert trained.flags & SLOW_FLAGS == 0
    for i in range(LANES):
        assert (trained.after[i] == trained.before[i]) == (i not in training), i


def test_lanes_that_end_one_after_the_other_compute_nothing_slow(train):
    trained = train([max(1, EPOCHS - i) for i in range(LANES)], 0.0)
    assert trained.flags & SLOW_FLAGS == 0
    assert len(set(trained.after)) == LANES


def test_the_flags_tell_of_lanes_that_train_on_subnormal_numbers(train):
    """Else the tests above would see nothing."""
    every = list(range(LANES))
    assert train(only(*every), LEFTOVERS["subnormal"], left=True).flags & SLOW_FLAGS
    assert train(only(*every), LEFTOVERS["subnormal"], left=False).flags & SLOW_FLAGS == 0


def test_a_lane_that_ended_in_an_earlier_call_rests(train):
    """A lane that was trained to its end before is at rest, whatever trains beside it."""
    trained = train([EPOCHS] + [20] * (LANES - 1), LEFTOVERS["subnormal"], begin=20)
    assert trained.flags & SLOW_FLAGS == 0
    assert trained.after[1:] == trained.before[1:]
    assert trained.after[0] != trained.before[0]
