/* The losses of a row and their slopes, for training, in single precision. */
#ifndef XORTUNE_LOSSES_H
#define XORTUNE_LOSSES_H

#include "functions.h"

/* Squared, absolute or Huber's error of an output, by lane. */
INLINE V error_loss(V output, V y, I kind, V *slope)
{
    V error = output - y, size = magnitude(error);
    I squared = kind == MSE, near = size < 1.0f, huber = kind == HUBER;
    V sign = choose(error > 0.0f, all(1.0f), choose(error < 0.0f, all(-1.0f), error));
    *slope = choose(squared, error + error, choose(huber & near, error, sign));
    V halved = choose(near, error * error * 0.5f, size - 0.5f);
    return choose(squared, error * error, choose(huber, halved, size));
}

/* Cross-entropy of a logit z: max(z, 0) - z y + log(1 + exp(-|z|)), and its slope s(z) - y. */
INLINE V logit_loss(V z, V y, V *slope)
{
    V power = exp_(-magnitude(z)), share = reciprocal(1.0f + power);
    *slope = choose(z < 0.0f, power * share, share) - y;
    return choose(z < 0.0f, all(0.0f), z) - z * y + log_1_plus(power);
}

/* Cross-entropy of the logits of `count` classes: log of the sum of exp(z), less the class's own z;
 * the slopes are the shares of the sum, less 1 for the class. */
INLINE V class_loss(const V *z, V y, int count, V *slopes)
{
    V top = z[0], sum = {0}, own = {0};
    for (int c = 1; c < count; c++)
        top = choose(z[c] > top, z[c], top);
    for (int c = 0; c < count; c++) {
        I mine = y == (float)c;
        own = choose(mine, z[c] - top, own);
        slopes[c] = exp_(z[c] - top);
        sum += slopes[c];
    }
    V share = reciprocal(sum);
    for (int c = 0; c < count; c++)
        slopes[c] = slopes[c] * share - keep(y == (float)c, all(1.0f));
    return log_(sum) - own;
}

#endif
