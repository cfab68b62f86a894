/* Products of matrices whose every number is a vector of lanes, in tiles that stay in registers. */
#ifndef XORTUNE_PRODUCTS_H
#define XORTUNE_PRODUCTS_H

#include "functions.h"

/* A matrix with its two strides, in vectors. */
typedef struct {
    const V *at;
    ptrdiff_t outer, inner;
} Matrix;

/* A tile has TALL rows of BROAD sums; where fewer rows or columns are left, it has THIN sums of one
 * row or column. The sums, the factors of the shorter side and one of the longer fill the registers;
 * with fewer sums than that, a sum would wait for the one before. */
#if VECTOR == 16
enum { TALL = 4, BROAD = 4, THIN = 16 };
#else
enum { TALL = 3, BROAD = 3, THIN = 9 };
#endif
/* Vectors of the first factor that stay in the fastest cache while the second passes. */
enum { NEAR = 32768 / (4 * VECTOR) };

/* What is stored of a sum: itself; the larger of itself and 0; itself times the slope that was there;
 * or times the slope of a ReLU, whose result was there. */
typedef enum { ITSELF, RECTIFIED, TIMES_SLOPE, TIMES_STEP } Then;

typedef struct {
    Matrix a, b;
    V *c;           /* (m, n), its rows `row` vectors apart */
    const V *start; /* (n), PARTS vectors apart: what each sum begins with, or NULL */
    ptrdiff_t row;
    int count;      /* of the products in a sum */
    int added;      /* whether to begin with what is in `c` instead */
    Then then;
    const I *units; /* (n): the lanes whose sums are kept, others become 0; NULL keeps all */
} Product;

/* Sets what the sums of a tile begin with. */
INLINE void begin(const Product *p, V *sums, int m0, int n0, const int tall, const int broad)
{
    const V *c = p->c + m0 * p->row + n0;
    UNROLL
    for (int m = 0; m < tall; m++)
    UNROLL
        for (int n = 0; n < broad; n++)
            sums[m * broad + n] = (V){0};
    if (p->added) {
    UNROLL
        for (int m = 0; m < tall; m++)
    UNROLL
            for (int n = 0; n < broad; n++)
                sums[m * broad + n] = c[m * p->row + n];
    } else if (p->start) {
    UNROLL
        for (int m = 0; m < tall; m++)
    UNROLL
            for (int n = 0; n < broad; n++)
                sums[m * broad + n] = p->start[(n0 + n) * PARTS];
    }
}

/* A sum of -0 is made +0, so that products of zeros at its end change nothing. */
INLINE V finished(const Product *p, const Then then, const int masked, V sum, V old, int n)
{
    sum += 0.0f;
    if (then == RECTIFIED)
        sum = rectified(sum);
    if (then == TIMES_SLOPE)
        sum *= old;
    if (then == TIMES_STEP)
        sum *= relu_slope(old);
    return masked ? keep(p->units[n], sum) : sum;
}

INLINE void store(const Product *p, const Then then, const int masked, const V *sums, int m0, int n0,
                  const int tall, const int broad)
{
    UNROLL
    for (int m = 0; m < tall; m++)
    UNROLL
        for (int n = 0; n < broad; n++) {
            ptrdiff_t at = (m0 + m) * p->row + n0 + n;
            p->c[at] = finished(p, then, masked, sums[m * broad + n], p->c[at], n0 + n);
        }
}

/* sums[m][n] += a[m] b[n]. The factors of the shorter side stay in registers. */
INLINE void add_products(V *sums, const V *a, ptrdiff_t a_row, const V *b, ptrdiff_t b_row,
                         const int tall, const int broad)
{
    if (tall < broad) {
    UNROLL
        for (int n = 0; n < broad; n++)
    UNROLL
            for (int m = 0; m < tall; m++)
                sums[m * broad + n] = fma_(a[m * a_row], b[n * b_row], sums[m * broad + n]);
        return;
    }
    V factors[BROAD];
    UNROLL
    for (int n = 0; n < broad; n++)
        factors[n] = b[n * b_row];
    UNROLL
    for (int m = 0; m < tall; m++) {
        V factor = a[m * a_row];
    UNROLL
        for (int n = 0; n < broad; n++)
            sums[m * broad + n] = fma_(factor, factors[n], sums[m * broad + n]);
    }
}

/* c[m][n] = start[n] + sum over k of a[m][k] b[n][k], in the order of k. */
INLINE void tile(const Product *p, int m0, int n0, const int tall, const int broad)
{
    V sums[THIN > TALL * BROAD ? THIN : TALL * BROAD];
    const ptrdiff_t a_next = p->a.inner, b_next = p->b.inner, a_row = p->a.outer, b_row = p->b.outer;
    const V *a = p->a.at + m0 * a_row, *b = p->b.at + n0 * b_row;
    begin(p, sums, m0, n0, tall, broad);
    for (int k = p->count; k > 0; k--, a += a_next, b += b_next)
        add_products(sums, a, a_row, b, b_row, tall, broad);
#define THEN(what)                                                      \
    case what:                                                          \
        if (p->units)                                                   \
            store(p, what, 1, sums, m0, n0, tall, broad);               \
        else                                                            \
            store(p, what, 0, sums, m0, n0, tall, broad);               \
        break
    switch (p->then) {
        THEN(ITSELF);
        THEN(RECTIFIED);
        THEN(TIMES_SLOPE);
        THEN(TIMES_STEP);
    }
#undef THEN
}

/* The rows from `m` to `end`, a multiple of TALL, of all columns. */
INLINE void band(const Product *p, int m, int end, int columns)
{
    int n = 0;
    for (; n + BROAD <= columns; n += BROAD)
        for (int i = m; i < end; i += TALL)
            tile(p, i, n, TALL, BROAD);
    for (; n < columns; n++) {
        int i = m;
        for (; i + THIN <= end; i += THIN)
            tile(p, i, n, THIN, 1);
        for (; i < end; i += TALL)
            tile(p, i, n, TALL, 1);
    }
}

/* One row of all columns. */
INLINE void line(const Product *p, int m, int columns)
{
    int n = 0;
    for (; n + THIN <= columns; n += THIN)
        tile(p, m, n, 1, THIN);
    for (; n + BROAD <= columns; n += BROAD)
        tile(p, m, n, 1, BROAD);
    for (; n < columns; n++)
        tile(p, m, n, 1, 1);
}

static void multiply(const Product *p, int rows, int columns)
{
    int some = NEAR / p->count / TALL * TALL, m = 0, whole = rows / TALL * TALL;
    some = some < TALL ? TALL : some;
    for (; m < whole; m += some)
        band(p, m, m + some < whole ? m + some : whole, columns);
    for (m = whole; m < rows; m++)
        line(p, m, columns);
}

#endif
