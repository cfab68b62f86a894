/* Functions in double precision, of half a vector's lanes at a time; the same bits everywhere. */
#ifndef XORTUNE_DOUBLES_H
#define XORTUNE_DOUBLES_H

#include "vector.h"

enum { HALF = VECTOR / 2 };

typedef double D __attribute__((vector_size(8 * HALF)));
typedef int64_t L __attribute__((vector_size(8 * HALF)));
typedef uint64_t M __attribute__((vector_size(8 * HALF)));
typedef float Single __attribute__((vector_size(4 * HALF)));
typedef int32_t Whole __attribute__((vector_size(4 * HALF)));

/* a * b + c, rounded once. */
INLINE D fmad(D a, D b, D c)
{
#if VECTOR == 16
    return (D)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif VECTOR == 8
    return (D)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#else
    D sum;
    for (int l = 0; l < HALF; l++)
        sum[l] = __builtin_fma(a[l], b[l], c[l]);
    return sum;
#endif
}

/* A number in every lane. */
INLINE D both(double x) { return x - (D){0}; }

/* `a` where the mask is all ones, `b` where it is all zeros. */
INLINE D choose_double(L mask, D a, D b) { return (D)((mask & (L)a) | (~mask & (L)b)); }

INLINE D size_of(D x) { return choose_double(x < 0.0, -x, x); }

/* The first half of a vector's lanes, or the second. */
INLINE D half_of(const V *x, int half)
{
    Single some;
    memcpy(&some, (const float *)x + half * HALF, sizeof some);
    return __builtin_convertvector(some, D);
}

INLINE D load_doubles(const double *x)
{
    D found;
    memcpy(&found, x, sizeof found);
    return found;
}

/* Adds to a number of each lane. */
INLINE void add_doubles(double *sums, D x)
{
    x = load_doubles(sums) + x;
    memcpy(sums, &x, sizeof x);
}

/* exp(-x) for x >= 0: with -x = n ln(2) + r it is 2^n exp(r), by the series up to r^12 / 12!. */
INLINE D exp_minus(D x)
{
    const D round = both(0x1.8p52);
    x = choose_double(x > 700.0, both(700.0), x);
    D shifted = fmad(x, both(-0x1.71547652b82fep0), round), n = shifted - round;
    D r = fmad(n, both(-0x1.abc9e3b39803fp-56), fmad(n, both(-0x1.62e42fefa39efp-1), -x));
    D p = both(1.0 / 479001600);
    p = fmad(p, r, both(1.0 / 39916800));
    p = fmad(p, r, both(1.0 / 3628800));
    p = fmad(p, r, both(1.0 / 362880));
    p = fmad(p, r, both(1.0 / 40320));
    p = fmad(p, r, both(1.0 / 5040));
    p = fmad(p, r, both(1.0 / 720));
    p = fmad(p, r, both(1.0 / 120));
    p = fmad(p, r, both(1.0 / 24));
    p = fmad(p, r, both(1.0 / 6));
    p = fmad(p, r, both(0.5));
    p = fmad(fmad(p, r, both(1.0)), r, both(1.0));
    return p * (D)(((M)shifted << 52) + 0x3ff0000000000000u);
}

/* (1 + s^2/3 + s^4/5 + ...) 2s = log((1 + s) / (1 - s)) for |s| <= 1/3. */
INLINE D log_ratio_double(D s)
{
    D square = s * s, sum = both(1.0 / 31);
    UNROLL
    for (int k = 29; k > 0; k -= 2)
        sum = fmad(sum, square, both(1.0 / k));
    return 2.0 * s * sum;
}

/* log(1 + x) for 0 <= x <= 1. */
INLINE D log_1_plus_double(D x) { return log_ratio_double(x / (2.0 + x)); }

/* log(x) for x > 0: x = 2^n m, with m between sqrt(1/2) and sqrt(2). */
INLINE D log_double(D x)
{
    const uint64_t root = 0x3fe6a09e667f3bcdu, fraction = 0x000fffffffffffffu;
    M shifted = (M)x - root + 0x3ff0000000000000u;
    D n = (D)((shifted >> 52) | 0x4330000000000000u) - 0x1p52 - 1023.0;
    D m = (D)((shifted & fraction) + root);
    D log = fmad(n, both(0x1.62e42fefa39efp-1), log_ratio_double((m - 1.0) / (m + 1.0)));
    return choose_double(x == x, log, x);
}

#endif
