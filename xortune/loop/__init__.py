"""The search loop: generations, packs, and what becomes of them. Sees no PyTorch and no Ray."""
