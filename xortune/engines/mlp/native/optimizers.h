/* All optimizers as one formula, whose numbers differ by lane:
 *
 *     g = gradient + decay * p
 *     first  = a * first  + b * g
 *     second = c * second + e * g^2
 *     n = first, or g + 0.9 first for Nesterov's momentum
 *     p = shrunk * p - rate * n / (k * sqrt(second) + eps)
 *
 * where k = 0 and eps = 1 for those that keep no squares. For Adam, `rate` and `k` have the
 * corrections of its biases; `shrunk` is AdamW's own decay. The division is the processor's, which
 * works on it beside multiplications, as it could not on a root as well.
 */
#ifndef XORTUNE_OPTIMIZERS_H
#define XORTUNE_OPTIMIZERS_H

#include "batches.h"
#include "functions.h"

static const float FIRST_KEPT[] = {0.0f, 0.9f, 0.9f, 0.0f, 0.9f, 0.9f};
static const float FIRST_ADDED[] = {1.0f, 1.0f, 1.0f, 1.0f, 0.1f, 0.1f};
static const float SECOND_KEPT[] = {0.0f, 0.0f, 0.0f, 0.99f, 0.999f, 0.999f};
static const float SECOND_ADDED[] = {0.0f, 0.0f, 0.0f, 0.01f, 0.001f, 0.001f};

typedef struct {
    V a, b, c, e, decay, shrunk, eps; /* as above */
    V rate, k;                        /* of a step */
    V plain;                          /* `k` of other than Adam's */
    I nesterov, squares;              /* masks */
    int some_nesterov, some_squares;
    double powers[2][VECTOR]; /* 0.9^t and 0.999^t after t steps */
    double lr[VECTOR];
    int32_t kind[VECTOR];
} Optimizer;

/* What an optimizer has of a number of the model, and the number itself. */
typedef struct {
    V p, first, second;
} Number;

INLINE Number updated(const Optimizer *o, Number n, V gradient)
{
    V g = fma_(o->decay, n.p, gradient);
    n.first = fma_(o->a, n.first, o->b * g);
    V step = n.first;
    if (o->some_nesterov)
        step = choose(o->nesterov, fma_(all(0.9f), n.first, g), step);
    step = o->rate * step;
    if (o->some_squares) {
        n.second = fma_(o->c, n.second, o->e * g * g);
        step = step / fma_(o->k, root(n.second), o->eps);
    }
    n.p = fma_(o->shrunk, n.p, -step);
    return n;
}

/* x^n by squaring. */
static double power(double x, int64_t n)
{
    double y = 1.0;
    for (; n; n >>= 1, x *= x)
        if (n & 1)
            y *= x;
    return y;
}

/* cos(pi x) for 0 <= x <= 1, by its series around 1/2. */
static double cos_pi(double x)
{
    double u = 3.14159265358979323846 * (0.5 - x), square = u * u, term = u, sum = 0.0;
    for (int k = 1; k < 30; k += 2) {
        sum += term;
        term *= -square / ((k + 1) * (k + 2));
    }
    return sum;
}

/* The learning rate of an epoch: see `rate` in optimizers.py. */
static double scheduled(int schedule, double lr, int64_t epoch, int64_t epochs)
{
    if (schedule == COSINE)
        return lr * (1.0 + cos_pi((double)epoch / (double)epochs)) / 2.0;
    if (schedule == STEP && 2 * epoch >= epochs)
        return lr * (4 * epoch >= 3 * epochs ? 0.01 : 0.1);
    return lr;
}

/* The optimizers of a part's lanes, before a portion of an epoch that has so many steps. */
static void prepare(Optimizer *o, const Block *block, int at, int64_t portion, U steps)
{
    memset(o, 0, sizeof *o);
    for (int l = 0; l < VECTOR; l++) {
        int i = at + l, kind = block->optimizer[i];
        o->kind[l] = kind;
        o->a[l] = FIRST_KEPT[kind], o->b[l] = FIRST_ADDED[kind];
        o->c[l] = SECOND_KEPT[kind], o->e[l] = SECOND_ADDED[kind];
        o->eps[l] = kind >= RMSPROP ? 1e-8f : 1.0f, o->plain[l] = kind >= RMSPROP ? 1.0f : 0.0f;
        o->nesterov[l] = -(kind == NESTEROV), o->squares[l] = -(kind >= RMSPROP);
        int64_t past = block->epoch[i] * (int64_t)steps[l] + portion / block->portions[i];
        o->powers[0][l] = power(0.9, past), o->powers[1][l] = power(0.999, past);
        int trains = block->mask[i] != 0;
        double lr = scheduled(block->schedule[i], block->lr[i], block->epoch[i], block->epochs[i]);
        o->lr[l] = trains ? lr : 0.0;
        o->decay[l] = kind != ADAMW && trains ? (float)block->decay[i] : 0.0f;
        o->shrunk[l] = kind == ADAMW && trains ? (float)(1.0 - lr * block->decay[i]) : 1.0f;
    }
    o->some_nesterov = any(o->nesterov), o->some_squares = any(o->squares);
}

/* Sets the numbers of the next step of some lanes; those of others mean nothing. */
static void correct(Optimizer *o, I steps)
{
    for (int l = 0; l < VECTOR; l++) {
        int adam = o->kind[l] >= ADAM;
        o->powers[0][l] *= steps[l] ? 0.9 : 1.0, o->powers[1][l] *= steps[l] ? 0.999 : 1.0;
        o->rate[l] = (float)(adam ? o->lr[l] / (1.0 - o->powers[0][l]) : o->lr[l]);
        o->k[l] = adam ? (float)(1.0 / __builtin_sqrt(1.0 - o->powers[1][l])) : o->plain[l];
    }
}

#endif
