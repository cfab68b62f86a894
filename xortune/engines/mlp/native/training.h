/* Training and measuring a part of a block. */
#ifndef XORTUNE_TRAINING_H
#define XORTUNE_TRAINING_H

#include "alone.h"
#include "losses.h"
#include "measuring.h"
#include "passes.h"

/* Gathers rows of each lane's own order; those of resting lanes are the first row. */
static void gather(Part *p, int64_t start, int rows)
{
    const Block *b = p->block;
    int inputs = b->inputs;
    for (int r = 0; r < rows; r++) {
        int64_t place[VECTOR];
        float *x = (float *)(p->hidden[0] + (int64_t)r * inputs), *y = (float *)(p->targets + r);
        for (int l = 0; l < VECTOR; l++) {
            place[l] = b->mask[p->at + l] ? b->order[(p->at + l) * b->rows + start + r] : 0;
            y[l] = b->y[place[l]];
            place[l] *= inputs;
        }
        for (int i = 0; i < inputs; i++)
            for (int l = 0; l < VECTOR; l++)
                x[i * VECTOR + l] = b->x[place[l] + i];
    }
}

/* The sum of the rows' losses; leaves their gradients in p->sums, with respect to the mean over
 * `batch` rows. */
static V loss(Part *p, int rows, V share)
{
    const Block *b = p->block;
    int count = b->outputs_count;
    V total = {0};
    for (int r = 0; r < rows; r++) {
        const V *outputs = p->hidden[p->count] + r * count;
        V *slopes = p->sums + r * count, y = p->targets[r];
        total += b->task == CLASSES  ? class_loss(outputs, y, count, slopes)
                 : b->task == BINARY ? logit_loss(outputs[0], y, slopes)
                                     : error_loss(outputs[0], y, p->loss, slopes);
        for (int c = 0; c < count; c++)
            slopes[c] = keep(p->mask, slopes[c] * share);
    }
    return total;
}

/* One step of the optimizers, for `count` numbers of one row of a layer. */
INLINE void update_row(const Part *p, const Optimizer *o, int64_t place, int count, I row,
                       const I *units)
{
    V *weights = p->weights, *first = p->first, *second = p->second;
    const V *gradient = p->gradient + place;
    for (int i = 0; i < count; i++) {
        int64_t at = (place + i) * PARTS;
        Number number = {weights[at], first[at], second[at]};
        number = updated(o, number, gradient[i]);
        weights[at] = keep(units ? row & units[i] : row, number.p);
        first[at] = number.first;
        second[at] = number.second;
    }
}

static void update(Part *p)
{
    correct(&p->optimizer);
    const Optimizer o = p->optimizer;
    const I every = ~(I){0};
    if (!p->ragged) {
        const Layer *last = p->layers + p->count - 1;
        update_row(p, &o, 0, (int)(last->bias + last->after), every, NULL);
        return;
    }
    for (int k = 0; k < p->count; k++) {
        const Layer *layer = p->layers + k;
        for (int j = 0; j < layer->after; j++) {
            I row = k + 1 < p->count ? layer->has & p->units[j] : every;
            int64_t place = layer->weight + (int64_t)j * layer->before;
            update_row(p, &o, place, layer->before, row, k ? p->units : NULL);
            update_row(p, &o, layer->bias + j, 1, row, NULL);
        }
    }
}

/* Trains one batch; adds its mean loss to the lanes' losses. */
static void train_batch(Part *p, int64_t place)
{
    const Block *b = p->block;
    int64_t start = place * b->batch, size = b->rows - start < b->batch ? b->rows - start : b->batch;
    V share = all(1.0f / (float)size);
    double totals[VECTOR] = {0};
    for (int64_t row = 0; row < size; row += CHUNK) {
        int rows = size - row < CHUNK ? (int)(size - row) : CHUNK;
        gather(p, start + row, rows);
        forward(p, rows, row);
        V total = loss(p, rows, share);
        for (int l = 0; l < VECTOR; l++)
            totals[l] += total[l];
        backward(p, rows, row > 0);
    }
    update(p);
    for (int l = 0; l < VECTOR; l++)
        b->losses[p->at + l] += totals[l] / (double)size;
}

/* Of the step `place` of this epoch, for all layers: see dropout.py. */
static U dropout_key(const Block *block, int at, int64_t an_epoch, int64_t place)
{
    U seed, step;
    for (int l = 0; l < VECTOR; l++) {
        seed[l] = block->seed[at + l];
        step[l] = (uint32_t)(block->epoch[at + l] * an_epoch + place);
    }
    return mix(mix(seed) + step);
}

static void train_part(const Block *block, int part)
{
    Part p;
    set_up(&p, block, part);
    if (!any(p.mask))
        return;
    int64_t an_epoch = (block->rows + block->batch - 1) / block->batch;
    prepare(&p.optimizer, block, p.at, block->begin, an_epoch);
    for (int64_t place = block->begin; place < block->end; place++) {
        if (block->dropout)
            p.key = dropout_key(block, p.at, an_epoch, place);
        train_batch(&p, place);
    }
}

/* Measures rows `begin` to `end`: adds their losses, and keeps the outputs where they are wanted. */
static void measure_part(const Block *block, int part)
{
    Part p;
    set_up(&p, block, part);
    if (!any(p.mask))
        return;
    int count = block->outputs_count;
    for (int64_t start = block->begin; start < block->end; start += CHUNK) {
        int rows = block->end - start < CHUNK ? (int)(block->end - start) : CHUNK;
        const float *x = block->x + start * block->inputs;
        for (int i = 0; i < rows * block->inputs; i++)
            p.hidden[0][i] = all(x[i]);
        forward(&p, rows, -1);
        const V *outputs = p.hidden[p.count];
        for (int r = 0; r < rows; r++)
            add_loss(outputs + r * count, block->y[start + r], block->task, count,
                     block->loss + p.at, block->losses + p.at);
        for (int i = 0; block->outputs && i < rows * count; i++)
            memcpy(block->outputs + (start * count + i) * LANES + p.at, outputs + i, sizeof(V));
    }
}

static void train_parts(const Block *block)
{
    if (block->lanes == 1) {
        train_alone(block);
        return;
    }
    for (int part = 0; part < PARTS; part++)
        train_part(block, part);
}

static void measure_parts(const Block *block)
{
    if (block->lanes == 1) {
        measure_alone(block);
        return;
    }
    for (int part = 0; part < PARTS; part++)
        measure_part(block, part);
}

#endif
