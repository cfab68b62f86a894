/* Functions of a vector, made of IEEE 754's operations alone: the same bits everywhere.
 *
 * NaN stays NaN in all of them but `root`.
 */
#ifndef XORTUNE_FUNCTIONS_H
#define XORTUNE_FUNCTIONS_H

#include "vector.h"

/* exp(x) for x up to 88; below -87 it is exp(-87). With x = n ln(2) + r, |r| <= ln(2) / 2, it is
 * 2^n exp(r); the coefficients are those of Cephes' expf. */
INLINE V exp_(V x)
{
    const V round = all(12582912.0f); /* 1.5 * 2^23: a number added to it loses its fraction */
    x = choose(x > 88.0f, all(88.0f), x);
    x = choose(x < -87.0f, all(-87.0f), x);
    V shifted = fma_(x, all(1.44269504f), round), n = shifted - round;
    V r = fma_(n, all(2.12194440e-4f), fma_(n, all(-0.693359375f), x));
    V p = all(1.9875691500e-4f);
    p = fma_(p, r, all(1.3981999507e-3f));
    p = fma_(p, r, all(8.3334519073e-3f));
    p = fma_(p, r, all(4.1665795894e-2f));
    p = fma_(p, r, all(1.6666665459e-1f));
    p = fma_(p, r, all(5.0000001201e-1f));
    p = fma_(fma_(p, r, all(1.0f)), r, all(1.0f));
    return p * (V)(((I)shifted << 23) + 0x3f800000);
}

/* 1 / x for 1e-30 < x < 1e30, to 1e-7 of it: a guess from the bits of x, wrong by 6 %; then Newton's
 * rule, with a constant that halves the largest error; then its rule of the third order. */
INLINE V reciprocal(V x)
{
    V y = (V)(0x7ef32000 - (I)x);
    y = y * minus_(x, y, all(2.0013f));
    V error = minus_(x, y, all(1.0f));
    return fma_(y, fma_(error, error, error), y);
}

/* The square root of x >= 0 to 1e-7 of it, and that of 1e38 for what is larger or NaN: x / sqrt(x),
 * where y = 1 / sqrt(x) is found as the reciprocal is. */
INLINE V root(V x)
{
    x = least(x, all(1e38f));
    V y = (V)(0x5f378000 - ((I)x >> 1));
    y = y * fma_(x * -0.5f * y, y, all(1.5008f));
    V found = x * y, error = minus_(found, y, all(1.0f));
    return fma_(found * error, fma_(error, all(0.375f), all(0.5f)), found);
}

/* 1 / (1 + exp(-x)). */
INLINE V sigmoid(V x) { return reciprocal(1.0f + exp_(-x)); }

/* Cephes' tanhf: a polynomial for small x, where the other formula cancels. */
INLINE V tanh_(V x)
{
    V size = magnitude(x), square = x * x;
    V p = all(-5.70498872745e-3f);
    p = fma_(p, square, all(2.06390887954e-2f));
    p = fma_(p, square, all(-5.37397155531e-2f));
    p = fma_(p, square, all(1.33314422036e-1f));
    p = fma_(p, square, all(-3.33332819422e-1f));
    p = fma_(p * square, x, x);
    V large = fma_(all(-2.0f), reciprocal(1.0f + exp_(size + size)), all(1.0f));
    large = (V)((I)large | ((I)x & (int32_t)0x80000000));
    return choose(size > 0.625f, large, p);
}

/* The normal distribution: its density at x, and in `below` the probability of less than x, which
 * is density * t * (a polynomial in t) for x < 0, with t = 1 / (1 + 0.21 |x|): the form of
 * Abramowitz and Stegun 7.1.26, with coefficients fitted to a relative error of 1e-08. */
INLINE V normal(V x, V *below)
{
    V size = magnitude(x), power = exp_(x * x * -0.5f);
    V t = reciprocal(fma_(size, all(0.21f), all(1.0f)));
    V p = all(-7.218619242e-02f);
    p = fma_(p, t, all(2.861706045e-01f));
    p = fma_(p, t, all(-3.356302123e-01f));
    p = fma_(p, t, all(3.556424114e-01f));
    p = fma_(p, t, all(-9.833691556e-02f));
    p = fma_(p, t, all(1.268150184e-01f));
    p = fma_(p, t, all(6.867252856e-02f));
    p = fma_(p, t, all(8.514604977e-02f));
    p = fma_(p, t, all(8.370670276e-02f));
    V tail = p * t * power;
    *below = choose(x < 0.0f, tail, 1.0f - tail);
    return power * 0.398942280f;
}

/* (1 + s^2/3 + s^4/5 + ...) 2s = log((1 + s) / (1 - s)) for |s| <= 1/3. */
INLINE V log_ratio(V s)
{
    V square = s * s, sum = all(1.0f / 15);
    for (int k = 13; k > 0; k -= 2)
        sum = fma_(sum, square, all(1.0f / k));
    return 2.0f * s * sum;
}

/* log(1 + x) for 0 <= x <= 1. */
INLINE V log_1_plus(V x) { return log_ratio(x * reciprocal(2.0f + x)); }

/* log(x) for a normal x > 0: x = 2^n m, with m between sqrt(1/2) and sqrt(2). */
INLINE V log_(V x)
{
    I shifted = (I)x - 0x3f3504f3 + 0x3f800000;
    V n = (V)(((I)((U)shifted >> 23)) | 0x4b000000) - 8388608.0f - 127.0f;
    V m = (V)((shifted & 0x7fffff) + 0x3f3504f3);
    V log = fma_(n, all(0.693147181f), log_ratio((m - 1.0f) * reciprocal(m + 1.0f)));
    return choose(x == x, log, x);
}

#endif
