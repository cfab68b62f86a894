"""Many MLPs trained at once with JAX on one core: `vmap` over lanes of a `scan` over batches.

    python -m tests.benchmarks.stock_mlp_jax 8 32 32 1

Compiled once, for 16 lanes at a time, which is 10 % faster than all 256 at once. The orders of the
rows are drawn before, and neither they nor compiling are timed. Prints the seconds of compiling,
those of a training after one that does not count, and the median loss of the last epoch.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import time
from typing import Any

# Read by XLA when JAX is imported.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from tests.benchmarks.made_table import made_rows

LR, BATCH, AT_ONCE = 1e-3, 32, 16
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def initial(key: Any, sizes: tuple[int, ...]) -> Any:
    """Weights and biases as PyTorch's modules draw them: uniform within 1 / sqrt(inputs)."""

    def layer(key: Any, inputs: int, outputs: int) -> Any:
        first, second = jax.random.split(key)
        bound = inputs**-0.5
        return (
            jax.random.uniform(first, (inputs, outputs), minval=-bound, maxval=bound),
            jax.random.uniform(second, (outputs,), minval=-bound, maxval=bound),
        )

    keys = jax.random.split(key, len(sizes) - 1)
    return [layer(k, *pair) for k, pair in zip(keys, itertools.pairwise(sizes))]


def loss(layers: Any, x: Any, y: Any) -> Any:
    """The mean squared error, or with classes the cross-entropy."""
    for weight, bias in layers[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    weight, bias = layers[-1]
    outputs = x @ weight + bias
    if outputs.shape[1] == 1:
        return jnp.mean((outputs - y) ** 2)
    return -jnp.mean(jax.nn.log_softmax(outputs)[jnp.arange(len(y)), y])


def step(state: Any, x: Any, y: Any) -> Any:
    """One step of Adam."""
    layers, first, second, count = state
    value, gradient = jax.value_and_grad(loss)(layers, x, y)
    count = count + 1
    first = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, first, gradient)
    second = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, second, gradient)
    rate, root = LR / (1 - BETA1**count), jnp.sqrt(1 - BETA2**count)

    def moved(p: Any, m: Any, v: Any) -> Any:
        return p - rate * m / (jnp.sqrt(v) / root + EPSILON)

    return (jax.tree.map(moved, layers, first, second), first, second, count), value


def trained(layers: Any, orders: Any, x: Any, y: Any) -> Any:
    """Trains one lane; returns the mean of the batch losses of its last epoch.

    Args:
        layers: its initial weights and biases.
        orders: of the rows, `(epochs, rows)`.
        x: the inputs of all lanes, `(rows, inputs)`.
        y: the targets.
    """
    full = len(x) // BATCH * BATCH

    def epoch(state: Any, order: Any) -> Any:
        batches = order[:full].reshape(-1, BATCH)
        state, losses = lax.scan(lambda s, rows: step(s, x[rows], y[rows]), state, batches)
        if full == len(x):
            return state, losses.mean()
        state, last = step(state, x[order[full:]], y[order[full:]])
        return state, (losses.sum() + last) / (len(losses) + 1)

    zeros = jax.tree.map(jnp.zeros_like, layers)
    _, losses = lax.scan(epoch, (layers, zeros, zeros, jnp.float32(0)), orders)
    return losses[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", type=int, nargs="+")
    parser.add_argument("--lanes", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=20)
    options = parser.parse_args()
    sizes, lanes = tuple(options.sizes), -(-options.lanes // AT_ONCE) * AT_ONCE
    x, y = map(jnp.asarray, made_rows(1000, sizes[0], sizes[-1]))
    keys = jax.random.split(jax.random.key(0), lanes)
    layers = jax.vmap(lambda key: initial(key, sizes))(keys)
    rows = np.tile(np.arange(len(x), dtype=np.int32), (lanes, options.epochs, 1))
    orders = jnp.asarray(np.random.default_rng(0).permuted(rows, axis=2))

    def pack(layers: Any, orders: Any) -> Any:
        return lax.map(lambda one: trained(*one, x, y), (layers, orders), batch_size=AT_ONCE)

    started = time.perf_counter()
    compiled = jax.jit(pack).lower(layers, orders).compile()
    compiling = time.perf_counter() - started
    for _ in range(2):
        started = time.perf_counter()
        losses = jax.block_until_ready(compiled(layers, orders))
        seconds = time.perf_counter() - started
    median = float(jnp.median(losses))
    print(json.dumps({"seconds": seconds, "compiling": compiling, "loss": median, "lanes": lanes}))


if __name__ == "__main__":
    main()
