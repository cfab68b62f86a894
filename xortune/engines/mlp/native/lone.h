/* A lane alone, with its memory. */
#ifndef XORTUNE_LONE_H
#define XORTUNE_LONE_H

#include "part.h"

enum { SIDE = CHUNK / VECTOR }; /* vectors of the rows of a chunk */

/* A lane, with all that is constant during a call, and a chunk of its rows. */
typedef struct {
    const Block *block;
    Layer layers[DEEPEST + 1];
    int count;
    float *weights, *first, *second; /* (P) */
    Activation activation;
    Optimizer optimizer;
    U steps;    /* of an epoch */
    U key;      /* of dropout, in this step */
    int across; /* vectors of the chunk's rows: the last axis of arrays by unit */
    V targets[SIDE];
    V *hidden[DEEPEST + 2]; /* (before, rows): what enters each layer, and at last the outputs */
    V *rows[DEEPEST + 1];   /* (rows, before): the same by row */
    V *slopes[DEEPEST + 1]; /* (after, rows): of the activations */
    V *sums, *others;       /* (widest, rows): gradients of a layer's sums, and of the next's */
    V *logits;              /* (2, outputs): of a vector of rows, with slopes */
    V *gradients[DEEPEST + 1]; /* (after, before): of the weights */
    V *biases[DEEPEST + 1];    /* (after) */
    float *some;               /* (VECTOR, before): gradients of weights, in their order */
} Lone;

/* The vectors of `count` numbers. */
INLINE int vectors_of(int count) { return (count + VECTOR - 1) / VECTOR; }

/* How far rows of so many vectors are apart: of a power of 2, columns would lie in few sets of a cache. */
INLINE int apart(int vectors) { return vectors > 2 ? vectors | 1 : vectors; }

static void lay_out_alone(Lone *p)
{
    const Block *b = p->block;
    int64_t place = 0;
    p->count = b->deepest + 1;
    char *memory = b->memory;
#define TAKE(name, count) (name = (void *)memory, memory += sizeof(V) * (size_t)(count))
    for (int k = 0; k < p->count; k++) {
        Layer *layer = p->layers + k;
        layer->before = k ? b->widest : b->inputs;
        layer->after = k < b->deepest ? b->widest : b->outputs_count;
        layer->weight = place;
        layer->bias = place += (int64_t)layer->before * layer->after;
        place += layer->after;
        int padded = vectors_of(layer->before);
        TAKE(p->hidden[k], padded * CHUNK);
        TAKE(p->rows[k], apart(padded) * CHUNK);
        TAKE(p->slopes[k], layer->after * SIDE);
        TAKE(p->gradients[k], (int64_t)layer->after * padded);
        TAKE(p->biases[k], vectors_of(layer->after));
    }
    int wide = b->widest > b->outputs_count ? b->widest : b->outputs_count;
    TAKE(p->hidden[p->count], b->outputs_count * SIDE);
    TAKE(p->sums, vectors_of(wide) * CHUNK);
    TAKE(p->others, vectors_of(wide) * CHUNK);
    TAKE(p->logits, 2 * b->outputs_count);
    TAKE(p->some, (wide > b->inputs ? wide : b->inputs) + 1);
#undef TAKE
}

static void set_up_alone(Lone *p, const Block *block)
{
    memset(p, 0, sizeof *p);
    p->block = block;
    p->weights = block->weights;
    p->first = block->first;
    p->second = block->second;
    set_activations(&p->activation, (I){0} + block->activation[0]);
    lay_out_alone(p);
}

#endif
