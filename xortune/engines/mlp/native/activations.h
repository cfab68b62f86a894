/* Activations with their slopes, each lane by its own; and dropout. */
#ifndef XORTUNE_ACTIVATIONS_H
#define XORTUNE_ACTIVATIONS_H

#include "functions.h"

/* h = f(z) for the activation f of this number, and its derivative at z. */
INLINE V activate(const int kind, V z, V *slope)
{
    V below, s;
    switch (kind) {
    case RELU:
        *slope = choose(z <= 0.0f, all(0.0f), all(1.0f));
        return choose(z < 0.0f, all(0.0f), z);
    case TANH:
        s = tanh_(z);
        *slope = fma_(-s, s, all(1.0f));
        return s;
    case GELU: /* z P(z), with the normal distribution P */
        s = normal(z, &below);
        *slope = fma_(z, s, below);
        return z * below;
    case SILU: /* z s(z), with the sigmoid s */
        s = sigmoid(z);
        *slope = fma_(z * s, 1.0f - s, s);
        return z * s;
    default:
        s = sigmoid(z);
        *slope = s * (1.0f - s);
        return s;
    }
}

/* The activations of a block's lanes: a mask for each, and those that any lane has. */
typedef struct {
    I mask[ACTIVATIONS];
    int kinds[ACTIVATIONS], count;
} Activation;

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
