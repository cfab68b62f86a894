/* The losses by which trials are compared, of a row, in double precision: see measures.py. */
#ifndef XORTUNE_MEASURING_H
#define XORTUNE_MEASURING_H

#include "vector.h"

INLINE double fmad(double a, double b, double c) { return __builtin_fma(a, b, c); }

INLINE uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

INLINE double from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* exp(-x) for x >= 0: with -x = n ln(2) + r it is 2^n exp(r), by the series up to r^12 / 12!. */
INLINE double exp_minus(double x)
{
    const double round = 0x1.8p52;
    x = x > 700.0 ? 700.0 : x;
    double shifted = fmad(x, -0x1.71547652b82fep0, round), n = shifted - round;
    double r = fmad(n, -0x1.abc9e3b39803fp-56, fmad(n, -0x1.62e42fefa39efp-1, -x));
    double p = 1.0 / 479001600;
    p = fmad(p, r, 1.0 / 39916800);
    p = fmad(p, r, 1.0 / 3628800);
    p = fmad(p, r, 1.0 / 362880);
    p = fmad(p, r, 1.0 / 40320);
    p = fmad(p, r, 1.0 / 5040);
    p = fmad(p, r, 1.0 / 720);
    p = fmad(p, r, 1.0 / 120);
    p = fmad(p, r, 1.0 / 24);
    p = fmad(p, r, 1.0 / 6);
    p = fmad(p, r, 0.5);
    p = fmad(fmad(p, r, 1.0), r, 1.0);
    return p * from_bits((bits_of(shifted) << 52) + 0x3ff0000000000000u);
}

/* (1 + s^2/3 + s^4/5 + ...) 2s = log((1 + s) / (1 - s)) for |s| <= 1/3. */
INLINE double log_ratio_double(double s)
{
    double square = s * s, sum = 1.0 / 31;
    for (int k = 29; k > 0; k -= 2)
        sum = fmad(sum, square, 1.0 / k);
    return 2.0 * s * sum;
}

/* log(1 + x) for 0 <= x <= 1. */
INLINE double log_1_plus_double(double x) { return log_ratio_double(x / (2.0 + x)); }

/* log(x) for x > 0: x = 2^n m, with m between sqrt(1/2) and sqrt(2). */
INLINE double log_double(double x)
{
    const uint64_t root = 0x3fe6a09e667f3bcdu, fraction = 0x000fffffffffffffu;
    uint64_t shifted = bits_of(x) - root + 0x3ff0000000000000u;
    double n = from_bits((shifted >> 52) | 0x4330000000000000u) - 0x1p52 - 1023.0;
    double m = from_bits((shifted & fraction) + root);
    double log = fmad(n, 0x1.62e42fefa39efp-1, log_ratio_double((m - 1.0) / (m + 1.0)));
    return x == x ? log : x;
}

INLINE double size_of(double x) { return x < 0.0 ? -x : x; }

INLINE double error_measured(double output, double y, int32_t kind)
{
    double error = output - y, size = size_of(error);
    double huber = size < 1.0 ? size * size / 2.0 : size - 0.5;
    return kind == MSE ? error * error : kind == MAE ? size : huber;
}

/* log(1 + exp(z)) of a wrong logit's z, or of the negative of a right one's. */
INLINE double logit_measured(double z, double y)
{
    z = y > 0.5 ? -z : z;
    return (z < 0.0 ? 0.0 : z) + log_1_plus_double(exp_minus(size_of(z)));
}

/* The logarithm of the sum of exp(z), less the z of the row's own class, for the logits z. */
static void add_class_loss(const V *outputs, int class, int count, double *losses)
{
    double top[VECTOR], sum[VECTOR] = {0};
    for (int l = 0; l < VECTOR; l++)
        top[l] = (double)outputs[0][l];
    for (int c = 1; c < count; c++)
        for (int l = 0; l < VECTOR; l++)
            top[l] = (double)outputs[c][l] > top[l] ? (double)outputs[c][l] : top[l];
    for (int c = 0; c < count; c++)
        for (int l = 0; l < VECTOR; l++)
            sum[l] += exp_minus(top[l] - (double)outputs[c][l]);
    for (int l = 0; l < VECTOR; l++)
        losses[l] += log_double(sum[l]) - ((double)outputs[class][l] - top[l]);
}

/* Adds the loss of a row to those of the lanes from `at`. */
static void add_loss(const Block *b, int at, int64_t row, const V *outputs)
{
    double y = (double)b->y[row], *losses = b->losses + at;
    if (b->task == CLASSES)
        add_class_loss(outputs, (int)y, b->outputs_count, losses);
    else if (b->task == BINARY)
        for (int l = 0; l < VECTOR; l++)
            losses[l] += logit_measured((double)outputs[0][l], y);
    else
        for (int l = 0; l < VECTOR; l++)
            losses[l] += error_measured((double)outputs[0][l], y, b->loss[at + l]);
}

/* The first class of the largest logit, or of NaN. */
INLINE I largest(const V *outputs, int count)
{
    V top = outputs[0];
    I place = {0};
    for (int c = 1; c < count; c++) {
        V z = outputs[c];
        I larger = (z > top) | ((z != z) & (top == top));
        top = choose(larger, z, top);
        place = (larger & c) | (~larger & place);
    }
    return place;
}

/* Adds what scores are made of, as `add_loss` does. */
static void add_scores(const Scores *s, const Block *b, int at, int64_t row, const V *outputs)
{
    double y = (double)b->y[row];
    if (b->task == REGRESSION)
        for (int l = 0; l < VECTOR; l++) {
            double size = size_of((double)outputs[0][l] - y);
            s->errors[at + l] += size * size;
            s->errors[LANES + at + l] += size;
        }
    if (b->task == BINARY)
        for (int l = 0; l < VECTOR; l++)
            s->outputs[(at + l) * b->rows + row] = outputs[0][l];
    if (b->task == REGRESSION)
        return;
    int class = (int)y;
    I hit = b->task == BINARY ? (outputs[0] > 0.0f) == -class
                              : largest(outputs, b->outputs_count) == class;
    for (int l = 0; l < VECTOR; l++)
        s->hits[class * LANES + at + l] -= hit[l];
}

#endif
