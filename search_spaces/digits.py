# Handwritten digits of scikit-learn, 8 x 8 pixels, read by a small convolution.
#   pip install scikit-learn
#   python -m xortune search --problem search_spaces/digits.py --trials 4
from sklearn.datasets import load_digits
from torch import nn

import xortune


def model(inputs, outputs: int, channels: int = 8, dropout: float = 0.0):
    return nn.Sequential(  # inputs is the shape of an image, (1, 8, 8)
        nn.Conv2d(inputs[0], channels, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Dropout(dropout), nn.Linear(channels * 9, outputs),
    )  # fmt: skip


def data():
    digits = load_digits()
    x, y = digits.images[:, None] / 16, digits.target
    return xortune.Split(x[:1000], y[:1000], x[1000:1400], y[1000:1400], x[1400:], y[1400:])


def accuracy(output, target):
    return (output.argmax(1) == target).float().mean()


problem = xortune.Problem(
    model=model,
    data=data,
    loss="cross_entropy",
    metrics={"accuracy": accuracy},
    objective="accuracy",
    space={
        "channels": {"values": [4, 8, 16]},
        "dropout": {"min": 0.0, "max": 0.5},
        "lr": {"distribution": "log_uniform_values", "min": 0.001, "max": 0.03},
        "epochs": {"value": 15},
    },
)
