"""The same bits from every compiler, at every level, and for every set of instructions."""

import ctypes
import hashlib
import math
import random
import shutil
from array import array
from types import SimpleNamespace

import pytest

from tests.engines.xor.native.compiling import CHANGES
from tests.engines.xor.packs import bits
from tests.make import lanes, make_params
from xortune.engines.xor.native import CFunctions, build, built_library, load_library
from xortune.engines.xor.native.block import CompiledKernels
from xortune.engines.xor.pack import PackTrainer
from xortune.problems.xor.spec import LOSS_FNS

LANES, EPOCHS = 384, 150
EXPOSE = """
#include "step.c"

int is_there_anywhere(void) { return 1; }
void train_by_anywhere(const Pack *pack) { train_anywhere(pack); }
void measure_by_anywhere(const Measurement *m) { measure_anywhere(m); }
#if defined(__x86_64__)
int is_there_avx2(void) { return has_avx2(); }
void train_by_avx2(const Pack *pack) { train_avx2(pack); }
void measure_by_avx2(const Measurement *m) { measure_avx2(m); }
int is_there_avx512(void) { return has_avx512(); }
void train_by_avx512(const Pack *pack) { train_avx512(pack); }
void measure_by_avx512(const Measurement *m) { measure_avx512(m); }
#endif
"""


def trained(functions: CFunctions, targets: list[int]) -> list[str]:
    """The bits of every lane's weights; those that are not all finite are alike.

    Each third of the lanes has its own scale of weights: as they are initialised, large enough
    to saturate, and so large that everything overflows.
    """
    draw = random.Random(1)
    scales = (1.0, 60.0, 3e38)
    kinds = [(0.5, 0.0), (2.5e11, 0.0), (0.0, 0.25)]
    chosen = [draw.choice(kinds) for _ in range(LANES)]
    weights = array(
        "f", [draw.uniform(-1, 1) * scales[i % 3] for _ in range(9) for i in range(LANES)]
    )
    arrays = (
        weights,
        array("f", [10 ** draw.uniform(-2, 2) if i % 7 else 3e38 for i in range(LANES)]),
        array("f", [slope for slope, _ in chosen]),
        array("f", [offset for _, offset in chosen]),
        array("i", [draw.randint(0, EPOCHS) for _ in range(LANES)]),
        array("f", targets),
    )
    addresses = tuple(values.buffer_info()[0] for values in arrays)
    for begin, end in ((0, 1), (1, 70), (70, EPOCHS)):
        functions.train(addresses, LANES, begin, end)
    lanes = [weights[i::LANES] for i in range(LANES)]
    return [lane.tobytes().hex() if all(map(math.isfinite, lane)) else "lost" for lane in lanes]


def measured(functions: CFunctions, targets: list[int]) -> bytes:
    """All that is measured of lanes of every scale, of which some are lost."""
    draw = random.Random(2)
    scales = (1.0, 10.0, 60.0, 1e4, 3e38, 1e-42)
    weights = array(
        "f", [draw.uniform(-1, 1) * scales[i % 6] for _ in range(9) for i in range(LANES)]
    )
    for place, value in enumerate((math.nan, math.inf, -math.inf, -0.0, 3.4028234e38)):
        weights[place * LANES + 37 * place] = value
    loss = array("i", [draw.randrange(3) for _ in range(LANES)])
    results = array("f", [7.0] * 4 * LANES)
    arrays = (weights, loss, array("f", targets), results)
    functions.measure(tuple(values.buffer_info()[0] for values in arrays), LANES, LANES)
    return results.tobytes()


def diverging(functions: CFunctions) -> list[str]:
    """Outcomes of trials of which many fail, with their curves."""
    params = [make_params(3e38, 1 + seed % 50, seed, LOSS_FNS[seed % 3]) for seed in range(300)]
    trainer = PackTrainer(CompiledKernels("xor", functions, 4096))
    return [bits(outcome) for outcome in trainer.train(lanes(params), log_every=1)]


