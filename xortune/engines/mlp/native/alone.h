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
static float loss_alone(Lone *p, int rows, V share)
{
    const Block *b = p->block;
    int count = b->outputs_count;
    V losses[SIDE], *z = p->logits, *slopes = p->logits + count;
    const I kind = (I){0} + b->loss[0];
    for (int n = 0; n < p->across; n++) {
        for (int c = 0; c < count; c++)
            z[c] = p->hidden[p->count][c * p->across + n];
        V y = p->targets[n];
        losses[n] = b->task == CLASSES  ? class_loss(z, y, count, slopes)
                    : b->task == BINARY ? logit_loss(z[0], y, slopes)
                                        : error_loss(z[0], y, kind, slopes);
        for (int c = 0; c < count; c++)
            p->sums[c * p->across + n] = slopes[c] * share;
    }
    float total = 0.0f;
    for (int r = 0; r < rows; r++)
        total += ((float *)losses)[r];
    return total;
}

/* One step of the optimizer for `count` numbers, from `place` on. */
static void update_numbers(Lone *p, const Optimizer *o, int64_t place, const float *gradient,
                           int count)
{
    float *weights = p->weights + place, *first = p->first + place, *second = p->second + place;
    int i = 0;
    for (; i + VECTOR <= count; i += VECTOR) {
        Number number = {load(weights + i), load(first + i), load(second + i)};
        number = updated(o, number, load(gradient + i));
        put(weights + i, number.p);
        put(first + i, number.first);
        put(second + i, number.second);
    }
    int left = count - i;
    if (!left)
        return;
    Number number = {load_first(weights + i, left), load_first(first + i, left),
                     load_first(second + i, left)};
    number = updated(o, number, load_first(gradient + i, left));
    put_first(weights + i, number.p, left);
    put_first(first + i, number.first, left);
    put_first(second + i, number.second, left);
}

/* One step of the optimizer for a layer. Gradients in rows that are no whole vectors are first put
 * one behind the other, some rows at a time; what lies behind a row is overwritten by the next. */
static void update_layer(Lone *p, const Optimizer *o, int k)
{
    const Layer *layer = p->layers + k;
    int before = layer->before, after = layer->after, row = vectors_of(before);
    int whole = before % VECTOR == 0, some = whole ? after : VECTOR;
    for (int j = 0; j < after; j += some) {
        const V *gradient = p->gradients[k] + (int64_t)j * row;
        int rows = after - j < some ? after - j : some;
        for (int i = 0; i < rows && !whole; i++)
            for (int u = 0; u < row; u++)
                put(p->some + i * before + u * VECTOR, gradient[i * row + u]);
        const float *in_order = whole ? (const float *)gradient : p->some;
        update_numbers(p, o, layer->weight + (int64_t)j * before, in_order, rows * before);
    }
    update_numbers(p, o, layer->bias, (const float *)p->biases[k], after);
}

static void update_alone(Lone *p)
{
    correct(&p->optimizer, ~(I){0});
    Optimizer o = p->optimizer;
    o.rate = all(o.rate[0]), o.k = all(o.k[0]);
    for (int k = 0; k < p->count; k++)
        update_layer(p, &o, k);
}

/* Trains one portion of rows; adds to the lane's losses the mean one of a batch that ends. */
static void train_portion_alone(Lone *p, int64_t place)
{
    const Block *b = p->block;
    int64_t each = b->portions[0], within = place % each;
    int64_t start = place * b->batch, size = rows_of(b, place, 1);
    int64_t of_batch = rows_of(b, place - within, each);
    V share = all(1.0f / (float)of_batch);
    U step = p->steps * (uint32_t)b->epoch[0] + (uint32_t)(place / each);
    p->key = mix(mix((U){0} + b->seed[0]) + step);
    if (!within)
        b->totals[0] = 0.0;
    for (int64_t row = 0; row < size; row += CHUNK) {
        int rows = size - row < CHUNK ? (int)(size - row) : CHUNK;
        gather_alone(p, b->order + start + row, 0, rows);
        forward_alone(p, within * b->batch + row);
        b->totals[0] += loss_alone(p, rows, share);
        backward_alone(p, rows, within || row);
    }
    if (within + 1 < each && start + size < b->rows)
        return;
    update_alone(p);
    b->losses[0] += b->totals[0] / (double)of_batch;
}

/* The optimizer's numbers, of which every place of a vector has the lane's. */
static void prepare_alone(Lone *p)
{
    const Block *b = p->block;
    Optimizer *o = &p->optimizer;
    int64_t portions = (b->rows + b->batch - 1) / b->batch, each = b->portions[0];
    p->steps = (U){0} + (uint32_t)((portions + each - 1) / each);
    prepare(o, b, 0, b->begin, p->steps);
    o->a = all(o->a[0]), o->b = all(o->b[0]), o->c = all(o->c[0]), o->e = all(o->e[0]);
    o->decay = all(o->decay[0]), o->shrunk = all(o->shrunk[0]), o->eps = all(o->eps[0]);
    o->nesterov = (I){0} + o->nesterov[0], o->squares = (I){0} + o->squares[0];
    o->some_nesterov = o->nesterov[0], o->some_squares = o->squares[0];
}

static void train_alone(const Block *block)
{
    Lone p;
    if (!block->mask[0])
        return;
    set_up_alone(&p, block);
    prepare_alone(&p);
    for (int64_t place = block->begin; place < block->end; place++)
        train_portion_alone(&p, place);
}

/* As `measure_part`: each output of the lane fills a vector, in place of those of other lanes. */
static void measure_alone(const Block *block, const Scores *scores)
{
    Lone p;
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
            for (int c = 0; c < count; c++)
                p.logits[c] = all(outputs[c * p.across * VECTOR + r]);
            add_loss(block, 0, start + r, p.logits);
            if (scores)
                add_scores(scores, block, 0, start + r, p.logits);
        }
    }
}

#endif
