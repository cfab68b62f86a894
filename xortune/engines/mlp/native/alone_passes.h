/* Rows through the layers of a lane alone, and the gradients of their losses back. */
#ifndef XORTUNE_ALONE_PASSES_H
#define XORTUNE_ALONE_PASSES_H

#include "alone_products.h"
#include "part.h"

enum { SIDE = CHUNK / VECTOR }; /* vectors of the rows of a chunk */

/* A lane, with all that is constant during a call, and a chunk of its rows. */
typedef struct {
    const Block *block;
    Layer layers[DEEPEST + 1];
    int count;
    int64_t vectors;             /* of all numbers of the model */
    V *weights, *first, *second; /* (P), and zeros to the end of a vector */
    Optimizer optimizer;
    U key;                       /* of dropout, in this step */
    int across;                  /* vectors of the rows that are there */
    V targets[SIDE];
    V *hidden[DEEPEST + 2]; /* (before, CHUNK): what enters each layer, then a row of ones; outputs */
    V *rows[DEEPEST + 1];   /* (CHUNK, before): the same by row, with a column of ones */
    V *slopes[DEEPEST + 1]; /* (after, CHUNK): of the activations */
    V *up, *down, *sums;    /* (widest, CHUNK): gradients of what leaves, and enters, and of sums */
    V *logits;              /* (2, outputs): of a vector of rows, with slopes */
    float *gradient;        /* (P) */
} Alone;

/* The vectors of `count` numbers. */
INLINE int vectors_of(int count) { return (count + VECTOR - 1) / VECTOR; }

/* Copies what enters layer k by row, from its units `begin` to `end`, whole vectors. */
static void turn(Alone *p, int k, int begin, int end, int across)
{
    int row = vectors_of(p->layers[k].before + 1);
    for (int u = begin; u < end; u++)
        for (int n = 0; n < across; n++) {
            V block[VECTOR];
            UNROLL
            for (int i = 0; i < VECTOR; i++)
                block[i] = p->hidden[k][(u * VECTOR + i) * SIDE + n];
            transpose(block);
            UNROLL
            for (int i = 0; i < VECTOR; i++)
                p->rows[k][(n * VECTOR + i) * row + u] = block[i];
        }
}

static void lay_out_alone(Alone *p)
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
    }
    p->vectors = (place + VECTOR - 1) / VECTOR;
    char *memory = b->memory;
#define TAKE(name, count) (name = (void *)memory, memory += sizeof(V) * (size_t)(count))
    int wide = b->widest > b->outputs_count ? b->widest : b->outputs_count;
    for (int k = 0; k < p->count; k++) {
        int padded = vectors_of(p->layers[k].before + 1);
        TAKE(p->hidden[k], padded * CHUNK);
        TAKE(p->rows[k], padded * CHUNK);
        TAKE(p->slopes[k], p->layers[k].after * SIDE);
    }
    TAKE(p->hidden[p->count], b->outputs_count * SIDE);
    TAKE(p->up, wide * SIDE);
    TAKE(p->down, wide * SIDE);
    TAKE(p->sums, wide * SIDE);
    TAKE(p->logits, 2 * b->outputs_count);
    TAKE(p->gradient, p->vectors + 1);
#undef TAKE
}

/* Below what enters a layer lies a row of ones, whose weights are the biases; then zeros. */
static void set_up_alone(Alone *p, const Block *block)
{
    memset(p, 0, sizeof *p);
    p->block = block;
    p->weights = (V *)block->weights;
    p->first = (V *)block->first;
    p->second = (V *)block->second;
    lay_out_alone(p);
    for (int k = 0; k < p->count; k++) {
        int before = p->layers[k].before, padded = vectors_of(before + 1);
        for (int i = before * SIDE; i < padded * CHUNK; i++)
            p->hidden[k][i] = all(i < (before + 1) * SIDE ? 1.0f : 0.0f);
        turn(p, k, padded - 1, padded, SIDE);
    }
    for (int64_t i = 0; i < VECTOR; i++)
        p->gradient[(p->vectors - 1) * VECTOR + i] = 0.0f;
}

