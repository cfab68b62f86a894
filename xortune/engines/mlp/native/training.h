/* Training and measuring a part of a block: VECTOR lanes. */
#ifndef XORTUNE_TRAINING_H
#define XORTUNE_TRAINING_H

#include "activations.h"
#include "losses.h"
#include "measuring.h"
#include "optimizers.h"
#include "products.h"

/* A layer: its places in the weights, in vectors of LANES, and its sizes. */
typedef struct {
    int64_t weight, bias;
    int before, after;
    I has; /* the lanes that have it; others pass it by */
    int passed;
} Layer;

/* A part of a block, with all that is constant during a call. */
typedef struct {
    const Block *block;
    int at; /* its first lane */
    Layer layers[DEEPEST + 1];
    int count;
    V *weights, *first, *second; /* of the part: vectors are PARTS apart */
    I mask;
    const I *units; /* (widest): the lanes that have the unit */
    int ragged;     /* whether any lane lacks a unit or a layer */
    Activation activation;
    Optimizer optimizer;
    U key;      /* of dropout, in this step */
    I loss;
    V *hidden[DEEPEST + 2]; /* (CHUNK, before): what enters each layer, and at last the outputs */
    V *slopes[DEEPEST + 1]; /* (CHUNK, after): of the activations */
    V *up, *down, *sums;    /* (CHUNK, widest): gradients of what leaves, and enters, and of sums */
    V *gradient;            /* (P) */
    V targets[CHUNK];
} Part;

static void lay_out(Part *p)
{
    const Block *b = p->block;
    int64_t place = 0;
    p->count = b->deepest + 1;
    for (int k = 0; k < p->count; k++) {
        Layer *layer = p->layers + k;
        layer->before = k ? b->widest : b->inputs;
        layer->after = k < b->deepest ? b->widest : b->outputs_count;
        layer->weight = place;
        layer->bias = place += (int64_t)layer->before * layer->after;
        place += layer->after;
        I depth = load_mask(b->depth + p->at);
        layer->has = k < b->deepest ? depth > k : depth > -1;
        layer->passed = any(~layer->has);
        p->ragged |= layer->passed;
    }
    char *memory = b->memory;
#define TAKE(name, vectors) (name = (V *)memory, memory += sizeof(V) * (size_t)(vectors))
    V *units;
    int wide = b->widest > b->outputs_count ? b->widest : b->outputs_count;
    wide = wide > b->inputs ? wide : b->inputs;
    TAKE(units, b->widest);
    for (int k = 0; k <= p->count; k++)
        TAKE(p->hidden[k], CHUNK * (k < p->count ? p->layers[k].before : b->outputs_count));
    for (int k = 0; k < p->count; k++)
        TAKE(p->slopes[k], CHUNK * p->layers[k].after);
    TAKE(p->up, CHUNK * wide);
    TAKE(p->down, CHUNK * wide);
    TAKE(p->sums, CHUNK * wide);
    TAKE(p->gradient, place);
#undef TAKE
    for (int j = 0; j < b->widest; j++) {
        I has = load_mask(b->width + p->at) > j;
        memcpy(units + j, &has, sizeof has);
        p->ragged |= any(~has);
    }
    p->units = (const I *)units;
}

static void set_up(Part *p, const Block *block, int part)
{
    memset(p, 0, sizeof *p);
    p->block = block;
    p->at = part * VECTOR;
    p->weights = (V *)block->weights + part;
    p->first = (V *)block->first + part;
    p->second = (V *)block->second + part;
    p->mask = load_mask(block->mask + p->at);
    p->loss = load_mask(block->loss + p->at);
    lay_out(p);
    I kinds = load_mask(block->activation + p->at);
    for (int kind = 0; kind < ACTIVATIONS; kind++) {
        I mask = kinds == kind;
        if (any(mask)) {
            p->activation.mask[p->activation.count] = mask;
            p->activation.kinds[p->activation.count++] = kind;
        }
    }
}

/* Applies the activation of each lane to (rows, after), and keeps the slopes. */
static void activate_all(Part *p, int k, int numbers)
{
    V *h = p->hidden[k + 1], *slopes = p->slopes[k];
    for (int a = 0; a < p->activation.count; a++) {
        I mask = p->activation.mask[a];
#define EACH(kind)                                             \
    case kind:                                                 \
        for (int i = 0; i < numbers; i++) {                    \
            V slope, value = activate(kind, h[i], &slope);     \
            h[i] = choose(mask, value, h[i]);                  \
            slopes[i] = choose(mask, slope, slopes[i]);        \
        }                                                      \
        break
        switch (p->activation.kinds[a]) {
            EACH(RELU);
            EACH(TANH);
            EACH(GELU);
            EACH(SILU);
            EACH(SIGMOID);
        }
#undef EACH
    }
}

