/* Products of numbers with vectors, for a lane alone, in tiles that stay in registers. */
#ifndef XORTUNE_ALONE_PRODUCTS_H
#define XORTUNE_ALONE_PRODUCTS_H

#include "vector.h"

/* HIGH * PAIR sums, PAIR vectors and one number more fill the registers. */
enum { HIGH = VECTOR == 8 ? 6 : 12, PAIR = 2 };

/* c[m][n] = start[m] + sum over k of a[m][k] b[k][n], in the order of k, as in products.h. */
typedef struct {
    const float *a; /* its numbers `row` and `next` apart */
    ptrdiff_t row, next;
    const V *b; /* its rows `b_row` vectors apart */
    ptrdiff_t b_row;
    float *c; /* its rows `c_row` numbers apart */
    ptrdiff_t c_row;
    const float *start; /* what each sum begins with, or NULL */
    int count;          /* of the products in a sum */
    int added;          /* whether to add to `c` */
    int columns;        /* of `c`, in numbers */
    float *next_column; /* (m): one column more, where it is kept; or NULL */
} Outer;

/* What the sums of a vector begin with. */
INLINE V begun(const Outer *p, int m, int n)
{
    if (p->start)
        return all(p->start[m]);
    if (!p->added)
        return (V){0};
    const float *c = p->c + m * p->c_row + n * VECTOR;
    int left = p->columns - n * VECTOR;
    if (left >= VECTOR)
        return load(c);
    V v = load_first(c, left);
    v[left] = p->next_column[m];
    return v;
}

INLINE void ended(const Outer *p, int m, int n, V sum)
{
    float *c = p->c + m * p->c_row + n * VECTOR;
    int left = p->columns - n * VECTOR;
    if (left >= VECTOR) {
        memcpy(c, &sum, sizeof sum);
        return;
    }
    store_first(c, sum, left);
    if (p->next_column)
        p->next_column[m] = sum[left];
}

INLINE void outer_tile(const Outer *p, int m0, int n0, const int high, const int pair)
{
    V sums[HIGH][PAIR];
    const ptrdiff_t row = p->row, next = p->next, b_row = p->b_row;
    const float *a = p->a + m0 * row;
    const V *b = p->b + n0;
    UNROLL
    for (int m = 0; m < high; m++)
    UNROLL
        for (int n = 0; n < pair; n++)
            sums[m][n] = begun(p, m0 + m, n0 + n);
    for (int k = p->count; k > 0; k--) {
        V factors[PAIR];
    UNROLL
        for (int n = 0; n < pair; n++)
            factors[n] = b[n];
    UNROLL
        for (int m = 0; m < high; m++) {
            V factor = all(a[m * row]);
    UNROLL
            for (int n = 0; n < pair; n++)
                sums[m][n] = fma_(factor, factors[n], sums[m][n]);
        }
        a += next;
        b += b_row;
    }
    UNROLL
    for (int m = 0; m < high; m++)
    UNROLL
        for (int n = 0; n < pair; n++)
            ended(p, m0 + m, n0 + n, sums[m][n] + 0.0f);
}

/* A tile of any height. */
INLINE void tile_of(const Outer *p, int m, int n, int high, const int pair)
{
#define HEIGHT(high)                        \
    case high:                              \
        outer_tile(p, m, n, high, pair);    \
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
static void multiply_outer(const Outer *p, int rows, int vectors)
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
