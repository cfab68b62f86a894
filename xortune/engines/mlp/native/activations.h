/* Activations with their slopes, each lane by its own; and dropout. */
#ifndef XORTUNE_ACTIVATIONS_H
#define XORTUNE_ACTIVATIONS_H

#include "functions.h"

/* The activations of a part's lanes, and numbers of each lane for the formulas of `activate`. */
typedef struct {
    int kinds;             /* a bit for each that some lane has */
    I relu, gelu, scaled;  /* the lanes that have it; `scaled`: GELU or SiLU */
    V factor, twice, less; /* of z in the exponent; twice s, less 1, for tanh */
    V small, one, slope;   /* up to which |z| is small; in the derivative */
    V coefficients[9];     /* of a polynomial, from the highest power down */
} Activation;

/* GELU is z P(z), with the probability P(z) of less than z in a normal distribution. For z < 0, P is
 * exp(-z^2 / 2) t (a polynomial in t), with t = 1 / (1 + 0.21 |z|): the form of Abramowitz and Stegun
 * 7.1.26, with coefficients fitted to a relative error of 1e-08. */
static const float OF_GELU[9] = {
    -7.218619242e-02f, 2.861706045e-01f, -3.356302123e-01f, 3.556424114e-01f, -9.833691556e-02f,
    1.268150184e-01f,  6.867252856e-02f, 8.514604977e-02f,  8.370670276e-02f,
};
/* Cephes' tanhf for small z, where the other formula cancels: z + z^3 (a polynomial in z^2). */
static const float OF_TANH[9] = {
    0.0f, 0.0f, 0.0f, 0.0f, -5.70498872745e-3f, 2.06390887954e-2f, -5.37397155531e-2f,
    1.33314422036e-1f, -3.33332819422e-1f,
};

static void set_activations(Activation *a, I kinds)
{
    for (int kind = 0; kind < ACTIVATIONS; kind++)
        a->kinds |= any(kinds == kind) << kind;
    I tanh = kinds == TANH;
    a->relu = kinds == RELU, a->gelu = kinds == GELU, a->scaled = kinds == GELU | kinds == SILU;
    a->factor = choose(tanh, all(-2.0f), all(-1.0f));
    a->twice = choose(tanh, all(2.0f), all(1.0f));
    a->less = choose(tanh, all(-1.0f), all(0.0f));
    a->small = choose(tanh, all(0.625f), all(-1.0f));
    a->one = choose(tanh, all(0.0f), all(1.0f));
    a->slope = choose(tanh, all(1.0f), all(0.0f));
    for (int i = 0; i < 9; i++)
        a->coefficients[i] = choose(tanh, all(OF_TANH[i]), all(OF_GELU[i]));
}

/* `x` in the lanes of a mask, which have one of the activations `these`, else `y`. Of lanes that have
 * one of `kinds` alone, so that only what is needed is computed. */
INLINE V pick(const int kinds, const int these, I mask, V x, V y)
{
    return !(kinds & these) ? y : !(kinds & ~these) ? x : choose(mask, x, y);
}

enum { JUST_RELU = 1 << RELU, JUST_TANH = 1 << TANH, JUST_GELU = 1 << GELU, JUST_SILU = 1 << SILU };

/* The exponential in the activation of z: of -z, -2 z for tanh, or -z^2 / 2 for GELU. */
INLINE V power_of(const Activation *a, const int kinds, V z)
{
    return exp_(pick(kinds, JUST_GELU, a->gelu, z * z * -0.5f, z * a->factor));
}

/* s = 1 / (1 + the exponential), or GELU's t. */
INLINE V share_of(const Activation *a, const int kinds, V z, V power)
{
    V t = fma_(magnitude(z), all(0.21f), all(1.0f));
    return reciprocal(pick(kinds, JUST_GELU, a->gelu, t, 1.0f + power));
}

/* The probability P(z) for GELU, 2 s - 1 for tanh, or s. */
INLINE V result_of(const Activation *a, const int kinds, V z, V power, V share)
{
    V s = fma_(share, a->twice, a->less), size = magnitude(z), square = z * z;
    if (!(kinds & (JUST_GELU | JUST_TANH)))
        return s;
    int i = kinds & JUST_GELU ? 0 : 4; /* the others are 0 */
    V at = pick(kinds, JUST_GELU, a->gelu, share, square), p = a->coefficients[i++];
    UNROLL
    for (; i < 9; i++)
        p = fma_(p, at, a->coefficients[i]);
    if (kinds & JUST_TANH)
        s = where_less(a->small, size, s, fma_(p * square, z, z));
    V tail = p * share * power;
    return pick(kinds, JUST_GELU, a->gelu, where_less(z, all(0.0f), tail, 1.0f - tail), s);
}

/* f(z) of an s as above, and its derivative at z. */
INLINE V activated(const Activation *a, const int kinds, V z, V power, V s, V *slope)
{
    const int scaled = JUST_GELU | JUST_SILU;
    V h = pick(kinds, scaled, a->scaled, z * s, s);
    /* z density + P, z s (1 - s) + s, s (1 - s), or 1 - tanh^2. */
    V one = pick(kinds, JUST_GELU, a->gelu, z, h);
    V other = pick(kinds, JUST_GELU, a->gelu, power * 0.398942280f, a->one - s);
    V found = fma_(one, other, pick(kinds, scaled, a->scaled, s, a->slope));
    *slope = pick(kinds, JUST_RELU, a->relu, relu_slope(z), found);
    return pick(kinds, JUST_RELU, a->relu, rectified(z), h);
}

enum { RUN = 16 };

/* Makes f(z) of up to RUN numbers z for each lane's activation f, one of `kinds`, and their slopes.
 * In three loops: in one, each number would wait for a hundred operations, with few others beside. */
INLINE void activate(const Activation *a, const int kinds, V *h, V *slopes, int count)
{
    V powers[RUN], shares[RUN];
    if (kinds == JUST_RELU) {
        for (int i = 0; i < count; i++) {
            slopes[i] = relu_slope(h[i]);
            h[i] = rectified(h[i]);
        }
        return;
    }
    for (int i = 0; i < count; i++)
        powers[i] = power_of(a, kinds, h[i]);
    for (int i = 0; i < count; i++)
        shares[i] = share_of(a, kinds, h[i], powers[i]);
    for (int i = 0; i < count; i++) {
        V s = result_of(a, kinds, h[i], powers[i], shares[i]);
        h[i] = activated(a, kinds, h[i], powers[i], s, slopes + i);
    }
}

/* Scrambles 32-bit numbers: `lowbias32`, as in dropout.py. */
INLINE U mix(U x)
{
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    x ^= x >> 16;
    return x;
}

/* Dropout of the lanes: see dropout.py, whose hash this is. */
typedef struct {
    U key;   /* of the step and the layer */
    U width; /* of each lane */
    U least; /* a unit with a smaller hash is dropped */
    V kept;  /* what the others are multiplied by */
} Dropout;

INLINE V dropped(const Dropout *d, U row, uint32_t unit)
{
    U hash = mix(d->key ^ mix(row * d->width + unit));
    return keep((I)(hash >= d->least), d->kept);
}

#endif
