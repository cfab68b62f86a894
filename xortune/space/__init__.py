"""Search spaces: what the trials of a study are drawn from."""

from xortune.space.domains import (
    Choice,
    Domain,
    Range,
    SearchSpace,
    grid_bounds,
    multiples,
)
from xortune.space.files import load_space, space_file
from xortune.space.narrowing import Narrowing, narrowed
from xortune.space.points import count_points, count_values, point_at

__all__ = [
    "Choice",
    "Domain",
    "Narrowing",
    "Range",
    "SearchSpace",
    "count_points",
    "count_values",
    "grid_bounds",
    "load_space",
    "multiples",
    "narrowed",
    "point_at",
    "space_file",
]
