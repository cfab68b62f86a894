"""A table of data: it is read, prepared and split, and an MLP learns one of its columns."""
