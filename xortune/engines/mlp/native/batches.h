/* Where lanes are in their batches.
 *
 * All lanes of a block train on the same number of rows at a time, a portion. Where their batches
 * differ, a portion is their greatest common divisor: a lane takes a step after as many portions as
 * its batch has, and its gradient grows until then.
 */
#ifndef XORTUNE_BATCHES_H
#define XORTUNE_BATCHES_H

#include "vector.h"

typedef struct {
    I begins, ends; /* the lanes whose batch begins with this portion, and ends with it */
    V share;        /* of a row in the mean loss of its batch */
    U row;          /* of the portion's first row, in its batch */
    U step;         /* of the epoch */
    double size[VECTOR]; /* of the batch */
} Batches;

static int64_t portions_of(const Block *block)
{
    return (block->rows + block->batch - 1) / block->batch;
}

/* The batches of an epoch of a lane. */
static int64_t steps_of(const Block *block, int lane)
{
    return (portions_of(block) + block->portions[lane] - 1) / block->portions[lane];
}

/* Finds the batches to which the portion `place` of an epoch belongs, for the lanes from `at`. */
static void find(Batches *s, const Block *block, int at, int64_t place)
{
    int64_t last = portions_of(block) - 1;
    for (int l = 0; l < VECTOR; l++) {
        int64_t each = block->portions[at + l], within = each > 1 ? place % each : 0;
        int64_t left = block->rows - (place - within) * block->batch, size = each * block->batch;
        size = left < size ? left : size;
        s->size[l] = (double)size;
        s->share[l] = 1.0f / (float)size;
        s->row[l] = (uint32_t)(within * block->batch);
        s->step[l] = (uint32_t)(each > 1 ? place / each : place);
        s->begins[l] = -(within == 0);
        s->ends[l] = -(within + 1 == each || place == last);
        if (!within)
            block->totals[at + l] = 0.0;
    }
}

#endif
