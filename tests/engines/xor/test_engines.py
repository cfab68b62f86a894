"""The engines as the driver makes them, and as workers open them."""

import ctypes
import pickle
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from tests.engines.xor.native.compiling import CHANGES
from tests.engines.xor.packs import train_pack
from xortune.engines.engine import Pace, reference_digest
from xortune.engines.xor.engines import CompiledEngine
from xortune.engines.xor.names import NAMES
from xortune.engines.xor.native import CFunctions
from xortune.engines.xor.native.block import CompiledKernels
from xortune.engines.xor.pack import PackTrainer
from xortune.errors import NoEngineError, UsageError
from xortune.problems.xor.spec import LOSS_FNS, SPEC

# Opens what was pickled into stdin, and prints its digest and whether PyTorch was imported.
ELSEWHERE = """
import pickle, sys
from xortune.engines.engine import reference_digest

engine = pickle.load(sys.stdin.buffer)
before = {"torch", "numpy"} & {*sys.modules}
print(reference_digest(engine, engine.open("cpu")), before or "{}", "torch" in sys.modules)
"""


def digest(engine) -> str:
    return reference_digest(engine, engine.open("cpu"))


def test_the_recorded_names(eager, compiled):
    assert (eager().name, compiled().name) == NAMES == ("eager-1", "compiled-2")


def test_the_pace_of_each_engine_on_each_device(eager, compiled):
    assert eager().pace("cpu") == Pace(2e7, 256, 1e-4, largest=4096)
    assert compiled().pace("cpu") == Pace(1e8, 32, 1e-4, largest=4096)
    assert eager().pace("cuda") == Pace(2e7, 256, 1e-4, largest=131_072, worth_lanes=16_384)
    assert compiled().pace("cuda") == Pace(1e8, 32, 1e-4, largest=131_072, worth_lanes=16_384)


def test_the_version_of_pytorch_counts_wherever_pytorch_trains(eager, compiled):
    assert [eager().libraries(device) for device in ("cpu", "cuda")] == [("torch",)] * 2
    assert [compiled().libraries(device) for device in ("cpu", "cuda")] == [(), ("torch",)]


def test_the_probe_and_the_reference_pack_are_trials_of_xor(engine):
    assert engine().probe["epochs"] == 1
    assert (engine().bits, engine().generation) == ("lane", 10)
    for trial in (engine().probe, *engine().reference):
        assert all(SPEC.parameter(name).takes(value) for name, value in trial.items())


def test_the_reference_pack_has_every_kind_of_trial(engine):
    pack = engine().reference
    assert len({*pack}) == 16
    assert {trial["loss_fn"] for trial in pack} == {*LOSS_FNS}
    assert len({trial["lr"] for trial in pack}) > 3
    assert max(trial["epochs"] for trial in pack) == 60
    assert {outcome.state for outcome in train_pack(engine(), pack)} == {"COMPLETE"}


def test_every_way_of_opening_an_engine_gives_the_same_digest(engine):
    expected = digest(engine())
    assert digest(engine()) == digest(pickle.loads(pickle.dumps(engine()))) == expected
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert digest(engine()) == expected
    finally:
        torch.set_num_threads(threads)


def test_another_process_imports_only_what_is_needed_and_computes_the_same(engine):
    command = [sys.executable, "-c", ELSEWHERE]
    done = subprocess.run(command, input=pickle.dumps(engine()), capture_output=True, check=True)
    there, before, torch_is_needed = done.stdout.decode().split()
    assert there == digest(engine())
    assert before == "{}"
    assert torch_is_needed == str("torch" in engine().libraries("cpu"))


def test_engines_and_data_have_digests_of_their_own(eager, compiled):
    engines = [make(data) for make in (eager, compiled) for data in ("xor", "lab")]
    assert len({*map(digest, engines)}) == 4


def flipped(content: bytes) -> bytes:
    return bytes([content[0] ^ 1]) + content[1:]


class Changed:
    """A trainer one of whose outcomes is changed."""

    def __init__(self, outcomes, change):
        self._outcomes = [*outcomes]
        self._outcomes[7] = change(outcomes[7])

    def train(self, params, log_every):
        return self._outcomes


@pytest.mark.parametrize(
    "change",
    [
        lambda o: replace(o, weights=o.weights._replace(content=flipped(o.weights.content))),
        lambda o: replace(o, scores=SPEC.scores((*o.scores.row[:3], o.scores.row[3] + 2**-24))),
        lambda o: replace(
            o, curve=replace(o.curve, series={**o.curve.series, "validation": (0.25,)})
        ),
        lambda o: replace(o, curve=replace(o.curve, epochs=(*o.curve.epochs[:-1], 61))),
        lambda o: replace(o, state="FAIL"),
    ],
    ids=["weights", "score", "losses", "epochs", "state"],
)
def test_one_bit_makes_another_digest(engine, change):
    outcomes = train_pack(engine(), engine().reference, 1)
    assert reference_digest(engine(), Changed(outcomes, lambda o: o)) == digest(engine())
    assert reference_digest(engine(), Changed(outcomes, change)) != digest(engine())


@pytest.mark.parametrize("changed", [old for old, _ in CHANGES])
def test_c_that_rounds_differently_has_another_digest(compiled, changed_libraries, changed):
    """Past the check of what was loaded, which refuses such a library."""
    functions = CFunctions(ctypes.CDLL(str(changed_libraries[changed])))
    trainer = PackTrainer(CompiledKernels("xor", functions, 4096))
    assert reference_digest(compiled(), trainer) != digest(compiled())


def test_a_library_that_this_machine_cannot_load_is_refused():
    with pytest.raises(NoEngineError, match="cannot be loaded"):
        CompiledEngine("xor", b"not a library").open("cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused_when_an_engine_is_opened(engine):
    with pytest.raises(UsageError, match="Use device='cpu'"):
        engine().open("cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_on_a_gpu_the_compiled_engine_trains_as_the_eager_one(eager, compiled):
    one, two = (reference_digest(make(), make().open("cuda")) for make in (eager, compiled))
    assert one == two
