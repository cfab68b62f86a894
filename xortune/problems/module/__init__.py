"""A `torch.nn.Module` of the user's own, with its data, loss and metrics, as a problem."""
