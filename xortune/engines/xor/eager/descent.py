"""Gradient descent in PyTorch's kernels, on every lane at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from xortune.engines.xor.eager.lanes import Lanes, padded
from xortune.engines.xor.gradient import OFFSETS, ROWS, SLOPES
from xortune.problems.xor.data import Rows

_sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input


class Descent:
    """Lanes that train in preallocated buffers: an epoch allocates nothing.

    All arithmetic is element-wise over the lanes, so no lane can affect another, not even by
    becoming NaN. A lane that has reached its end is copied out; its column becomes padding, which
    may be trained further. `ends` are descending; the inputs of `rows` are 0 or 1.
    """

    def __init__(self, lanes: Lanes, start: int, ends: Sequence[int], rows: Rows) -> None:
        width = lanes.weights.shape[1]
        self._lanes = lanes
        self._ends = ends
        self._epoch = start
        self._remaining = len(ends)
        self._trained = lanes.weights.clone()
        self._slope = lanes.lr.new_tensor(SLOPES)[lanes.loss]
        self._offset = lanes.lr.new_tensor(OFFSETS)[lanes.loss]
        self._x0 = rows.x[:, 0, None, None].contiguous()
        self._x1 = rows.x[:, 1, None, None].contiguous()
        self._y = rows.y
        # The rows whose input is 1: the only ones that reach the gradient of its weights.
        self._rows_on = [rows.x[:, i].nonzero().flatten().tolist() for i in range(2)]
        new = lanes.weights.new_empty
        self._hidden = new(ROWS, 2, width)
        self._output = new(ROWS, width)
        self._factor = new(ROWS, width)
        self._ones = torch.ones_like(self._output)
        self._delta = new(ROWS, 3, width)  # dL/d of: hidden sums 0 and 1, the logit
        self._delta_half = new(2, 3, width)
        self._product = new(ROWS, 2, width)
        self._product_half = new(2, 2, width)
        self._gradient = new(9, width)

    def advance(self, epoch: int) -> Tensor:
        """Takes every lane to an epoch, or to its own last one; returns the weights, `(9, L)`.

        They are valid until the next call.
        """
        while self._epoch < epoch and self._remaining:
            stop = min(epoch, self._ends[self._remaining - 1])
            self._run(stop - self._epoch, padded(self._remaining))
            self._epoch = stop
            before = self._remaining
            while self._remaining and self._ends[self._remaining - 1] == stop:
                self._remaining -= 1
            self._copy_out(self._remaining, before)
        self._copy_out(0, self._remaining)
        return self._trained

    def _copy_out(self, first: int, last: int) -> None:
        self._trained[:, first:last] = self._lanes.weights[:, first:last]

    def _run(self, epochs: int, active: int) -> None:
        """Trains the first `active` lanes, a multiple of `ALIGN`."""

        def cut(tensor: Tensor) -> Tensor:
            return tensor.narrow(-1, 0, active)

        weights, lr = cut(self._lanes.weights), cut(self._lanes.lr)
        v0, v1, c, d, u = weights[0:2], weights[2:4], weights[4:6], weights[6], weights[7:9]
        u0, u1 = u[0], u[1]
        x0, x1, y = self._x0, self._x1, self._y
        slope, offset, ones = cut(self._slope), cut(self._offset), cut(self._ones)
        hidden, output, factor = cut(self._hidden), cut(self._output), cut(self._factor)
        hidden0, hidden1 = hidden[:, 0], hidden[:, 1]
        delta, delta_half = cut(self._delta), cut(self._delta_half)
        delta_hidden, delta_logit, delta_logit_row = delta[:, :2], delta[:, 2], delta[:, 2:]
        upper, lower, half0, half1 = delta[:2], delta[2:], delta_half[0], delta_half[1]
        product, product_half = cut(self._product), cut(self._product_half)
        product_upper, product_lower = product[:2], product[2:]
        product_half0, product_half1 = product_half[0], product_half[1]
        gradient = cut(self._gradient)
        grad_v0, grad_v1, grad_biases, grad_u = gradient.tensor_split((2, 4, 7))
        on0a, on0b = (delta_hidden[row] for row in self._rows_on[0])
        on1a, on1b = (delta_hidden[row] for row in self._rows_on[1])

        for _ in range(epochs):
            torch.addcmul(c, x0, v0, out=hidden)
            hidden.addcmul_(x1, v1).sigmoid_()
            torch.addcmul(d, hidden0, u0, out=output)
            output.addcmul_(hidden1, u1).sigmoid_()

            _sigmoid_backward(ones, output, grad_input=factor)  # q = p (1 - p)
            factor.mul_(slope).add_(offset).clamp_max_(1 / ROWS)
            torch.mul(output.sub_(y), factor, out=delta_logit)

            torch.mul(hidden, delta_logit_row, out=product)
            torch.add(product_upper, product_lower, out=product_half)
            torch.add(product_half0, product_half1, out=grad_u)

            torch.mul(delta_logit_row, u, out=delta_hidden)
            _sigmoid_backward(delta_hidden, hidden, grad_input=delta_hidden)
            torch.add(upper, lower, out=delta_half)
            torch.add(half0, half1, out=grad_biases)
            torch.add(on0a, on0b, out=grad_v0)
            torch.add(on1a, on1b, out=grad_v1)

            weights.addcmul_(gradient, lr, value=-1)
