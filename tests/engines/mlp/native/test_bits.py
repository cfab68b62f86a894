"""The C code computes the same bits with any compiler, and with any vectors."""

import ctypes
import shutil
import subprocess

import pytest

from tests.tables import TARGETS, make_rows, make_trial
from xortune.engines.loading import loaded
from xortune.engines.mlp import checked
from xortune.engines.mlp.block import Block
from xortune.engines.mlp.checked import fingerprint, load_library
from xortune.engines.mlp.native.build import built_library, sources
from xortune.engines.mlp.native.library import LANES, CFunctions
from xortune.errors import NoEngineError
from xortune.problems.table.rows import Fold

# Changes after which the code computes something else, if only in the last bit.
CHANGES = [
    ("functions.h", "all(2.0013f)", "all(2.0012f)"),
    ("functions.h", "1.6666665459e-1f", "1.6666667e-1f"),
    ("functions.h", "3.749978116e-01f", "3.75e-01f"),
    ("activations.h", "-3.33332819422e-1f", "-3.3333334e-1f"),
    ("activations.h", "0.398942280f", "0.39894f"),
    ("optimizers.h", "0.999f, 0.999f}", "0.999f, 0.9991f}"),
    ("optimizers.h", "0.01 : 0.1", "0.1 : 0.1"),
    ("losses.h", "size - 0.5f", "size - 0.6f"),
    ("activations.h", "x ^= x >> 15", "x ^= x >> 14"),
    ("doubles.h", "1.0 / 120", "1.0 / 121"),
    ("drawing.h", "0x1.279a74590331cp-1", "0x1.279a8p-1"),
    ("measuring.h", "LANES + at + half * HALF, size)", "LANES + at + half * HALF, size * size)"),
    ("measuring.h", "outputs[0] > 0.0f", "outputs[0] > 0.1f"),
    ("measuring.h", "z > top) |", "z < top) |"),
    ("ranks.h", "? ~bits", "? bits"),
    (
        "products.h",
        "fma_(factor, factors[n], sums[m * broad + n])",
        "factor * factors[n] + sums[m * broad + n]",
    ),
    ("training.h", "keep(p->mask, slopes[c] * share)", "keep(p->mask, slopes[c])"),
    ("training.h", "choose(ends, number.first, first[at])", "number.first"),
    ("training.h", "keep(~p->batches.begins, p->gradient[i])", "p->gradient[i]"),
    ("batches.h", "portion / each)", "portion)"),
]


def compiled(folder, by: str, *flags: str) -> ctypes.CDLL:
    made, target = sources(), folder / "mlp.so"
    files = [str(folder / file.name) for file in made.files]
    for file in (*made.files, *made.headers):
        if not (folder / file.name).exists():
            shutil.copy(file, folder)
    command = [by, *made.flags, *flags, *files, "-o", str(target), "-lm"]
    subprocess.run(command, check=True, capture_output=True)
    return ctypes.CDLL(str(target))


@pytest.mark.parametrize("vector", [8, 16])
def test_narrow_and_wide_vectors_give_the_same_bits(functions, vector):
    if functions.vector < vector:
        pytest.skip("this processor has no such vectors")
    chosen = CFunctions(loaded(built_library(), "other"), vector)
    assert fingerprint(chosen) == checked._RIGHT


@pytest.mark.parametrize("vector", [8, 16])
def test_batches_that_go_on_in_another_call_have_the_same_bits(functions, monkeypatch, vector):
    if functions.vector < vector:
        pytest.skip("this processor has no such vectors")
    chosen = CFunctions(loaded(built_library(), "other"), vector)
    rows = make_rows("regression", 100)
    fold = Fold(rows, rows, TARGETS["regression"])
    trials = [dict(make_trial(batch_size=64 + 1000 * (i % 2), seed=i)) for i in range(LANES)]

    def losses() -> list[float]:
        block = Block(trials, fold, "mse", chosen)
        block.begin(range(LANES))
        return block.advance(1, lambda: None).ravel().tolist()

    expected = losses()
    monkeypatch.setattr("xortune.engines.mlp.block._BEAT", 1)
    assert losses() == expected


@pytest.mark.parametrize(
    ("compiler", "flags"),
    [
        ("clang", ()),
        pytest.param("clang", ("-O1",), marks=pytest.mark.long),
        pytest.param("gcc", (), marks=pytest.mark.long),
        pytest.param("gcc", ("-O1",), marks=pytest.mark.long),
    ],
)
def test_any_compiler_gives_the_same_bits(tmp_path, compiler, flags):
    if shutil.which(compiler) is None:
        pytest.skip(f"there is no {compiler}")
    library = compiled(tmp_path, compiler, *flags)
    assert fingerprint(CFunctions(library)) == checked._RIGHT


@pytest.mark.long
@pytest.mark.parametrize(("name", "right", "wrong"), CHANGES)
def test_any_other_computation_is_noticed(tmp_path, name, right, wrong):
    source = sources().files[0].parent / name
    text = source.read_text()
    assert right in text
    (tmp_path / name).write_text(text.replace(right, wrong, 1))
    library = compiled(tmp_path, "cc", "-O1")
    assert fingerprint(CFunctions(library)) != checked._RIGHT


def test_a_library_that_computes_other_bits_is_refused(monkeypatch):
    monkeypatch.setattr(checked, "fingerprint", lambda functions: "other")
    with pytest.raises(NoEngineError, match="does not round as it should"):
        load_library.__wrapped__(built_library())


def test_what_is_no_library_is_refused():
    with pytest.raises(NoEngineError, match="cannot be loaded"):
        load_library(b"not a library")
