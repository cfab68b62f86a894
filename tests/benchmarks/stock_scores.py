"""Test scores of a search, and of scikit-learn's networks with their defaults.

    python -m tests.benchmarks.stock_scores wine --trials 200 --study-seed 0

Both are measured on the same test rows. The search chooses by validation rows; scikit-learn's
network has no use for these, and learns from them, too. Its inputs are standardised, and the
target of a regression is as well: with one in its own units it learns next to nothing.
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
            data=(x, y), task=task, trials=trials, study_seed=study_seed, name="scores",
            results=results,
        )  # fmt: skip
        return float(study.summary()["test"]["scores"][metric])


def stock_score(x: Any, y: Any, task: str, parts: Parts) -> float:
    """The mean test score of scikit-learn's network over some random states."""
    known = np.concatenate((parts.training, parts.validation))
    scaler = StandardScaler().fit(x[known])
    kind = MLPClassifier
    if task == "regression":
        kind = MLPRegressor
        y = (y - y[known].mean()) / y[known].std()
    scores = []
    for state in RANDOM_STATES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            network = kind(random_state=state).fit(scaler.transform(x[known]), y[known])
        scores.append(network.score(scaler.transform(x[parts.test]), y[parts.test]))
    return statistics.mean(scores)


def parts_of(x: Any, y: Any, task: Any) -> Parts:
    """The rows of each part as the search splits them, checked against a prepared table."""
    parts = split_rows(len(x), DEFAULT_SPLIT, 0, None if task == "regression" else y)
    table = load_table((x, y), task=task)
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
    parts = parts_of(x, y, task)
    result = {
        "metric": metric,
        "test rows": len(parts.test),
        "ours": found_score(x, y, task, metric, options.trials, options.study_seed),
        "stock": stock_score(x, y, task, parts),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
