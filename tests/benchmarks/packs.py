"""What a pack is worth: trial-epochs per second against the lab's plain loop, in one run.

    python tests/benchmarks/packs.py

Prints a line a pack size: seconds, trial-epochs per second, and how many times the plain
loop's rate that is. The plain loop is measured before and after, and its mean is taken.
"""

import time

from xortune.engine import train_pack
from xortune.lab import train
from xortune.trial import LOSS_FNS, Params

EPOCHS = 2000
SIZES = (1, 16, 64, 256, 1024, 4096)


def params(lanes):
    return [Params(0.5, EPOCHS, seed, LOSS_FNS[seed % len(LOSS_FNS)]) for seed in range(lanes)]


def seconds(action):
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def main():
    train_pack(params(1))
    before = seconds(lambda: train(params(1)[0]))
    packs = {lanes: seconds(lambda lanes=lanes: train_pack(params(lanes))) for lanes in SIZES}
    after = seconds(lambda: train(params(1)[0]))
    loop = EPOCHS * 2 / (before + after)
    print(f"{'lanes':>6} {'seconds':>8} {'trial-epochs/s':>15} {'times the loop':>15}")
    print(f"{'loop':>6} {(before + after) / 2:8.2f} {loop:15,.0f} {1:15.1f}")
    for lanes, taken in packs.items():
        rate = lanes * EPOCHS / taken
        print(f"{lanes:6} {taken:8.2f} {rate:15,.0f} {rate / loop:15.1f}")


if __name__ == "__main__":
    main()
