/* Rows through the layers of a lane alone, and the gradients of their losses back. */
#ifndef XORTUNE_ALONE_PASSES_H
#define XORTUNE_ALONE_PASSES_H

#include "alone_products.h"
#include "lone.h"

static const float ZERO = 0.0f;

/* Copies what enters layer k by row, from its units `begin` to `end`, both in vectors. */
static void turn(Lone *p, int k, int begin, int end)
{
    int row = vectors_of(p->layers[k].before + 1), across = p->across;
    for (int u = begin; u < end; u++)
        for (int n = 0; n < across; n++) {
            V block[VECTOR];
            UNROLL
            for (int i = 0; i < VECTOR; i++)
                block[i] = p->hidden[k][(u * VECTOR + i) * across + n];
            transpose(block);
            UNROLL
            for (int i = 0; i < VECTOR; i++)
                p->rows[k][(n * VECTOR + i) * row + u] = block[i];
        }
}

/* Below what enters a layer lies a row of ones, whose weights are the biases, and then zeros. */
static void set_across(Lone *p, int across)
{
    if (p->across == across)
        return;
    p->across = across;
    for (int k = 0; k < p->count; k++) {
        int before = p->layers[k].before, last = before / VECTOR;
        for (int i = before * across; i < (last + 1) * VECTOR * across; i++)
            p->hidden[k][i] = all(i < (before + 1) * across ? 1.0f : 0.0f);
        turn(p, k, last, last + 1);
    }
}

/* Gathers rows of the lane's order, or from `start` on where there is none. */
static void gather_alone(Lone *p, const int32_t *order, int64_t start, int rows)
{
    const Block *b = p->block;
    int inputs = b->inputs, across = vectors_of(rows);
    set_across(p, across);
    for (int n = 0; n < across; n++) {
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
            for (int j = 0; j < count; j++)
                p->hidden[0][(u + j) * across + n] = block[j];
        }
    }
}

INLINE void activate_as_one(Lone *p, const int kinds, int k)
{
    const int numbers = p->layers[k].after * p->across;
    const Activation a = p->activation;
    V *h = p->hidden[k + 1], *slopes = p->slopes[k];
    for (int i = 0; i < numbers; i += RUN)
        activate(&a, kinds, h + i, slopes + i, numbers - i < RUN ? numbers - i : RUN);
}

/* Applies the activation to (after, rows), and keeps the slopes. */
static void activate_alone(Lone *p, int k)
{
    switch (p->activation.kinds) {
    case 1 << RELU: activate_as_one(p, 1 << RELU, k); break;
    case 1 << TANH: activate_as_one(p, 1 << TANH, k); break;
    case 1 << GELU: activate_as_one(p, 1 << GELU, k); break;
    case 1 << SILU: activate_as_one(p, 1 << SILU, k); break;
    default: activate_as_one(p, 1 << SIGMOID, k);
    }
}

/* Drops units of hidden layer k, and their slopes. */
static void drop_alone(Lone *p, int k, int64_t row)
{
    const Block *b = p->block;
    Dropout d = {mix(p->key + (uint32_t)k), (U){0} + (uint32_t)b->widest, (U){0} + b->least[0], all(b->kept[0])};
    for (int n = 0; n < p->across; n++) {
        U place;
        for (int i = 0; i < VECTOR; i++)
            place[i] = (uint32_t)(row + n * VECTOR + i);
        for (int j = 0; j < b->widest; j++) {
            V factor = dropped(&d, place, (uint32_t)j);
            p->hidden[k + 1][j * p->across + n] *= factor;
            p->slopes[k][j * p->across + n] *= factor;
        }
    }
}

/* The outputs of rows, in hidden[count]; `row` is the place of the first in its batch, -1 where
 * nothing is dropped. */
static void forward_alone(Lone *p, int64_t row)
{
    for (int k = 0; k < p->count; k++) {
        const Layer *layer = p->layers + k;
        Spread product = {
            p->weights + layer->weight, layer->before, 1,
            p->hidden[k], p->hidden[k + 1], p->across, p->across,
            p->weights + layer->bias, 1, layer->before, 0,
        };
        spread(&product, layer->after, p->across);
        if (k + 1 == p->count)
            break;
        activate_alone(p, k);
        if (p->block->least[0] && row >= 0)
            drop_alone(p, k, row);
    }
}

/* Adds to the gradients of all weights, from p->sums, those of the outputs. */
static void backward_alone(Lone *p, int rows, int added)
{
    int across = p->across;
    for (int k = p->count - 1; k >= 0; k--) {
        const Layer *layer = p->layers + k;
        if (k < p->count - 1)
            for (int i = 0; i < layer->after * across; i++)
                p->sums[i] = p->up[i] * p->slopes[k][i];
        turn(p, k, 0, vectors_of(layer->before));
        int row = vectors_of(layer->before + 1);
        Spread gradient = {
            (const float *)p->sums, across * VECTOR, 1,
            p->rows[k], p->gradients[k], row, row, &ZERO, 0, rows, added,
        };
        spread(&gradient, layer->after, row);
        if (!k)
            break;
        Spread entered = {
            p->weights + layer->weight, 1, layer->before,
            p->sums, p->down, across, across, &ZERO, 0, layer->after, 0,
        };
        spread(&entered, layer->before, across);
        V *swap = p->up;
        p->up = p->down;
        p->down = swap;
    }
}

#endif
