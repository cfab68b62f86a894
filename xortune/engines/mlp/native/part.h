/* A part of a block, VECTOR lanes, with its memory. */
#ifndef XORTUNE_PART_H
#define XORTUNE_PART_H

#include "activations.h"
#include "batches.h"
#include "optimizers.h"

/* A layer: its places in the weights, in vectors of LANES, and its sizes. Rows of what enters and
 * leaves it are `in` and `out` vectors apart. */
typedef struct {
    int64_t weight, bias;
    int before, after, in, out;
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
    Batches batches;
    U key; /* of dropout, in this step */
    I loss;
    V *hidden[DEEPEST + 2]; /* (CHUNK, in): what enters each layer, and at last the outputs */
    V *slopes[DEEPEST + 1]; /* (CHUNK, out): of the activations */
    V *up, *down; /* (CHUNK, out): gradients of what leaves a layer that a lane lacks, and enters it */
    V *sums;      /* (CHUNK, outputs): gradients of the outputs */
    V *gradient;            /* (P) */
    V targets[CHUNK];
} Part;

static void lay_out(Part *p)
{
    const Block *b = p->block;
    int64_t place = 0;
    /* An odd number: of a power of 2, a column would lie in few sets of a cache. */
    int apart = b->widest | 1;
    p->count = b->deepest + 1;
    for (int k = 0; k < p->count; k++) {
        Layer *layer = p->layers + k;
        layer->before = k ? b->widest : b->inputs;
        layer->after = k < b->deepest ? b->widest : b->outputs_count;
        layer->in = k ? apart : b->inputs;
        layer->out = k < b->deepest ? apart : b->outputs_count;
        layer->weight = place;
        layer->bias = place += (int64_t)layer->before * layer->after;
        place += layer->after;
        I depth = load_mask(b->depth + p->at);
        layer->has = k < b->deepest ? depth > k : depth > -1;
        layer->passed = any(~layer->has);
        p->ragged |= layer->passed;
    }
    /* Gradients of all parts come first, since a batch may go on in another call. */
    p->gradient = (V *)b->memory + place * (p->at / VECTOR);
    char *memory = b->memory + place * (int64_t)sizeof(V) * PARTS;
#define TAKE(name, vectors) (name = (V *)memory, memory += sizeof(V) * (size_t)(vectors))
    V *units;
    TAKE(units, b->widest);
    for (int k = 0; k <= p->count; k++)
        TAKE(p->hidden[k], CHUNK * (k < p->count ? p->layers[k].in : b->outputs_count));
    for (int k = 0; k < p->count; k++)
        TAKE(p->slopes[k], CHUNK * p->layers[k].out);
    TAKE(p->up, CHUNK * apart);
    TAKE(p->down, CHUNK * apart);
    TAKE(p->sums, CHUNK * b->outputs_count);
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
    set_activations(&p->activation, load_mask(block->activation + p->at));
}

#endif
