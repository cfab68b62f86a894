"""The table of one reference study: scikit-learn's data of 442 patients with diabetes."""

from __future__ import annotations

import csv
from pathlib import Path


def write_diabetes(file: Path) -> None:
    """Writes ten measurements of each patient, and the disease's progression a year later.

    Source: Efron, Hastie, Johnstone and Tibshirani, Least angle regression, 2004.
    """
    from sklearn.datasets import load_diabetes

    data = load_diabetes(scaled=False)
    with file.open("w", encoding="utf-8", newline="") as opened:
        rows = csv.writer(opened, lineterminator="\n")
        rows.writerow([*data.feature_names, "progression"])
        rows.writerows([f"{value:g}" for value in (*x, y)] for x, y in zip(data.data, data.target))
