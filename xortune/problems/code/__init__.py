"""A user's code as it travels: a file with what it includes, or a live object."""
