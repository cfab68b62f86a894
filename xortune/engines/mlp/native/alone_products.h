/* Products of numbers with vectors, for a lane alone, in tiles that stay in registers. */
#ifndef XORTUNE_ALONE_PRODUCTS_H
#define XORTUNE_ALONE_PRODUCTS_H

#include "vector.h"

/* HIGH * PAIR sums, PAIR vectors and one number more fill the registers. */
enum { HIGH = VECTOR == 8 ? 6 : 12, PAIR = 2 };

/* c[m][n] = start[m] + sum over k of a[m][k] b[k][n], in the order of k, as in products.h. */
typedef struct {
    const float *a; /* its numbers `a_row` and `a_next` apart */
    ptrdiff_t a_row, a_next;
    const V *b; /* its rows `b_row` vectors apart */
    V *c;       /* its rows `c_row` vectors apart */
    ptrdiff_t b_row, c_row;
    const float *start; /* what the sums begin with, `start_next` apart */
    ptrdiff_t start_next;
    int count; /* of the products in a sum */
    int added; /* whether to begin with what is in `c` */
    const V *with; /* (m, n), as `c`: what the sums are multiplied by, or NULL */
} Spread;

INLINE void spread_tile(const Spread *p, int m0, int n0, const int high, const int pair)
{
    V sums[HIGH][PAIR];
    const ptrdiff_t a_row = p->a_row, a_next = p->a_next, b_row = p->b_row, c_row = p->c_row;
    const float *a = p->a + m0 * a_row, *start = p->start + m0 * p->start_next;
    const V *b = p->b + n0;
    V *c = p->c + m0 * c_row + n0;
    if (p->added) {
    UNROLL
        for (int m = 0; m < high; m++)
    UNROLL
            for (int n = 0; n < pair; n++)
                sums[m][n] = c[m * c_row + n];
    } else {
    UNROLL
        for (int m = 0; m < high; m++)
    UNROLL
            for (int n = 0; n < pair; n++)
                sums[m][n] = all(start[m * p->start_next]);
    }
    for (int k = p->count; k > 0; k--) {
        V factors[PAIR];
    UNROLL
        for (int n = 0; n < pair; n++)
            factors[n] = b[n];
    UNROLL
        for (int m = 0; m < high; m++) {
            V factor = all(a[m * a_row]);
    UNROLL
            for (int n = 0; n < pair; n++)
                sums[m][n] = fma_(factor, factors[n], sums[m][n]);
        }
        a += a_next;
        b += b_row;
    }
    if (p->with) {
        const V *with = p->with + m0 * c_row + n0;
    UNROLL
        for (int m = 0; m < high; m++)
    UNROLL
            for (int n = 0; n < pair; n++)
                c[m * c_row + n] = (sums[m][n] + 0.0f) * with[m * c_row + n];
    } else {
    UNROLL
        for (int m = 0; m < high; m++)
    UNROLL
            for (int n = 0; n < pair; n++)
                c[m * c_row + n] = sums[m][n] + 0.0f;
    }
}

/* A tile of any height. */
INLINE void tile_of(const Spread *p, int m, int n, int high, const int pair)
{
#define HEIGHT(high)                     \
    case high:                           \
        spread_tile(p, m, n, high, pair); \
        break
    switch (high) {
        HEIGHT(1);
        HEIGHT(2);
        HEIGHT(3);
        HEIGHT(4);
        HEIGHT(5);
        HEIGHT(6);
#if VECTOR != 8
        HEIGHT(7);
        HEIGHT(8);
        HEIGHT(9);
        HEIGHT(10);
        HEIGHT(11);
        HEIGHT(12);
#endif
    }
#undef HEIGHT
}

/* All tiles, of heights as equal as can be. */
static void spread(const Spread *p, int rows, int vectors)
{
    int tiles = (rows + HIGH - 1) / HIGH, m = 0;
    for (int i = 0; i < tiles; i++) {
        int high = (rows - m) / (tiles - i), n = 0;
        for (; n + PAIR <= vectors; n += PAIR)
            tile_of(p, m, n, high, PAIR);
        if (n < vectors)
            tile_of(p, m, n, high, 1);
        m += high;
    }
}

#endif
