"""Search spaces: what the trials of a study are drawn from."""

from xortune.space.domains import PARAMETERS, Choice, Domain, Range, SearchSpace, multiples
from xortune.space.files import load_space, shipped_spaces, space_file

__all__ = [
    "PARAMETERS",
    "Choice",
    "Domain",
    "Range",
    "SearchSpace",
    "load_space",
    "multiples",
    "shipped_spaces",
    "space_file",
]
