"""The lab's XOR: network, data, loss functions and the plain training loop."""
