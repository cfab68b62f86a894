"""Test scores of a search, and of scikit-learn's networks with their defaults.

    python -m tests.benchmarks.stock_scores wine --trials 200 --study-seed 0

Both are measured on the same test rows, those of a split by the same seed as the search.
The search chooses by validation rows; scikit-learn's network has no use for these, and learns
from them, too. It gets the rows as they are, and once more standardised, with the target of a
regression: as they are it learns next to nothing there.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

import xortune
from xortune.problems.table.splitting import DEFAULT_SPLIT, Parts, split_rows
from xortune.problems.table.table import load_table

SETS = {
    "breast cancer": (datasets.load_breast_cancer, "binary", "accuracy"),
    "wine": (datasets.load_wine, "classes", "accuracy"),
    "digits": (datasets.load_digits, "classes", "accuracy"),
    "diabetes": (datasets.load_diabetes, "regression", "r2"),
}
RANDOM_STATES = range(5)


def found_score(x: Any, y: Any, task: Any, metric: str, trials: int, study_seed: int) -> float:
    """The test score of the best of a search over the default space."""
    with tempfile.TemporaryDirectory() as results:
        study = xortune.search(
            data=(x, y), task=task, trials=trials, study_seed=study_seed, split_seed=study_seed,
            name="scores", results=results,
        )  # fmt: skip
        return float(study.summary()["test"]["scores"][metric])


def stock_score(x: Any, y: Any, task: str, parts: Parts, standardised: bool) -> float:
    """The mean test score of scikit-learn's network over some random states."""
    known = np.concatenate((parts.training, parts.validation))
    if standardised:
        x = StandardScaler().fit(x[known]).transform(x)
    if standardised and task == "regression":
        y = (y - y[known].mean()) / y[known].std()
    kind = MLPRegressor if task == "regression" else MLPClassifier
    scores = []
    for state in RANDOM_STATES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            network = kind(random_state=state).fit(x[known], y[known])
        scores.append(network.score(x[parts.test], y[parts.test]))
    return statistics.mean(scores)


def parts_of(x: Any, y: Any, task: Any, seed: int) -> Parts:
    """The rows of each part as the search splits them, checked against a prepared table."""
    parts = split_rows(len(x), DEFAULT_SPLIT, seed, None if task == "regression" else y)
    table = load_table((x, y), task=task, split_seed=seed)
    target = table.recipe.target
    for rows, prepared in zip(parts, (table.training, table.validation, table.test)):
        expected: NDArray[Any] = (y[rows] - target.mean) / target.scale
        assert np.allclose(prepared.y, expected, atol=1e-5), "the rows are split in another way"
    return parts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=SETS)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--study-seed", type=int, default=0)
    options = parser.parse_args()
    load, task, metric = SETS[options.name]
    x, y = load(return_X_y=True)
    parts = parts_of(x, y, task, options.study_seed)
    result = {
        "metric": metric,
        "test rows": len(parts.test),
        "ours": found_score(x, y, task, metric, options.trials, options.study_seed),
        "stock": stock_score(x, y, task, parts, standardised=False),
        "stock, standardised": stock_score(x, y, task, parts, standardised=True),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
