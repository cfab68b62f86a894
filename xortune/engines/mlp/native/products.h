/* Products of matrices whose every number is a vector of lanes, in tiles that stay in registers. */
#ifndef XORTUNE_PRODUCTS_H
#define XORTUNE_PRODUCTS_H

#include "vector.h"

/* A matrix with its two strides, in vectors. */
typedef struct {
    const V *at;
    ptrdiff_t outer, inner;
} Matrix;

/* TALL * BROAD sums, and BROAD + 1 factors, fill the registers. */
#if VECTOR == 16
enum { TALL = 6, BROAD = 4 };
#else
enum { TALL = 3, BROAD = 3 };
#endif

typedef struct {
    Matrix a, b;
    V *c;                  /* (m, n), its rows `row` vectors apart */
    const V *start;        /* (n), `step` vectors apart: what each sum begins with, or NULL */
    ptrdiff_t row, step;
    int count;             /* of the products in a sum */
    int added;             /* whether to add to `c` */
} Product;

/* c[m][n] = start[n] + sum over k of a[m][k] b[n][k], in the order of k. A sum of -0 is made +0, so
 * that products of zeros at its end change nothing. */
INLINE void tile(const Product *p, int m0, int n0, const int tall, const int broad)
{
    V sums[tall][broad];
    const V *a = p->a.at + m0 * p->a.outer, *b = p->b.at + n0 * p->b.outer;
    V *c = p->c + m0 * p->row + n0;
    for (int m = 0; m < tall; m++)
        for (int n = 0; n < broad; n++)
            sums[m][n] = p->added ? c[m * p->row + n]
                         : p->start ? p->start[(n0 + n) * p->step] : (V){0};
    for (int k = 0; k < p->count; k++) {
        V factors[broad];
        for (int n = 0; n < broad; n++)
            factors[n] = b[n * p->b.outer];
        for (int m = 0; m < tall; m++) {
            V factor = a[m * p->a.outer];
            for (int n = 0; n < broad; n++)
                sums[m][n] = fma_(factor, factors[n], sums[m][n]);
        }
        a += p->a.inner;
        b += p->b.inner;
    }
    for (int m = 0; m < tall; m++)
        for (int n = 0; n < broad; n++)
            c[m * p->row + n] = sums[m][n] + 0.0f;
}

INLINE void tiles(const Product *p, int m0, int columns, const int tall)
{
    int n = 0;
    for (; n + BROAD <= columns; n += BROAD)
        tile(p, m0, n, tall, BROAD);
    for (; n < columns; n++)
        tile(p, m0, n, tall, 1);
}

static void multiply(const Product *p, int rows, int columns)
{
    int m = 0;
    for (; m + TALL <= rows; m += TALL)
        tiles(p, m, columns, TALL);
    for (; m + 2 <= rows; m += 2)
        tiles(p, m, columns, 2);
    for (; m < rows; m++)
        tiles(p, m, columns, 1);
}

#endif