@pytest.fixture(scope="module")
def functions():
    return load_library(built_library())


@pytest.fixture(scope="module", params=[[0, 1, 0, 1], [0, 1, 1, 0]], ids=["xor", "lab"])
def targets(request):
    return request.param


@pytest.fixture(scope="module")
def expected(real, functions, targets) -> list[str]:
    return trained(functions, targets)


@pytest.fixture(scope="module", params=["-O0", "-O1", "-O3"])
def level(request):
    return request.param


@pytest.fixture(scope="module", params=["gcc", "clang"])
def exposed(request, level, compiled, tmp_path_factory) -> ctypes.CDLL:
    """A library that shows its functions for each set of instructions."""
    if shutil.which(request.param) is None:
        pytest.skip(f"there is no {request.param}")
    source = tmp_path_factory.mktemp("exposed") / "expose.c"
    source.write_text(EXPOSE)
    folder = f"-I{build._SOURCE.parent}"
    return ctypes.CDLL(str(compiled(source, level, folder, by=request.param)))


@pytest.fixture(scope="module", params=["anywhere", "avx2", "avx512"])
def variant(request, exposed) -> CFunctions:
    """The functions for one set of instructions."""
    name = request.param
    if not hasattr(exposed, f"is_there_{name}") or not getattr(exposed, f"is_there_{name}")():
        pytest.skip(f"this processor has no {name}")
    functions = {
        "xortune_train": getattr(exposed, f"train_by_{name}"),
        "xortune_measure": getattr(exposed, f"measure_by_{name}"),
        "xortune_draw": exposed.xortune_draw,
    }
    return CFunctions(SimpleNamespace(**functions))


def test_lanes_of_every_kind_are_compared(functions, expected):
    untrained = trained(SimpleNamespace(train=lambda *_: None), [0, 1, 0, 1])
    assert 1 <= expected.count("lost") < LANES / 4
    assert sum(one != two for one, two in zip(expected, untrained)) > LANES / 2
    failed = ["FAIL" in outcome for outcome in diverging(functions)]
    assert 20 < sum(failed) < 280


def test_the_same_bits(variant, expected, targets):
    assert trained(variant, targets) == expected


def test_the_same_bits_are_measured(variant, functions, targets):
    assert measured(variant, targets) == measured(functions, targets)


def test_the_same_trials_fail_at_the_same_epoch(variant, functions):
    assert diverging(variant) == diverging(functions)


# Loads libraries one after the other.
LOAD = """
import sys
from pathlib import Path
from xortune.errors import NoEngineError
from xortune.engines.xor.native import load_library

for name in sys.argv[1:]:
    try:
        load_library(Path(name).read_bytes())
        print("taken")
    except NoEngineError as error:
        print(error)
"""
REFUSED = "the compiled step does not round as it should on this machine"


def test_every_other_computation_is_refused_and_the_right_one_taken_after_it(
    changed_libraries, compiled, python
):
    done = python(LOAD, *changed_libraries.values(), compiled(build._SOURCE))
    assert (done.code, done.err) == (0, "")
    *said, last = done.out.splitlines()
    refused = [changed for changed, line in zip(changed_libraries, said) if line == REFUSED]
    assert refused == [changed for changed, _ in CHANGES]
    assert last == "taken"


@pytest.mark.parametrize(
    "flags", [["-ffast-math"], ["-ffp-contract=fast", "-march=native"]], ids=str
)
def test_flags_that_change_a_result_are_refused(compiled, python, flags):
    assert python(LOAD, compiled(build._SOURCE, *flags)) == (0, REFUSED, "")


def test_the_library_that_is_built_does_not_depend_on_where(compiled):
    """Else the workers of two machines would be given different ones."""
    one, two = (hashlib.sha256(compiled(build._SOURCE).read_bytes()).digest() for _ in "12")
    assert one == two
