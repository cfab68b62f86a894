# A random forest on scikit-learn's wines, by its accuracy in cross-validation.
#   pip install scikit-learn
#   python -m xortune search --problem search_spaces/sklearn_forest.py --trials 20
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_validate

import xortune

X, y = load_wine(return_X_y=True)  # once in each process, not once a trial


def train(config, report):
    forest = RandomForestClassifier(**config)  # its seed comes from NumPy, seeded per trial
    scores = cross_validate(forest, X, y, cv=3, scoring=["accuracy", "neg_log_loss"])
    return {
        "accuracy": scores["test_accuracy"].mean(),
        "loss": -scores["test_neg_log_loss"].mean(),
    }


problem = xortune.Problem(
    train,
    space={
        "n_estimators": {"distribution": "q_log_uniform_values", "min": 5, "max": 100},
        "max_depth": {"min": 2, "max": 12},
        "max_features": {"values": ["sqrt", "log2"]},
        "min_samples_leaf": {"min": 1, "max": 8},
    },
    objective="accuracy:max",
)
