/* Where lanes are in their batches.
 *
 * All lanes of a block train on the same number of rows at a time, a portion. Where their batches
 * differ, a portion is their greatest common divisor: a lane takes a step after as many portions as
 * its batch has, and its gradient grows until then.
 */
#ifndef XORTUNE_BATCHES_H
#define XORTUNE_BATCHES_H

#include "vector.h"

enum { NONE, SOME, ALL };

typedef struct {
    int64_t count;      /* portions of an epoch */
    int several;        /* whether a batch of any lane has several */
    U steps;            /* of each lane: its batches in an epoch */
    I begins, ends;     /* the lanes whose batch begins with this portion, and ends with it */
    int grows;          /* whether any began earlier */
    int ending;         /* SOME, ALL or NONE */
    V share;            /* of a row in the mean loss of its batch */
    U row;              /* of the portion's first row, in its batch */
    U step;             /* of the epoch */
    double sizes[VECTOR]; /* of the batches */
} Batches;

static void plan_batches(Batches *s, const Block *block, int at)
{
    s->count = (block->rows + block->batch - 1) / block->batch;
    for (int l = 0; l < VECTOR; l++) {
        int64_t each = block->portions[at + l];
        s->several |= each > 1;
        s->steps[l] = (uint32_t)((s->count + each - 1) / each);
    }
}

/* The rows of a batch of so many portions, which is the last if fewer are left. */
INLINE int64_t rows_of(const Block *block, int64_t portion, int64_t each)
{
    int64_t left = block->rows - portion * block->batch, size = each * block->batch;
    return left < size ? left : size;
}

/* Finds the batches to which a portion of an epoch belongs, for the lanes from `at`. */
static void find_batches(Batches *s, const Block *block, int at, int64_t portion)
{
    if (!s->several) { /* As below, sooner. */
        int64_t size = rows_of(block, portion, 1);
        s->begins = s->ends = ~(I){0};
        s->ending = ALL;
        s->share = all(1.0f / (float)size);
        s->step = (U){0} + (uint32_t)portion;
        for (int l = 0; l < VECTOR; l++) {
            s->sizes[l] = (double)size;
            block->totals[at + l] = 0.0;
        }
        return;
    }
    for (int l = 0; l < VECTOR; l++) {
        int64_t each = block->portions[at + l], within = portion % each;
        int64_t size = rows_of(block, portion - within, each);
        s->sizes[l] = (double)size;
        s->share[l] = 1.0f / (float)size;
        s->row[l] = (uint32_t)(within * block->batch);
        s->step[l] = (uint32_t)(portion / each);
        s->begins[l] = -(within == 0);
        s->ends[l] = -(within + 1 == each || portion + 1 == s->count);
        if (!within)
            block->totals[at + l] = 0.0;
    }
    s->grows = any(~s->begins);
    s->ending = !any(s->ends) ? NONE : any(~s->ends) ? SOME : ALL;
}

#endif
