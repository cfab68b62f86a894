import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.engines.xor.packs import whole
from tests.make import make_params
from xortune.engines.xor.eager.lanes import ALIGN, in_state_dict_order, initial_weights, make_lanes
from xortune.engines.xor.gradient import STATE_DICT_ROWS
from xortune.engines.xor.native import WIDTH
from xortune.problems.xor.model import XOR, seeded_model
from xortune.problems.xor.spec import LOSS_FNS

SEEDS = st.integers(0, 2**32 - 1)


def flat(model: XOR) -> torch.Tensor:
    return torch.cat([tensor.flatten() for tensor in model.state_dict().values()])


@given(SEEDS)
@example(0)
@example(2**31)
@example(2**32 - 1)
@settings(max_examples=200, deadline=None)
def test_initial_weights_are_those_of_the_seeded_model_to_the_bit(seed):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        expected = flat(XOR(2, 1))
    assert torch.equal(initial_weights([seed])[:, 0], expected)


def test_the_compiled_engine_draws_the_same(compiled_kernels):
    """Except for the last bit, where PyTorch was built without fused multiply-add."""
    seeds = [*range(400), *range(2**32 - 112, 2**32)]
    block = compiled_kernels().block(whole([make_params(seed=seed) for seed in seeds]))
    drawn = torch.tensor(block.trained())
    torch.testing.assert_close(drawn, initial_weights(seeds).T, rtol=0, atol=2**-24)


@given(st.lists(SEEDS, min_size=1, max_size=80))
@settings(max_examples=20, deadline=None)
def test_lanes_hold_the_initial_weights_of_their_seeds(compiled_kernels, seeds):
    trials = whole([make_params(seed=seed) for seed in seeds])
    lanes = make_lanes(trials, "cpu")
    assert lanes.weights.shape[1] % ALIGN == 0
    block = compiled_kernels().block(trials)
    assert block.weights.shape[1] % WIDTH == 0
    weights = in_state_dict_order(lanes.weights).T
    for row, drawn, seed in zip(weights, torch.tensor(block.trained()), seeds):
        assert torch.equal(row, flat(seeded_model(seed)))
        torch.testing.assert_close(drawn, row, rtol=0, atol=2**-24)


def test_lanes_hold_lr_and_loss_function_and_padding_that_stands_still():
    params = [make_params(lr=0.5 + i, loss_fn=LOSS_FNS[i % 3]) for i in range(70)]
    lanes = make_lanes(whole(params), "cpu")
    assert lanes.lr.tolist() == [p["lr"] for p in params] + [0.0] * 58
    assert [LOSS_FNS[i] for i in lanes.loss[:70]] == [p["loss_fn"] for p in params]
    assert lanes.weights[:, 70:].isfinite().all()


def test_seeding_lanes_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    initial_weights([1, 2, 3])
    assert torch.equal(torch.get_rng_state(), before)


def test_the_order_of_the_rows_is_undone():
    assert sorted(STATE_DICT_ROWS) == list(range(9))
    weights = torch.arange(18.0).reshape(9, 2)
    assert torch.equal(in_state_dict_order(weights[list(STATE_DICT_ROWS)]), weights)
