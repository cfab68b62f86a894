"""The expected speed of modules: a function of their sizes."""

from dataclasses import replace

import pytest

from tests.modules import PERCEPTRON, SIZE
from xortune.engines.module_size import ModuleSize
from xortune.engines.plain.module_engine import PlainModuleEngine
from xortune.engines.stacked.engine import StackedEngine
from xortune.engines.stacked.padding import Padding
from xortune.loop.packing import patience
from xortune.trial import Pack, Trial

ROWS = {"rows": 256, "validation_rows": 128}
# Milliseconds of an epoch on one core, once measured: alone, and of each lane in a pack of 64.
MEASURED = {
    "8-32-32-1": (ModuleSize(7360, 47, weights=1377, **ROWS), 3.7, 0.47),
    "8-128-128-1": (ModuleSize(103168, 47, weights=17793, **ROWS), 6.2, 1.87),
    "convolution of 8 x 8": (ModuleSize(23328, 33, weights=595, convolves=True, **ROWS), 8.7, 2.83),
    "convolutions of 28 x 28": (
        ModuleSize(458640, 43, weights=1515, convolves=True, **ROWS), 38.5, 29.3,
    ),
    "GRU of 16, 10 steps": (ModuleSize(48480, 499, weights=977, **ROWS), 21.0, 3.14),
    "GRU of 32, 20 steps": (ModuleSize(378048, 959, weights=3489, **ROWS), 28.9, 11.0),
}  # fmt: skip


@pytest.mark.parametrize("network", MEASURED)
def test_estimates_are_within_a_factor_of_two_of_what_was_measured(network):
    size, alone, beside = MEASURED[network]
    plain = PlainModuleEngine(PERCEPTRON, PERCEPTRON.spec, size).pace("cpu")
    stacked = StackedEngine(PERCEPTRON, PERCEPTRON.spec, size, Padding()).pace("cpu")
    assert alone / 2 < 1000 / plain.cost_per_s < alone * 2
    pack_of_64 = 1000 / stacked.cost_per_s * max(64, stacked.least_lanes) / 64
    assert beside / 2 < pack_of_64 < beside * 2


def test_a_worker_that_compiles_has_longer_before_it_counts_as_hung():
    stacked = PERCEPTRON.stacked(Padding())
    compiled = stacked.as_compiled(Padding())
    trial = Trial(0, 0, PERCEPTRON.trial())
    pack = Pack(0, (trial,))
    limits = [patience(pack, lambda _: 3.0, engine.pace("cpu")) for engine in (stacked, compiled)]
    assert limits[1] > limits[0] + 500


@pytest.mark.parametrize("batch", [1, 32, 1000])
def test_the_bound_for_hung_workers_holds_for_every_batch(batch):
    engine = PERCEPTRON.stacked(Padding())
    pace, size = engine.pace("cpu"), replace(SIZE)
    steps, flops = size.epoch(batch)
    costs = size.stack_costs
    alone = steps * size.calls * (costs.call + costs.lane_call) + flops * costs.flop
    assert pace.slowest_s >= alone
