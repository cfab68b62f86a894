/* The losses by which trials are compared, and the sums of their scores: see measures.py. */
#ifndef XORTUNE_MEASURING_H
#define XORTUNE_MEASURING_H

#include "doubles.h"

/* Squared, absolute or Huber's error, by lane. */
INLINE D error_measured(D output, double y, L kind)
{
    D error = output - y, size = size_of(error);
    D huber = choose_double(size < 1.0, size * size / 2.0, size - 0.5);
    return choose_double(kind == MSE, error * error, choose_double(kind == MAE, size, huber));
}

/* log(1 + exp(z)) of a wrong logit's z, or of the negative of a right one's. */
INLINE D logit_measured(D z, double y)
{
    z = y > 0.5 ? -z : z;
    return choose_double(z < 0.0, both(0.0), z) + log_1_plus_double(exp_minus(size_of(z)));
}

/* The logarithm of the sum of exp(z), less the z of the row's own class, for the logits z. */
INLINE D class_measured(const V *outputs, int half, int class, int count)
{
    D top = half_of(outputs, half), sum = both(0.0);
    for (int c = 1; c < count; c++) {
        D z = half_of(outputs + c, half);
        top = choose_double(z > top, z, top);
    }
    for (int c = 0; c < count; c++)
        sum += exp_minus(top - half_of(outputs + c, half));
    return log_double(sum) - (half_of(outputs + class, half) - top);
}

/* Adds the loss of a row to those of the lanes from `at`. */
static void add_loss(const Block *b, int at, int64_t row, const V *outputs)
{
    double y = (double)b->y[row];
    for (int half = 0; half < 2; half++) {
        int lane = at + half * HALF;
        Whole kinds;
        memcpy(&kinds, b->loss + lane, sizeof kinds);
        D loss = b->task == CLASSES  ? class_measured(outputs, half, (int)y, b->outputs_count)
                 : b->task == BINARY ? logit_measured(half_of(outputs, half), y)
                                     : error_measured(half_of(outputs, half), y,
                                                      __builtin_convertvector(kinds, L));
        add_doubles(b->losses + lane, loss);
    }
}

/* The first class of the largest logit, or of NaN. */
INLINE I largest(const V *outputs, int count)
{
    V top = outputs[0];
    I place = {0};
    for (int c = 1; c < count; c++) {
        V z = outputs[c];
        I larger = (z > top) | ((z != z) & (top == top));
        top = choose(larger, z, top);
        place = (larger & c) | (~larger & place);
    }
    return place;
}

static void add_errors(const Scores *s, int at, double y, const V *outputs)
{
    for (int half = 0; half < 2; half++) {
        D size = size_of(half_of(outputs, half) - y);
        add_doubles(s->errors + at + half * HALF, size * size);
        add_doubles(s->errors + LANES + at + half * HALF, size);
    }
}

/* Adds what scores are made of, as `add_loss` does. */
static void add_scores(const Scores *s, const Block *b, int at, int64_t row, const V *outputs)
{
    if (b->task == REGRESSION) {
        add_errors(s, at, (double)b->y[row], outputs);
        return;
    }
    int class = (int)b->y[row];
    I hit = largest(outputs, b->outputs_count) == class;
    if (b->task == BINARY) {
        hit = (outputs[0] > 0.0f) == -class;
        for (int l = 0; l < VECTOR; l++)
            s->outputs[(at + l) * b->rows + row] = outputs[0][l];
    }
    for (int l = 0; l < VECTOR; l++)
        s->hits[class * LANES + at + l] -= hit[l];
}

#endif
