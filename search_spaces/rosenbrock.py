# A plain function of two numbers, whose minimum, 0, lies at (1, 1) in a curved valley.
#   python -m xortune search --problem search_spaces/rosenbrock.py --trials 100
import xortune


def train(config, report):
    x, y = config["x"], config["y"]
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


problem = xortune.Problem(
    train,
    space={"x": {"min": -2.0, "max": 2.0}, "y": {"min": -1.0, "max": 3.0}},
)
