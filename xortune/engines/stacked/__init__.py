"""Trains lanes of a module of the user's own at once, stacked by `torch.func`."""
