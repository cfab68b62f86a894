"""Trains tables and modules trial after trial, with autograd and `torch.optim`: the reference."""
