/* Rows through the layers of a part, and the gradients of their losses back. */
#ifndef XORTUNE_PASSES_H
#define XORTUNE_PASSES_H

#include "part.h"
#include "products.h"

/* Units whose gradients are found together: those of their sums stay in the fastest cache. */
enum { UNITS = NEAR / CHUNK / TALL * TALL };

/* Applies activations of these `kinds`. */
INLINE void activate_as(Part *p, const int kinds, int k, int rows)
{
    const Layer *layer = p->layers + k;
    const Activation a = p->activation;
    for (int r = 0; r < rows; r++) {
        V *h = p->hidden[k + 1] + r * layer->out, *slopes = p->slopes[k] + r * layer->out;
        for (int j = 0; j < layer->after; j += RUN)
            activate(&a, kinds, h + j, slopes + j, layer->after - j < RUN ? layer->after - j : RUN);
    }
}

/* Applies the activation of each lane to (rows, after), and keeps the slopes. */
static void activate_all(Part *p, int k, int rows)
{
    const int all_kinds = (1 << ACTIVATIONS) - 1;
    switch (p->activation.kinds) {
        case JUST_RELU: return activate_as(p, JUST_RELU, k, rows);
        case JUST_TANH: return activate_as(p, JUST_TANH, k, rows);
        case JUST_GELU: return activate_as(p, JUST_GELU, k, rows);
        case JUST_SILU: return activate_as(p, JUST_SILU, k, rows);
        case 1 << SIGMOID: return activate_as(p, 1 << SIGMOID, k, rows);
        default: return activate_as(p, all_kinds, k, rows);
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
    int out = p->layers[k].out;
    for (int r = 0; r < rows; r++)
        for (int j = 0; j < b->widest; j++) {
            V factor = dropped(&d, p->batches.row + (uint32_t)(row + r), (uint32_t)j);
            p->hidden[k + 1][r * out + j] *= factor;
            p->slopes[k][r * out + j] *= factor;
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
            int i = r * layer->out + j;
            out[i] = keep(p->units[j], layer->passed ? choose(layer->has, out[i], in[i]) : out[i]);
        }
}

/* Whether all lanes have hidden layer k and the layer after it, so that products can store what
 * leaves and enters it as it is to be. */
static int straight(const Part *p, int k) { return !p->layers[k].passed && !p->layers[k + 1].passed; }

/* Whether products apply the activation of hidden layer k: its slopes are not kept then, since its
 * results tell them. */
static int just_relu(const Part *p, int k)
{
    return p->activation.kinds == JUST_RELU && straight(p, k) && !p->block->dropout;
}

/* The outputs of rows, in hidden[count]; `row` is the place of the first in its portion, -1 where
 * nothing is dropped. */
static void forward(Part *p, int rows, int64_t row)
{
    for (int k = 0; k < p->count; k++) {
        const Layer *layer = p->layers + k;
        int last = k + 1 == p->count, fused = !last && just_relu(p, k);
        Product product = {
            .a = {p->hidden[k], layer->in, 1},
            .b = {p->weights + layer->weight * PARTS, (ptrdiff_t)layer->before * PARTS, PARTS},
            .c = p->hidden[k + 1],
            .start = p->weights + layer->bias * PARTS,
            .row = layer->out,
            .count = layer->before,
            .then = fused ? RECTIFIED : ITSELF,
            .units = fused && p->ragged ? p->units : NULL,
        };
        multiply(&product, rows, layer->after);
        if (last || fused)
            continue;
        activate_all(p, k, rows);
        if (p->block->dropout && row >= 0)
            drop(p, k, rows, row);
        if (p->ragged)
            mend(p, k, rows);
    }
}

/* The gradients of the sums of hidden layer k from those of what leaves it, in place of its slopes. */
static void through_activation(Part *p, int k, int rows)
{
    const Layer *layer = p->layers + k;
    V *slopes = p->slopes[k];
    for (int r = 0; r < rows; r++)
        for (int j = 0; j < layer->after; j++) {
            int i = r * layer->out + j;
            slopes[i] = keep(p->units[j] & layer->has, p->up[i] * slopes[i]);
        }
}

/* The gradients of the sums of layer k - 1 from those of layer k. They take the place of its slopes,
 * or of the results of ReLU, which are in the cache and not needed after them. */
static V *enter(Part *p, const V *sums, int k, int rows)
{
    const Layer *layer = p->layers + k;
    int fused = straight(p, k - 1), steps = just_relu(p, k - 1);
    V *place = steps ? p->hidden[k] : p->slopes[k - 1];
    Product entered = {
        .a = {sums, layer->out, 1},
        .b = {p->weights + layer->weight * PARTS, PARTS, (ptrdiff_t)layer->before * PARTS},
        .c = fused ? place : p->down,
        .row = layer->in,
        .count = layer->after,
        .then = steps ? TIMES_STEP : fused ? TIMES_SLOPE : ITSELF,
        .units = fused && p->ragged ? p->units : NULL,
    };
    multiply(&entered, rows, layer->before);
    if (fused)
        return place;
    for (int i = 0; layer->passed && i < rows * layer->in; i++)
        p->down[i] = choose(layer->has, p->down[i], p->up[i]);
    V *swap = p->up;
    p->up = p->down;
    p->down = swap;
    through_activation(p, k - 1, rows);
    return place;
}

/* The gradients of the weights and biases of layer k from those of its sums, which are added. The
 * biases of some units follow their weights, while the gradients of their sums are near. */
static void collect(Part *p, const V *sums, int k, int rows, int added)
{
    const Layer *layer = p->layers + k;
    const V one = all(1.0f);
    for (int j = 0; j < layer->after; j += UNITS) {
        int units = layer->after - j < UNITS ? layer->after - j : UNITS;
        Product product = {
            .a = {sums + j, 1, layer->out},
            .b = {p->hidden[k], 1, layer->in},
            .c = p->gradient + layer->weight + (ptrdiff_t)j * layer->before,
            .row = layer->before,
            .count = rows,
            .added = added,
        };
        multiply(&product, units, layer->before);
        product.b = (Matrix){&one, 0, 0};
        product.c = p->gradient + layer->bias + j;
        product.row = 1;
        multiply(&product, units, 1);
    }
}

/* Adds to the gradient of all weights, from p->sums, those of the outputs. */
static void backward(Part *p, int rows, int added)
{
    const V *sums = p->sums;
    for (int k = p->count - 1; k >= 0; k--) {
        collect(p, sums, k, rows, added);
        if (k)
            sums = enter(p, sums, k, rows);
    }
}

#endif
