/* Training and measuring a part of a block. */
#ifndef XORTUNE_TRAINING_H
#define XORTUNE_TRAINING_H

#include "alone.h"
#include "losses.h"
#include "measuring.h"
#include "order.h"
#include "passes.h"

/* As `gather`, from inputs and targets that lie apart. */
static void gather_apart(Part *p, const int32_t *order, int rows)
{
    const Block *b = p->block;
    for (int r = 0; r < rows; r++, order += LANES)
        for (int l = 0; l < VECTOR; l++) {
            const float *own = b->x + (ptrdiff_t)order[l] * b->inputs;
            for (int i = 0; i < b->inputs; i++)
                p->hidden[0][r * b->inputs + i][l] = own[i];
            p->targets[r][l] = b->y[order[l]];
        }
}

/* Gathers rows of each lane's own order: inputs and targets. */
static void gather(Part *p, int64_t start, int rows)
{
    const Block *b = p->block;
    const int inputs = b->inputs, stride = b->stride;
    const int32_t *order = b->order + start * LANES + p->at;
    V *x = p->hidden[0];
    if (!b->table) {
        gather_apart(p, order, rows);
        return;
    }
    for (int r = 0; r < rows; r++, order += LANES, x += inputs) {
        const float *own[VECTOR];
        UNROLL
        for (int l = 0; l < VECTOR; l++)
            own[l] = b->table + (ptrdiff_t)order[l] * stride;
        for (int i = 0; i < stride; i += 4)
            transposed(own, i, x + i);
        p->targets[r] = x[inputs]; /* where the next row, or what is computed from them, follows */
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

/* One step of the optimizers, for `count` numbers of one row of a layer; of the lanes whose batch
 * ends, if it does not end for all. */
INLINE void update_row(const Part *p, const Optimizer *o, int64_t place, int count, I row,
                       const I *units, const int mixed)
{
    const I ends = p->batches.ends;
    V *weights = p->weights, *first = p->first, *second = p->second;
    const V *gradient = p->gradient + place;
    for (int i = 0; i < count; i++) {
        int64_t at = (place + i) * PARTS;
        Number number = {weights[at], first[at], second[at]};
        number = updated(o, number, gradient[i]);
        number.p = keep(units ? row & units[i] : row, number.p);
        weights[at] = mixed ? choose(ends, number.p, weights[at]) : number.p;
        first[at] = mixed ? choose(ends, number.first, first[at]) : number.first;
        second[at] = mixed ? choose(ends, number.second, second[at]) : number.second;
    }
}

INLINE void update_all(const Part *p, const int mixed)
{
    const Optimizer o = p->optimizer;
    const I every = ~(I){0};
    if (!p->ragged) {
        const Layer *last = p->layers + p->count - 1;
        update_row(p, &o, 0, (int)(last->bias + last->after), every, NULL, mixed);
        return;
    }
    for (int k = 0; k < p->count; k++) {
        const Layer *layer = p->layers + k;
        for (int j = 0; j < layer->after; j++) {
            I row = k + 1 < p->count ? layer->has & p->units[j] : every;
            int64_t place = layer->weight + (int64_t)j * layer->before;
            update_row(p, &o, place, layer->before, row, k ? p->units : NULL, mixed);
            update_row(p, &o, layer->bias + j, 1, row, NULL, mixed);
        }
    }
}

static void update(Part *p)
{
    const Batches *batches = &p->batches;
    if (batches->ending == NONE)
        return;
    correct(&p->optimizer, batches->ends);
    if (batches->ending == SOME)
        update_all(p, 1);
    else
        update_all(p, 0);
}

/* Gradients of 0 for the lanes whose batch begins, where those of others are to grow. */
static void clear_gradients(Part *p)
{
    const Layer *last = p->layers + p->count - 1;
    for (int64_t i = 0; i < last->bias + last->after; i++)
        p->gradient[i] = keep(~p->batches.begins, p->gradient[i]);
}

/* Of this step, for all layers: see dropout.py. */
static U dropout_key(const Part *p)
{
    const Block *b = p->block;
    U seed, epoch;
    memcpy(&seed, b->seed + p->at, sizeof seed);
    memcpy(&epoch, b->epoch + p->at, sizeof epoch);
    return mix(mix(seed) + epoch * p->batches.steps + p->batches.step);
}

/* Trains one portion of rows; adds to the lanes' losses the mean ones of batches that end. */
static void train_portion(Part *p, int64_t place)
{
    const Block *b = p->block;
    Batches *batches = &p->batches;
    find_batches(batches, b, p->at, place);
    if (b->dropout)
        p->key = dropout_key(p);
    if (batches->grows)
        clear_gradients(p);
    int64_t start = place * b->batch, size = rows_of(b, place, 1);
    for (int64_t row = 0; row < size; row += CHUNK) {
        int rows = size - row < CHUNK ? (int)(size - row) : CHUNK;
        gather(p, start + row, rows);
        forward(p, rows, row);
        V total = loss(p, rows, batches->share);
        for (int l = 0; l < VECTOR; l++)
            b->totals[p->at + l] += total[l];
        backward(p, rows, batches->grows || row > 0);
    }
    update(p);
    for (int l = 0; l < VECTOR; l++) {
        double mean = b->totals[p->at + l] / batches->sizes[l];
        b->losses[p->at + l] += batches->ends[l] ? mean : 0.0;
    }
}

static void train_part(const Block *block, int part)
{
    Part p;
    set_up(&p, block, part);
    if (!any(p.mask))
        return;
    plan_batches(&p.batches, block, p.at);
    prepare(&p.optimizer, block, p.at, block->begin, p.batches.steps);
    for (int64_t place = block->begin; place < block->end; place++)
        train_portion(&p, place);
}

/* Measures rows `begin` to `end`: adds their losses, and what scores are made of unless it is NULL. */
static void measure_part(const Block *block, const Scores *scores, int part)
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
        for (int r = 0; r < rows; r++, outputs += count) {
            add_loss(block, p.at, start + r, outputs);
            if (scores)
                add_scores(scores, block, p.at, start + r, outputs);
        }
    }
}

/* What mlp.c takes from a file for a kind of processor, which says how NAMED names it. */
void NAMED(xortune_train)(const Block *block)
{
    if (block->lanes == 1) {
        train_alone(block);
        return;
    }
    for (int part = 0; part < PARTS; part++)
        train_part(block, part);
}

void NAMED(xortune_measure)(const Block *block, const Scores *scores)
{
    if (block->lanes == 1) {
        measure_alone(block, scores);
        return;
    }
    for (int part = 0; part < PARTS; part++)
        measure_part(block, scores, part);
}

void NAMED(xortune_permute)(uint32_t *words, int32_t *order, int64_t rows)
{
    permute(words, order, rows);
}

#endif
