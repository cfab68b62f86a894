"""The search loop: generations, packs, recovery. Imports neither PyTorch nor Ray."""
