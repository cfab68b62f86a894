/* Products of numbers with vectors, for a lane alone, in tiles that stay in registers. */
#ifndef XORTUNE_ALONE_PRODUCTS_H
#define XORTUNE_ALONE_PRODUCTS_H

#include "products.h"

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
    Then then;     /* what is stored of a sum */
    const V *with; /* (m, n), as `c`: the slopes, or the results of ReLU */
} Spread;

/* Stores the sums of a tile; -0 is made +0, as in products.h. */
INLINE void spread_out(const Spread *p, const Then then, const V *sums, int m0, int n0,
                       const int high, const int pair)
{
    V *c = p->c + m0 * p->c_row + n0;
    const V *with = p->with + m0 * p->c_row + n0;
    UNROLL
    for (int m = 0; m < high; m++)
    UNROLL
        for (int n = 0; n < pair; n++) {
            V sum = sums[m * PAIR + n] + 0.0f;
            ptrdiff_t at = m * p->c_row + n;
            c[at] = then == RECTIFIED     ? rectified(sum)
                    : then == TIMES_SLOPE ? sum * with[at]
                    : then == TIMES_STEP  ? sum * relu_slope(with[at])
                                          : sum;
        }
}

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
#define THEN(what)                                                   \
    case what:                                                       \
        spread_out(p, what, sums[0], m0, n0, high, pair);            \
        break
    switch (p->then) {
        THEN(ITSELF);
        THEN(RECTIFIED);
        THEN(TIMES_SLOPE);
        THEN(TIMES_STEP);
    }
#undef THEN
}

/* A tile of one of the heights for which there is code. */
INLINE void tile_of(const Spread *p, int m, int n, int high, const int pair)
{
#define HEIGHT(high)                      \
    case high:                            \
        spread_tile(p, m, n, high, pair); \
        break
    switch (high) {
        HEIGHT(1);
        HEIGHT(2);
        HEIGHT(3);
        HEIGHT(4);
        HEIGHT(6);
#if VECTOR != 8
        HEIGHT(8);
        HEIGHT(12);
#endif
    }
#undef HEIGHT
}

/* All tiles: as high as can be, since sums that are few wait for those before. */
static void spread(const Spread *p, int rows, int vectors)
{
    for (int m = 0, high; m < rows; m += high) {
        int left = rows - m, n = 0;
        high = left >= HIGH ? HIGH : left >= 8 ? 8 : left >= 6 ? 6 : left >= 4 ? 4 : left;
        for (; n + PAIR <= vectors; n += PAIR)
            tile_of(p, m, n, high, PAIR);
        if (n < vectors)
            tile_of(p, m, n, high, 1);
    }
}

#endif
