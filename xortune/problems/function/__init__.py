"""A training function of the user's own, from a file or a notebook, as a problem."""
