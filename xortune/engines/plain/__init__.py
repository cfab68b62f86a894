"""Trains a table's MLPs one after the other, with autograd and `torch.optim`."""
