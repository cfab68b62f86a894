/* The training step over lanes, as a C programmer in a hurry for speed would write it: compiled
 * for this very processor, free to reorder (-O3 -march=native -ffast-math), one thread.
 *
 * A block of lanes is trained to its end while its weights stay in the first-level cache; the
 * loop over its lanes is turned into vector instructions by the compiler. expf is libmvec's
 * vectorised one, or with OWN_EXP a polynomial that is inlined.
 *
 * All three losses are (p - y) * min(a q + b, 1/4) with q = p (1 - p); see
 * xortune/engine/gradient.py. The rows are (0,0), (0,1), (1,1), (1,0), so inputs need no product.
 */
#include <math.h>
#include <string.h>
#ifdef __SSE__
#include <xmmintrin.h>
#endif

#ifndef LANES
#define LANES 32
#endif

/* Rows of the weights, in the order of the model's state_dict(). */
enum { V00, V01, V10, V11, C0, C1, U0, U1, D, WEIGHTS };

/* On a page of its own: elsewhere, where the process happens to lie in memory costs up to 40 %. */
typedef struct {
    _Alignas(4096) float w[WEIGHTS][LANES], lr[LANES], a[LANES], b[LANES];
} Block;

#ifdef OWN_EXP
/* Cephes' expf for |x| <= 80: 2^n e^f with a polynomial of degree 7 for e^f. */
static inline float exponential(float x)
{
    float n = __builtin_rintf(x * 1.44269504f), f = x - n * 0.693359375f + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * f + 1.3981999507e-3f;
    p = p * f + 8.3334519073e-3f;
    p = p * f + 4.1665795894e-2f;
    p = p * f + 1.6666665459e-1f;
    p = p * f + 5.0000001201e-1f;
    union { int bits; float value; } power = {((int)n + 127) << 23};
    return (p * f * f + f + 1.0f) * power.value;
}
#else
#define exponential expf
#endif

/* Clamped: the reciprocal of infinity, as -ffast-math takes it, is NaN. */
static inline float sigmoid(float z)
{
    float m = -z;
    m = m < 80.0f ? m : 80.0f;
    m = m > -80.0f ? m : -80.0f;
    return 1.0f / (1.0f + exponential(m));
}

static void run(Block *restrict block, const float *y, int epochs)
{
    const float y0 = y[0], y1 = y[1], y2 = y[2], y3 = y[3];
    for (int epoch = 0; epoch < epochs; epoch++)
        for (int l = 0; l < LANES; l++) {
            float v00 = block->w[V00][l], v01 = block->w[V01][l];
            float v10 = block->w[V10][l], v11 = block->w[V11][l];
            float c0 = block->w[C0][l], c1 = block->w[C1][l];
            float u0 = block->w[U0][l], u1 = block->w[U1][l], d = block->w[D][l];
            float a = block->a[l], b = block->b[l], lr = block->lr[l];

            float h00 = sigmoid(c0), h10 = sigmoid(c1);
            float h01 = sigmoid(c0 + v01), h11 = sigmoid(c1 + v11);
            float h02 = sigmoid(c0 + v01 + v00), h12 = sigmoid(c1 + v11 + v10);
            float h03 = sigmoid(c0 + v00), h13 = sigmoid(c1 + v10);

#define ROW(i)                                                            \
    float p##i = sigmoid(d + u0 * h0##i + u1 * h1##i);                    \
    float factor##i = a * p##i * (1.0f - p##i) + b;                       \
    float g##i = (p##i - y##i) * (factor##i < 0.25f ? factor##i : 0.25f); \
    float s0##i = g##i * u0 * h0##i * (1.0f - h0##i);                     \
    float s1##i = g##i * u1 * h1##i * (1.0f - h1##i);
            ROW(0)
            ROW(1)
            ROW(2)
            ROW(3)

            block->w[V00][l] = v00 - lr * (s02 + s03);
            block->w[V01][l] = v01 - lr * (s01 + s02);
            block->w[V10][l] = v10 - lr * (s12 + s13);
            block->w[V11][l] = v11 - lr * (s11 + s12);
            block->w[C0][l] = c0 - lr * (s00 + s01 + s02 + s03);
            block->w[C1][l] = c1 - lr * (s10 + s11 + s12 + s13);
            block->w[U0][l] = u0 - lr * (g0 * h00 + g1 * h01 + g2 * h02 + g3 * h03);
            block->w[U1][l] = u1 - lr * (g0 * h10 + g1 * h11 + g2 * h12 + g3 * h13);
            block->w[D][l] = d - lr * (g0 + g1 + g2 + g3);
        }
}

static void train_block(Block *block, int lanes, const int *epochs, const float *y)
{
    for (int done = 0, remaining = lanes; remaining > 0;) {
        run(block, y, epochs[remaining - 1] - done);
        done = epochs[remaining - 1];
        while (remaining > 0 && epochs[remaining - 1] == done)
            block->lr[--remaining] = 0.0f; /* this lane moves no more */
    }
}

/* Trains `count` lanes, sorted by falling epochs, in place; weights are (9, count). */
void train(int count, const int *epochs, const float *lr, const float *a, const float *b,
           const float *y, float *weights)
{
#ifdef __SSE__ /* Denormal numbers are taken for 0; for the caller all is as it was. */
    unsigned mode = _mm_getcsr();
    _mm_setcsr(mode | 0x8040);
#endif
    for (int start = 0; start < count; start += LANES) {
        int lanes = count - start < LANES ? count - start : LANES;
        size_t bytes = lanes * sizeof(float);
        Block block = {0};
        memcpy(block.lr, lr + start, bytes);
        memcpy(block.a, a + start, bytes);
        memcpy(block.b, b + start, bytes);
        for (int k = 0; k < WEIGHTS; k++)
            memcpy(block.w[k], weights + (size_t)k * count + start, bytes);
        train_block(&block, lanes, epochs + start, y);
        for (int k = 0; k < WEIGHTS; k++)
            memcpy(weights + (size_t)k * count + start, block.w[k], bytes);
    }
#ifdef __SSE__
    _mm_setcsr(mode);
#endif
}