/* Gathers rows of the lane's order, or from `start` on where there is none. */
static void gather_alone(Alone *p, const int32_t *order, int64_t start, int rows)
{
    const Block *b = p->block;
    int inputs = b->inputs;
    p->across = vectors_of(rows);
    for (int n = 0; n < p->across; n++) {
        const float *x[VECTOR];
        for (int i = 0; i < VECTOR; i++) {
            int r = n * VECTOR + i < rows ? n * VECTOR + i : rows - 1;
            int64_t place = order ? order[r] : start + r;
            p->targets[n][i] = b->y[place];
            x[i] = b->x + place * inputs;
        }
        for (int u = 0; u < inputs; u += VECTOR) {
            V block[VECTOR];
            int count = inputs - u < VECTOR ? inputs - u : VECTOR;
            UNROLL
            for (int i = 0; i < VECTOR; i++)
                block[i] = load_first(x[i] + u, count);
            transpose(block);
            UNROLL
            for (int j = 0; j < VECTOR; j++)
                if (j < count)
                    p->hidden[0][(u + j) * SIDE + n] = block[j];
        }
    }
}

static void activate_alone(Alone *p, int k)
{
    int after = p->layers[k].after, across = p->across;
    V *h = p->hidden[k + 1], *slopes = p->slopes[k];
#define EACH(kind)                                                                  \
    case kind:                                                                      \
        for (int j = 0; j < after; j++)                                             \
            for (int n = 0; n < across; n++)                                        \
                h[j * SIDE + n] = activate(kind, h[j * SIDE + n], slopes + j * SIDE + n); \
        break
    switch (p->block->activation[0]) {
        EACH(RELU);
        EACH(TANH);
        EACH(GELU);
        EACH(SILU);
        EACH(SIGMOID);
    }
#undef EACH
}

/* Drops units of hidden layer k, and their slopes. */
static void drop_alone(Alone *p, int k, int64_t row)
{
    const Block *b = p->block;
    Dropout d = {mix(p->key + (uint32_t)k), {0}, (U){0} + b->least[0], all(b->kept[0])};
    for (int n = 0; n < p->across; n++) {
        U place;
        for (int i = 0; i < VECTOR; i++)
            place[i] = (uint32_t)(row + n * VECTOR + i);
        d.width = place * (uint32_t)b->widest; /* of the units of all rows before */
        for (int j = 0; j < b->widest; j++) {
            V factor = dropped(&d, 1, (uint32_t)j);
            p->hidden[k + 1][j * SIDE + n] *= factor;
            p->slopes[k][j * SIDE + n] *= factor;
        }
    }
}

/* The outputs of rows, in hidden[count]; `row` is the place of the first in its batch, -1 where
 * nothing is dropped. */
static void forward_alone(Alone *p, int64_t row)
{
    const float *weights = (const float *)p->weights;
    for (int k = 0; k < p->count; k++) {
        const Layer *layer = p->layers + k;
        Outer product = {
            weights + layer->weight, layer->before, 1,
            p->hidden[k], SIDE,
            (float *)p->hidden[k + 1], CHUNK,
            weights + layer->bias, layer->before, 0, CHUNK, NULL,
        };
        multiply_outer(&product, layer->after, p->across);
        if (k + 1 == p->count)
            break;
        activate_alone(p, k);
        if (p->block->least[0] && row >= 0)
            drop_alone(p, k, row);
    }
}

/* Adds to the gradient of all weights, from p->sums, those of the outputs. */
static void backward_alone(Alone *p, int rows, int added)
{
    for (int k = p->count - 1; k >= 0; k--) {
        const Layer *layer = p->layers + k;
        if (k < p->count - 1)
            for (int i = 0; i < layer->after * SIDE; i++)
                p->sums[i] = p->up[i] * p->slopes[k][i];
        turn(p, k, 0, vectors_of(layer->before), p->across);
        Outer weights = {
            (const float *)p->sums, CHUNK, 1,
            p->rows[k], vectors_of(layer->before + 1),
            p->gradient + layer->weight, layer->before,
            NULL, rows, added, layer->before, p->gradient + layer->bias,
        };
        multiply_outer(&weights, layer->after, vectors_of(layer->before + 1));
        if (!k)
            break;
        Outer entered = {
            (const float *)p->weights + layer->weight, 1, layer->before,
            p->sums, SIDE,
            (float *)p->down, CHUNK,
            NULL, layer->after, 0, CHUNK, NULL,
        };
        multiply_outer(&entered, layer->before, p->across);
        V *swap = p->up;
        p->up = p->down;
        p->down = swap;
    }
}

#endif