/* Drops units of hidden layer k, and their slopes. */
static void drop(Part *p, int k, int rows, int64_t row)
{
    const Block *b = p->block;
    Dropout d;
    memcpy(&d.width, b->width + p->at, sizeof d.width);
    memcpy(&d.least, b->least + p->at, sizeof d.least);
    d.kept = load(b->kept + p->at);
    d.key = mix(p->key + (uint32_t)k);
    int width = b->widest;
    for (int r = 0; r < rows; r++)
        for (int j = 0; j < width; j++) {
            V factor = dropped(&d, (uint32_t)(row + r), (uint32_t)j);
            p->hidden[k + 1][r * width + j] *= factor;
            p->slopes[k][r * width + j] *= factor;
        }
}

/* Leaves zeros in units that a lane lacks; a layer that it lacks repeats what entered. */
static void mend(Part *p, int k, int rows)
{
    const Layer *layer = p->layers + k;
    const V *in = p->hidden[k];
    V *out = p->hidden[k + 1];
    for (int r = 0; r < rows; r++)
        for (int j = 0; j < layer->after; j++) {
            int i = r * layer->after + j;
            out[i] = keep(p->units[j], layer->passed ? choose(layer->has, out[i], in[i]) : out[i]);
        }
}

/* The outputs of rows, in hidden[count]; `row` is the place of the first in its batch, -1 where
 * nothing is dropped. */
static void forward(Part *p, int rows, int64_t row)
{
    for (int k = 0; k < p->count; k++) {
        const Layer *layer = p->layers + k;
        Product product = {
            {p->hidden[k], layer->before, 1},
            {p->weights + layer->weight * PARTS, (ptrdiff_t)layer->before * PARTS, PARTS},
            p->hidden[k + 1], p->weights + layer->bias * PARTS,
            layer->after, PARTS, layer->before, 0,
        };
        multiply(&product, rows, layer->after);
        if (k + 1 == p->count)
            break;
        activate_all(p, k, rows * layer->after);
        if (p->block->dropout && row >= 0)
            drop(p, k, rows, row);
        if (p->ragged)
            mend(p, k, rows);
    }
}

/* The gradients of the sums of layer k, from those of what leaves it. */
static void through_activation(Part *p, int k, int rows)
{
    const Layer *layer = p->layers + k;
    const V *slopes = p->slopes[k];
    if (!p->ragged) {
        for (int i = 0; i < rows * layer->after; i++)
            p->sums[i] = p->up[i] * slopes[i];
        return;
    }
    for (int r = 0; r < rows; r++)
        for (int j = 0; j < layer->after; j++) {
            int i = r * layer->after + j;
            p->sums[i] = keep(p->units[j] & layer->has, p->up[i] * slopes[i]);
        }
}

/* Adds to the gradient of all weights, from p->sums, those of the outputs. */
static void backward(Part *p, int rows, int added)
{
    for (int k = p->count - 1; k >= 0; k--) {
        const Layer *layer = p->layers + k;
        if (k < p->count - 1)
            through_activation(p, k, rows);
        Product weights = {
            {p->sums, 1, layer->after}, {p->hidden[k], 1, layer->before},
            p->gradient + layer->weight, 0, layer->before, 0, rows, added,
        };
        multiply(&weights, layer->after, layer->before);
        V *biases = p->gradient + layer->bias;
        for (int j = 0; j < layer->after; j++) {
            V sum = added ? biases[j] : (V){0};
            for (int r = 0; r < rows; r++)
                sum += p->sums[r * layer->after + j];
            biases[j] = sum;
        }
        if (!k)
            break;
        Product entered = {
            {p->sums, layer->after, 1},
            {p->weights + layer->weight * PARTS, PARTS, (ptrdiff_t)layer->before * PARTS},
            p->down, 0, layer->before, 0, layer->after, 0,
        };
        multiply(&entered, rows, layer->before);
        if (k < p->count - 1 && layer->passed)
            for (int i = 0; i < rows * layer->before; i++)
                p->down[i] = choose(layer->has, p->down[i], p->up[i]);
        V *swap = p->up;
        p->up = p->down;
        p->down = swap;
    }
}

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
    for (int part = 0; part < PARTS; part++)
        train_part(block, part);
}

static void measure_parts(const Block *block)
{
    for (int part = 0; part < PARTS; part++)
        measure_part(block, part);
}

#endif
