/* Rows through the layers of a part, and the gradients of their losses back. */
#ifndef XORTUNE_PASSES_H
#define XORTUNE_PASSES_H

#include "part.h"
#include "products.h"

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
            V factor = dropped(&d, p->batches.row + (uint32_t)(row + r), (uint32_t)j);
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

/* The outputs of rows, in hidden[count]; `row` is the place of the first in its portion, -1 where
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

#endif
