"""The pace of the compiled engine, by which packs are cut and workers are awaited."""

from itertools import pairwise

from tests.tables import TARGETS, make_mlp, make_rows, make_spec, make_trial
from xortune.engines.engine import Pace
from xortune.engines.mlp.engine import MlpEngine
from xortune.engines.mlp.grouping import cost_of, kind_of
from xortune.engines.mlp.shapes import Shape, block_bytes, scratch_bytes
from xortune.problems.table.rows import Fold
from xortune.trial import Params


def pace(*typical: Params) -> Pace:
    rows = make_rows("regression", 1000), make_rows("regression", 100)
    return MlpEngine((*rows, TARGETS["regression"]), make_spec(), b"", typical=typical).pace("cpu")


def test_the_pace_is_that_of_the_default_model_unless_trials_are_given():
    default = make_trial(epochs=100, width=32, batch_size=32)
    assert pace() == pace(*[default] * 64) == pace(*[default] * 160)
    assert pace().least_lanes == 1


def test_the_pace_falls_with_the_rows_and_the_size_of_typical_models():
    paces = [make_mlp(count=count).pace("cpu") for count in (10, 1000, 100_000)]
    paces += [pace(*[make_trial(width=width)] * 64) for width in (8, 64, 512, 4096)]
    for some in (paces[:3], paces[3:]):
        for one, other in pairwise(some):
            assert one.cost_per_s > other.cost_per_s
            assert one.slowest_s < other.slowest_s
            assert one.largest >= other.largest
    assert (paces[3].largest, paces[-1].largest) == (1024, 64)


def test_a_tiny_network_alone_takes_as_long_as_several_in_a_block():
    tiny = make_trial(width=8, depth=1, batch_size=32, epochs=20)
    assert pace(*[tiny] * 64).least_lanes > 1
    sizes = [make_trial(width=8 + 8 * i, batch_size=32) for i in range(64)]
    assert pace(*sizes).least_lanes == 1
    # A batch may be a single row.
    assert pace(*sizes).slowest_s == pace(*[{**one, "batch_size": 1} for one in sizes]).slowest_s


def test_a_block_keeps_four_numbers_for_each_weight_and_works_with_a_fifth():
    shape = Shape(8, 1, 32, 2)
    # Weights, two moments and the best weights, of float32 in 16 lanes; and gradients.
    assert block_bytes(shape) == 16 * 4 * 4 * shape.numbers
    assert scratch_bytes(shape) > 16 * 4 * shape.numbers


def test_the_cost_of_a_lane_is_that_of_its_settings():
    kind = kind_of(make_trial(depth=0, dropout=0.5, batch_size=64), 0)
    assert (kind.depth, kind.dropped, kind.epochs, kind.batch) == (0, 0, 1, 64)
    rows = make_rows("classes", 50)
    cost = cost_of(Fold(rows, rows, TARGETS["classes"]))
    assert (cost.inputs, cost.outputs, cost.rows, cost.measured) == (3, 3, 50, 50)
