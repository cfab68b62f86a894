"""Search spaces, from which the trials of a study are drawn."""

from xortune.space.domains import (
    Choice,
    Domain,
    Range,
    SearchSpace,
    count_points,
    count_values,
    grid_bounds,
    point_at,
)
from xortune.space.files import load_space, space_file
from xortune.space.inference import inferred_parameters
from xortune.space.narrowing import Narrowing, narrowed
from xortune.space.parse import restricted

__all__ = [
    "Choice",
    "Domain",
    "Narrowing",
    "Range",
    "SearchSpace",
    "count_points",
    "count_values",
    "grid_bounds",
    "inferred_parameters",
    "load_space",
    "narrowed",
    "point_at",
    "restricted",
    "space_file",
]
