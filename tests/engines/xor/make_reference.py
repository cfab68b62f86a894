"""Trains 200 random trials with the reference loop, for `test_agreement.py`.

Five minutes on two cores. Needed again only when the reference loop is meant to change:

    python -m tests.engines.xor.make_reference
"""

import csv
from multiprocessing import Pool
from pathlib import Path

import torch

from xortune.problems.xor.loop import train
from xortune.problems.xor.spec import SPEC
from xortune.sampling import ask_generation
from xortune.space import load_space
from xortune.trial import Params

TRIALS = 200
REFERENCE = Path(__file__).with_name("reference_trials.csv")


def reference_row(params: Params) -> dict[str, object]:
    """A trial's parameters and the scores of the reference loop, with all digits."""
    torch.set_num_threads(1)
    return {**params, **train(params).scores}


def main() -> None:
    params = ask_generation(load_space("default", SPEC), "random", 0, 0, TRIALS, [])
    with Pool(2) as pool:
        rows = pool.map(reference_row, params, chunksize=1)
    with REFERENCE.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
