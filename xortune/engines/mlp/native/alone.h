/* Training and measuring a lane alone, with vectors along the rows of a chunk.
 *
 * Its bits are those that it has in a block: every number is computed by itself, or is a sum in a
 * stated order, so it does not matter along what the vectors run.
 */
#ifndef XORTUNE_ALONE_H
#define XORTUNE_ALONE_H

#include "alone_passes.h"
#include "losses.h"
#include "measuring.h"

/* The sum of the rows' losses; leaves their gradients in p->sums, with respect to the mean over
 * `batch` rows. */
static float loss_alone(Alone *p, int rows, V share)
{
    const Block *b = p->block;
    int count = b->outputs_count;
    V losses[SIDE], *z = p->logits, *slopes = p->logits + count;
    const I kind = (I){0} + b->loss[0];
    for (int n = 0; n < p->across; n++) {
        for (int c = 0; c < count; c++)
            z[c] = p->hidden[p->count][c * SIDE + n];
        V y = p->targets[n];
        losses[n] = b->task == CLASSES  ? class_loss(z, y, count, slopes)
                    : b->task == BINARY ? logit_loss(z[0], y, slopes)
                                        : error_loss(z[0], y, kind, slopes);
        for (int c = 0; c < count; c++)
            p->sums[c * SIDE + n] = slopes[c] * share;
    }
    float total = 0.0f;
    for (int r = 0; r < rows; r++)
        total += ((float *)losses)[r];
    return total;
}

/* One step of the optimizer. */
static void update_alone(Alone *p)
{
    correct(&p->optimizer);
    Optimizer o = p->optimizer;
    o.rate = all(o.rate[0]), o.k = all(o.k[0]);
    V *weights = p->weights, *first = p->first, *second = p->second;
    const V *gradient = (const V *)p->gradient;
    for (int64_t i = 0; i < p->vectors; i++) {
        Number number = updated(&o, (Number){weights[i], first[i], second[i]}, gradient[i]);
        weights[i] = number.p;
        first[i] = number.first;
        second[i] = number.second;
    }
}

/* Trains one batch; returns its mean loss. */
static double train_batch_alone(Alone *p, int64_t place)
{
    const Block *b = p->block;
    int64_t start = place * b->batch, size = b->rows - start < b->batch ? b->rows - start : b->batch;
    V share = all(1.0f / (float)size);
    double total = 0.0;
    for (int64_t row = 0; row < size; row += CHUNK) {
        int rows = size - row < CHUNK ? (int)(size - row) : CHUNK;
        gather_alone(p, b->order + start + row, 0, rows);
        forward_alone(p, row);
        total += loss_alone(p, rows, share);
        backward_alone(p, rows, row > 0);
    }
    update_alone(p);
    return total / (double)size;
}

/* The optimizer's numbers of the lane in all places of its vectors. */
static void prepare_alone(Alone *p, int64_t an_epoch)
{
    Optimizer *o = &p->optimizer;
    prepare(o, p->block, 0, p->block->begin, an_epoch);
    o->a = all(o->a[0]), o->b = all(o->b[0]), o->c = all(o->c[0]), o->e = all(o->e[0]);
    o->decay = all(o->decay[0]), o->shrunk = all(o->shrunk[0]);
    o->nesterov = (I){0} + o->nesterov[0], o->squares = (I){0} + o->squares[0];
    o->some_nesterov = o->nesterov[0], o->some_squares = o->squares[0];
}

static void train_alone(const Block *block)
{
    Alone p;
    if (!block->mask[0])
        return;
    set_up_alone(&p, block);
    int64_t an_epoch = (block->rows + block->batch - 1) / block->batch;
    prepare_alone(&p, an_epoch);
    for (int64_t place = block->begin; place < block->end; place++) {
        U step = (U){0} + (uint32_t)(block->epoch[0] * an_epoch + place);
        p.key = mix(mix((U){0} + block->seed[0]) + step);
        block->losses[0] += train_batch_alone(&p, place);
    }
}

/* As `measure_part`. */
static void measure_alone(const Block *block)
{
    Alone p;
    if (!block->mask[0])
        return;
    set_up_alone(&p, block);
    int count = block->outputs_count;
    for (int64_t start = block->begin; start < block->end; start += CHUNK) {
        int rows = block->end - start < CHUNK ? (int)(block->end - start) : CHUNK;
        gather_alone(&p, NULL, start, rows);
        forward_alone(&p, -1);
        const float *outputs = (const float *)p.hidden[p.count];
        for (int r = 0; r < rows; r++) {
            double losses[LANES] = {block->losses[0]};
            for (int c = 0; c < count; c++)
                p.logits[c] = all(outputs[c * CHUNK + r]);
            add_loss(p.logits, block->y[start + r], block->task, count, block->loss, losses);
            block->losses[0] = losses[0];
            for (int c = 0; block->outputs && c < count; c++)
                block->outputs[(start + r) * count + c] = outputs[c * CHUNK + r];
        }
    }
}

#endif
