"""Trains packs of XOR: thousands of tiny networks at once, by PyTorch or by compiled C."""
