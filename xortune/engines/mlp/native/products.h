/* Products of matrices whose every number is a vector of lanes, in tiles that stay in registers. */
#ifndef XORTUNE_PRODUCTS_H
#define XORTUNE_PRODUCTS_H

#include "vector.h"

/* A matrix with its two strides, in vectors. */
typedef struct {
    const V *at;
    ptrdiff_t outer, inner;
} Matrix;

/* TALL * BROAD sums, BROAD factors and one more fill the registers. */
#if VECTOR == 16
enum { TALL = 4, BROAD = 4 };
#else
enum { TALL = 3, BROAD = 3 };
#endif
/* Vectors of the first factor that stay in the fastest cache while the second passes. */
enum { NEAR = 32768 / (4 * VECTOR) };

typedef struct {
    Matrix a, b;
    V *c;           /* (m, n), its rows `row` vectors apart */
    const V *start; /* (n), `step` vectors apart: what each sum begins with, or NULL */
    ptrdiff_t row, step;
    int count; /* of the products in a sum */
    int added; /* whether to add to `c` */
} Product;

/* c[m][n] = start[n] + sum over k of a[m][k] b[n][k], in the order of k. A sum of -0 is made +0, so
 * that products of zeros at its end change nothing. */
INLINE void tile(const Product *p, int m0, int n0, const int tall, const int broad)
{
    V sums[TALL][BROAD];
    const ptrdiff_t a_next = p->a.inner, b_next = p->b.inner, a_row = p->a.outer, b_row = p->b.outer;
    const V *a = p->a.at + m0 * a_row, *b = p->b.at + n0 * b_row;
    V *c = p->c + m0 * p->row + n0;
    UNROLL
    for (int m = 0; m < tall; m++)
    UNROLL
        for (int n = 0; n < broad; n++)
            sums[m][n] = p->added ? c[m * p->row + n]
                         : p->start ? p->start[(n0 + n) * p->step] : (V){0};
    for (int k = p->count; k > 0; k--) {
        V factors[BROAD];
    UNROLL
        for (int n = 0; n < broad; n++)
            factors[n] = b[n * b_row];
    UNROLL
        for (int m = 0; m < tall; m++) {
            V factor = a[m * a_row];
    UNROLL
            for (int n = 0; n < broad; n++)
                sums[m][n] = fma_(factor, factors[n], sums[m][n]);
        }
        a += a_next;
        b += b_next;
    }
    UNROLL
    for (int m = 0; m < tall; m++)
    UNROLL
        for (int n = 0; n < broad; n++)
            c[m * p->row + n] = sums[m][n] + 0.0f;
}

/* The tiles of `broad` columns, for the rows from `m` to `end`. */
INLINE void column(const Product *p, int m, int end, int n, const int broad)
{
    for (; m + TALL <= end; m += TALL)
        tile(p, m, n, TALL, broad);
    for (; m < end; m++)
        tile(p, m, n, 1, broad);
}

static void multiply(const Product *p, int rows, int columns)
{
    int some = NEAR / p->count / TALL * TALL;
    some = some < TALL ? TALL : some;
    for (int m = 0; m < rows; m += some) {
        int end = m + some < rows ? m + some : rows, n = 0;
        for (; n + BROAD <= columns; n += BROAD)
            column(p, m, end, n, BROAD);
        for (; n < columns; n++)
            column(p, m, end, n, 1);
    }
}

#endif
