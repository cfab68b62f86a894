"""Trains tables trial after trial, with autograd and `torch.optim`: the reference for others."""
