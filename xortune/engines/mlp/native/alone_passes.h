/* Rows through the layers of a lane alone, and the gradients of their losses back. */
#ifndef XORTUNE_ALONE_PASSES_H
#define XORTUNE_ALONE_PASSES_H

#include "alone_products.h"
#include "lone.h"

static const float ZERO = 0.0f;

/* A square of numbers turned: VECTOR vectors that lie `apart`, from which come those of `found`. */
INLINE void turned(const V *from, ptrdiff_t apart, V *found)
{
    const float *x[VECTOR];
    UNROLL
    for (int i = 0; i < VECTOR; i++)
        x[i] = (const float *)(from + i * apart);
    UNROLL
    for (int i = 0; i < VECTOR; i += 4)
        transposed(x, i, found + i);
}

/* Copies what enters layer k by row. Behind its last unit is what means nothing. */
static void turn(Lone *p, int k)
{
    int units = vectors_of(p->layers[k].before), row = apart(units), across = p->across;
    for (int u = 0; u < units; u++)
        for (int n = 0; n < across; n++) {
            V found[VECTOR];
            turned(p->hidden[k] + u * VECTOR * across + n, across, found);
            UNROLL
            for (int i = 0; i < VECTOR; i++)
                p->rows[k][(n * VECTOR + i) * row + u] = found[i];
        }
}

/* As `gather_alone`, from inputs and targets that lie apart. */
static void gather_alone_apart(Lone *p, const int32_t *order, int64_t start, int rows)
{
    const Block *b = p->block;
    for (int at = 0; at < p->across * VECTOR; at++) {
        int r = at < rows ? at : rows - 1;
        int64_t row = order ? order[r] : start + r;
        const float *own = b->x + row * b->inputs;
        for (int i = 0; i < b->inputs; i++)
            p->hidden[0][i * p->across + at / VECTOR][at % VECTOR] = own[i];
        p->targets[at / VECTOR][at % VECTOR] = b->y[row];
    }
}

/* Gathers rows of the lane's order, or from `start` on where there is none: inputs and targets. */
static void gather_alone(Lone *p, const int32_t *order, int64_t start, int rows)
{
    const Block *b = p->block;
    int inputs = b->inputs, across = p->across = vectors_of(rows);
    if (!b->table) {
        gather_alone_apart(p, order, start, rows);
        return;
    }
    for (int n = 0; n < across; n++) {
        const float *own[VECTOR];
        for (int i = 0; i < VECTOR; i++) {
            int r = n * VECTOR + i < rows ? n * VECTOR + i : rows - 1;
            own[i] = b->table + (order ? order[r] : start + r) * b->stride;
        }
        for (int i = 0; i <= inputs; i += 4) {
            V found[4];
            transposed(own, i, found);
            for (int j = 0; j < 4 && i + j < inputs; j++)
                p->hidden[0][(i + j) * across + n] = found[j];
            if (inputs - i < 4)
                p->targets[n] = found[inputs - i];
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
    case JUST_RELU: activate_as_one(p, JUST_RELU, k); break;
    case JUST_TANH: activate_as_one(p, JUST_TANH, k); break;
    case JUST_GELU: activate_as_one(p, JUST_GELU, k); break;
    case JUST_SILU: activate_as_one(p, JUST_SILU, k); break;
    default: activate_as_one(p, 1 << SIGMOID, k);
    }
}

/* Drops units of hidden layer k, and their slopes. */
static void drop_alone(Lone *p, int k, int64_t row)
{
    const Block *b = p->block;
    Dropout d = {mix(p->key + (uint32_t)k), (U){0} + (uint32_t)b->widest, (U){0} + b->least[0],
                 all(b->kept[0])};
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

/* Whether sums of hidden layers are rectified as they are stored; their results tell the slopes. */
static int fused_alone(const Lone *p)
{
    return p->activation.kinds == JUST_RELU && !p->block->least[0];
}

/* The outputs of rows, in hidden[count]; `row` is the place of the first in its batch, -1 where
 * nothing is dropped. */
static void forward_alone(Lone *p, int64_t row)
{
    for (int k = 0; k < p->count; k++) {
        const Layer *layer = p->layers + k;
        int last = k + 1 == p->count, fused = !last && fused_alone(p);
        Spread product = {
            p->weights + layer->weight, layer->before, 1,
            p->hidden[k], p->hidden[k + 1], p->across, p->across,
            p->weights + layer->bias, 1, layer->before, 0, fused ? RECTIFIED : ITSELF, p->hidden[k],
        };
        spread(&product, layer->after, p->across);
        if (last || fused)
            continue;
        activate_alone(p, k);
        if (p->block->least[0] && row >= 0)
            drop_alone(p, k, row);
    }
}

/* The gradients of a layer's biases: sums over the rows, in their order. */
static void sum_biases(Lone *p, int k, int rows, int added)
{
    const Layer *layer = p->layers + k;
    for (int u = 0; u < vectors_of(layer->after); u++) {
        V sum = added ? p->biases[k][u] : (V){0};
        for (int n = 0; n < p->across; n++) {
            V found[VECTOR];
            turned(p->sums + u * VECTOR * p->across + n, p->across, found);
            int there = rows - n * VECTOR < VECTOR ? rows - n * VECTOR : VECTOR;
            UNROLL
            for (int i = 0; i < VECTOR; i++)
                if (i < there)
                    sum += found[i];
        }
        p->biases[k][u] = sum;
    }
}

/* Adds to the gradients of all weights, from p->sums, those of the outputs. */
static void backward_alone(Lone *p, int rows, int added)
{
    int across = p->across;
    for (int k = p->count - 1; k >= 0; k--) {
        const Layer *layer = p->layers + k;
        int row = vectors_of(layer->before);
        turn(p, k);
        Spread gradient = {
            (const float *)p->sums, across * VECTOR, 1,
            p->rows[k], p->gradients[k], apart(row), row, &ZERO, 0, rows, added, ITSELF, p->sums,
        };
        spread(&gradient, layer->after, row);
        sum_biases(p, k, rows, added);
        if (!k)
            break;
        Spread entered = {
            p->weights + layer->weight, 1, layer->before,
            p->sums, p->others, across, across, &ZERO, 0, layer->after, 0,
            fused_alone(p) ? TIMES_STEP : TIMES_SLOPE,
            fused_alone(p) ? p->hidden[k] : p->slopes[k - 1],
        };
        spread(&entered, layer->before, across);
        V *swap = p->sums;
        p->sums = p->others;
        p->others = swap;
    }
}

#endif
