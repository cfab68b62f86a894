/* A block of lanes as Python describes it: one struct for all functions.
 *
 * Arrays of `LANES` have a number for each lane; arrays of numbers are `(..., LANES)`, so that a
 * vector holds the same number of many lanes. A block has the shape of its widest and deepest lane:
 * the weights of units and layers that a lane lacks are 0, and stay 0. A lane alone, the first, has
 * arrays of numbers without the last axis: see alone.h.
 */
#ifndef XORTUNE_BLOCK_H
#define XORTUNE_BLOCK_H

#include <stdint.h>

enum {
    LANES = 16,
    CHUNK = 32, /* rows that pass the layers together; constant, since sums follow its order */
    DEEPEST = 16,
    STATE = 624, MIDDLE = 397, /* of MT19937 */
    WORDS = STATE + 1,         /* of a generator: its state, and the place of the next */
};

enum { REGRESSION, BINARY, CLASSES };                       /* the order of TASKS */
enum { RELU, TANH, GELU, SILU, SIGMOID, ACTIVATIONS };      /* of ACTIVATIONS */
enum { SGD, MOMENTUM, NESTEROV, RMSPROP, ADAM, ADAMW };     /* of OPTIMIZERS */
enum { CONSTANT, COSINE, STEP };                            /* of SCHEDULES */
enum { MSE, MAE, HUBER, LOG_LOSS };                         /* losses, all of which are measured */

typedef struct {
    const float *x;       /* (rows, inputs) */
    const float *y;       /* (rows): numbers, 0 or 1, or the places of classes */
    const float *table;   /* (rows, stride): inputs with their y behind them; or NULL */
    const int32_t *order; /* (rows, lanes): training only, the order of an epoch */
    const int32_t *mask;  /* (LANES): all ones for lanes that train; others must be all 0 */
    const int32_t *width, *depth, *activation, *optimizer, *loss, *schedule; /* (LANES) */
    const int32_t *epoch, *epochs;  /* (LANES): trained before, and in all */
    const int32_t *portions;        /* (LANES): of a batch, see batches.h */
    const uint32_t *seed, *least;   /* (LANES): of dropout: a unit with a smaller hash is dropped */
    const float *kept;              /* (LANES): what other units are multiplied by */
    const double *lr, *decay;       /* (LANES): the learning rate and the weight decay */
    float *weights, *first, *second; /* (P, LANES): and what the optimizers remember */
    double *totals;                 /* (LANES): the sums of the losses of batches so far */
    double *losses;                 /* (LANES): adds a batch's mean loss, or rows' measured loss */
    char *memory;                   /* scratch, aligned to a page */
    int64_t rows, batch;            /* of the data; of a portion: the lanes' batches consist of them */
    int64_t begin, end;             /* portions to train, or rows to measure */
    int32_t inputs, outputs_count, widest, deepest, task, dropout;
    int32_t lanes; /* of the arrays of numbers: LANES; or 1, for a lane alone in its own shape */
    int32_t stride; /* of the table: more than the inputs, and a multiple of 4 */
} Block;

/* What the scores of measures.py are made of, besides the losses: sums and counts over the rows. */
typedef struct {
    double *errors;   /* (2, LANES): regression: squares, magnitudes */
    int64_t *hits;    /* (classes, LANES): the rows of a class that are taken for it */
    float *outputs;   /* (LANES, rows): binary */
    int64_t *larger;  /* (LANES): binary: see ranks.h */
    uint32_t *keys;   /* (2, rows): scratch for it */
} Scores;

#endif
