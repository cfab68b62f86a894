"""The gradient, derived by hand, as numbers for both engines.

For a row with inputs x0, x1 and target y, the network is

    h_k = s(v_k0 x0 + v_k1 x1 + c_k),  z = u_0 h_0 + u_1 h_1 + d,  p = s(z),

with the sigmoid s, whose derivative is s (1 - s). Over B rows the loss functions give

    dL/dz = (p - y) p (1 - p) * 2/B     mse
    dL/dz = (p - y) / B                 bce, bce_with_logits

and the rest is the chain rule. `nn.BCELoss` divides by max(p (1 - p), 1e-12) before the
sigmoid multiplies with p (1 - p), so its gradient vanishes where p has rounded to 0 or 1.
With q = p (1 - p) all three are (p - y) * min(a q + b, 1/B), with a and b per lane.
"""

from __future__ import annotations

import math

ROWS = 4
# The slope a and the offset b of each loss function, in the order of LOSS_FNS.
SLOPES = (2 / ROWS, 1e12 / ROWS, 0.0)
OFFSETS = (0.0, 0.0, 1 / ROWS)

# The index in the flat state_dict() of `XOR(2, 1)` of each row of a block's weights: the hidden
# weights of input 0, then those of input 1, all three biases, the output weights. In this
# order the weights that share an expression of the gradient are adjacent.
STATE_DICT_ROWS = (0, 2, 1, 3, 4, 5, 8, 6, 7)

# nn.Linear draws weights and biases from U(-b, b), b = 1/sqrt(fan_in); both layers have
# two inputs.
INITIAL_BOUND = 1 / math.sqrt(2)
