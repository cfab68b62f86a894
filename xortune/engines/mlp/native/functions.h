/* Functions of a vector, made of IEEE 754's operations alone: the same bits everywhere.
 *
 * NaN stays NaN in all of them but `root`.
 */
#ifndef XORTUNE_FUNCTIONS_H
#define XORTUNE_FUNCTIONS_H

#include "vector.h"

/* exp(x) for x up to 87.9, for which `reciprocal` still holds; below -87 it is exp(-87). With
 * x = n ln(2) + r, |r| <= ln(2) / 2, it is 2^n exp(r); the coefficients are Cephes' of expf. */
INLINE V exp_(V x)
{
    const V round = all(12582912.0f); /* 1.5 * 2^23: a number added to it loses its fraction */
    x = most(all(-87.0f), least(all(87.9f), x));
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

/* 1 / x for 1e-30 < x < 1e30, to 1e-7 of it, and up to 1.6e38 either that or 0: a guess from the
 * bits of x, wrong by 6 %; then Newton's rule, with a constant that halves the largest error; then
 * its rule of the third order. */
INLINE V reciprocal(V x)
{
    V y = (V)(0x7ef32000 - (I)x);
    y = y * minus_(x, y, all(2.0013f));
    V error = minus_(x, y, all(1.0f));
    return fma_(y, fma_(error, error, error), y);
}

/* The square root of x >= 0 to 1e-7 of it, and that of 1e38 for what is larger or NaN: x / sqrt(x).
 * A guess y of 1 / sqrt(x) from the bits of x is wrong by 3.4 %, so |e| < 0.07 for e = 1 - x y^2, and
 * sqrt(x) = x y / sqrt(1 - e) has a polynomial in e with an error of 3e-8. */
INLINE V root(V x)
{
    x = least(x, all(1e38f));
    V y = (V)(0x5f374800 - ((I)x >> 1));
    V found = x * y, e = minus_(found, y, all(1.0f));
    V p = all(2.749137516e-01f);
    p = fma_(p, e, all(3.139305533e-01f));
    p = fma_(p, e, all(3.749978116e-01f));
    p = fma_(p, e, all(4.999983474e-01f));
    return fma_(found * e, p, found);
}

/* ReLU: the larger of z and 0. */
INLINE V rectified(V z) { return where_less(z, all(0.0f), all(0.0f), z); }

/* The slope of ReLU, at z or at its result: 0 up to 0, else 1. */
INLINE V relu_slope(V z) { return choose(z <= 0.0f, all(0.0f), all(1.0f)); }

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
