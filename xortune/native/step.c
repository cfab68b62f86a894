/* Gradient descent on every lane at once, as in xortune/engine/step.py, which derives it.
 *
 * The same bits on every processor and by every compiler: each operation is one that IEEE 754
 * defines (+, -, *, /, fused multiply-add), in the order written here, and compilers are told
 * to contract and reorder nothing. So exp is written out too. What they may do is to treat many
 * lanes with one instruction, since lanes never meet.
 *
 * A comparison with NaN may go either way; but a weight that is NaN stays so, and its lane fails.
 */
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum {
    BLOCK = 32, /* lanes trained to their end before the next ones are looked at */
    WEIGHTS = 9,
};

typedef struct {
    float v00[BLOCK], v10[BLOCK], v01[BLOCK], v11[BLOCK]; /* v<hidden unit><input> */
    float c0[BLOCK], c1[BLOCK], d[BLOCK];                 /* biases: hidden, output */
    float u0[BLOCK], u1[BLOCK];                           /* output weights */
} Weights;

typedef struct {
    float lr[BLOCK], slope[BLOCK], offset[BLOCK]; /* dL/dz = (p - y) min(slope q + offset, 1/4) */
} Lanes;

INLINE float fma_(float a, float b, float c) { return __builtin_fmaf(a, b, c); }

/* 1 / (1 + exp(-x)), where exp(-x) = 2^n exp(r), n whole and |r| <= ln(2)/2; the coefficients
 * are those of Cephes' expf. */
INLINE float sigmoid(float x)
{
    const float round = 12582912.0f; /* 1.5 * 2^23: what is added to it loses its fraction */
    x = x > 87.0f ? 87.0f : x;
    x = x < -87.0f ? -87.0f : x;
    float shifted = fma_(x, -1.44269504f, round);
    float n = shifted - round;
    float r = fma_(n, 2.12194440e-4f, fma_(n, -0.693359375f, -x));
    float p = 1.9875691500e-4f;
    p = fma_(p, r, 1.3981999507e-3f);
    p = fma_(p, r, 8.3334519073e-3f);
    p = fma_(p, r, 4.1665795894e-2f);
    p = fma_(p, r, 1.6666665459e-1f);
    p = fma_(p, r, 5.0000001201e-1f);
    p = fma_(fma_(p, r, 1.0f), r, 1.0f);
    uint32_t bits;
    float power; /* 2^n: n, which is the end of `shifted`, put into the exponent of 1 */
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << 23) + 0x3f800000u;
    memcpy(&power, &bits, sizeof power);
    return 1.0f / fma_(p, power, 1.0f);
}

/* The rows a, b, c, d are (0,0), (0,1), (1,1), (1,0): what an input multiplies is there or not. */
INLINE void epoch(const float *y, Weights *restrict w, const Lanes *restrict lanes)
{
    const float ya = y[0], yb = y[1], yc = y[2], yd = y[3];
    for (int i = 0; i < BLOCK; i++) {
        float v00 = w->v00[i], v01 = w->v01[i], v10 = w->v10[i], v11 = w->v11[i];
        float c0 = w->c0[i], c1 = w->c1[i], d = w->d[i], u0 = w->u0[i], u1 = w->u1[i];
        float slope = lanes->slope[i], offset = lanes->offset[i], down = -lanes->lr[i];

        /* All hidden units first: eight chains that a processor can work on at once. */
        float h0a = sigmoid(c0), h1a = sigmoid(c1);
        float h0b = sigmoid(c0 + v01), h1b = sigmoid(c1 + v11);
        float h0c = sigmoid(c0 + v00 + v01), h1c = sigmoid(c1 + v10 + v11);
        float h0d = sigmoid(c0 + v00), h1d = sigmoid(c1 + v10);

/* A row's output p, and dL/d of its logit (z) and of its hidden sums (s0, s1). */
#define ROW(row)                                                                  \
    float p##row = sigmoid(fma_(h1##row, u1, fma_(h0##row, u0, d)));              \
    float factor##row = fma_(fma_(-p##row, p##row, p##row), slope, offset);       \
    float z##row = (p##row - y##row) * (factor##row < 0.25f ? factor##row : 0.25f); \
    float s0##row = z##row * u0 * fma_(-h0##row, h0##row, h0##row);               \
    float s1##row = z##row * u1 * fma_(-h1##row, h1##row, h1##row)
        ROW(a);
        ROW(b);
        ROW(c);
        ROW(d);

#define UPDATE(weight, gradient) w->weight[i] = fma_(down, gradient, weight)
        UPDATE(v00, s0c + s0d);
        UPDATE(v10, s1c + s1d);
        UPDATE(v01, s0b + s0c);
        UPDATE(v11, s1b + s1c);
        UPDATE(c0, s0b + s0c + (s0a + s0d));
        UPDATE(c1, s1b + s1c + (s1a + s1d));
        UPDATE(d, za + zc + (zb + zd));
        UPDATE(u0, fma_(za, h0a, fma_(zb, h0b, fma_(zc, h0c, zd * h0d))));
        UPDATE(u1, fma_(za, h1a, fma_(zb, h1b, fma_(zc, h1c, zd * h1d))));
    }
}

typedef struct {
    float *weights;                  /* (9, lanes), rows as in struct Weights */
    const float *lr, *slope, *offset; /* (lanes) */
    const int32_t *epochs;           /* (lanes): a lane rests once it has had so many */
    const float *y;                  /* (4): the targets */
    int64_t lanes;                   /* a multiple of BLOCK */
    int32_t from, to;                /* epochs done before, and after */
} Pack;

/* Where lanes leave next: the first epoch after `now` that is some lane's last, or `to`. It is
 * `now` itself when nothing is left to train. */
INLINE int32_t next_stop(const int32_t *epochs, int32_t now, int32_t to)
{
    int32_t stop = now;
    for (int i = 0; i < BLOCK; i++)
        if (epochs[i] > now && (stop == now || epochs[i] < stop))
            stop = epochs[i];
    return stop < to ? stop : to;
}

/* Zeros throughout: every sigmoid is 1/2, every gradient 0. A resting lane is computed along with
 * those that train, and on subnormal numbers some processors are a hundred times slower. */
INLINE void rest(Weights *w, Lanes *lanes, int i)
{
    for (int k = 0; k < WEIGHTS; k++)
        ((float *)w)[k * BLOCK + i] = 0.0f;
    lanes->lr[i] = lanes->slope[i] = lanes->offset[i] = 0.0f;
}

INLINE void block(const Pack *pack, int64_t start)
{
    /* On a page of its own: elsewhere it can meet other data in the cache, at a third more. */
    _Alignas(4096) Weights w;
    _Alignas(64) Lanes lanes;
    float *weights = pack->weights + start;
    const int32_t *epochs = pack->epochs + start;
    for (int k = 0; k < WEIGHTS; k++)
        memcpy((float *)&w + k * BLOCK, weights + k * pack->lanes, BLOCK * 4);
    memcpy(lanes.lr, pack->lr + start, BLOCK * 4);
    memcpy(lanes.slope, pack->slope + start, BLOCK * 4);
    memcpy(lanes.offset, pack->offset + start, BLOCK * 4);
    for (int i = 0; i < BLOCK; i++)
        if (epochs[i] <= pack->from)
            rest(&w, &lanes, i);
    int32_t now = pack->from, stop;
    while ((stop = next_stop(epochs, now, pack->to)) > now) {
        for (; now < stop; now++)
            epoch(pack->y, &w, &lanes);
        for (int i = 0; i < BLOCK; i++) {
            if (epochs[i] > stop && stop < pack->to)
                continue;
            if (epochs[i] >= stop)
                for (int k = 0; k < WEIGHTS; k++)
                    weights[k * pack->lanes + i] = ((float *)&w)[k * BLOCK + i];
            rest(&w, &lanes, i);
        }
    }
}

INLINE void blocks(const Pack *pack)
{
    for (int64_t start = 0; start < pack->lanes; start += BLOCK)
        block(pack, start);
}

/* The same code for wider and wider instructions; the widest that are there are taken. */
static void train_anywhere(const Pack *pack) { blocks(pack); }

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static void train_avx2(const Pack *pack) { blocks(pack); }
__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
static void train_avx512(const Pack *pack) { blocks(pack); }
#endif

void xortune_train(const Pack *pack)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        train_avx512(pack);
    else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        train_avx2(pack);
    else
        train_anywhere(pack);
#else
    train_anywhere(pack);
#endif
}

/* The first draws of a Mersenne Twister (MT19937), which PyTorch's generator is, without the
 * others: of its 624 words, nine draws look at the first ten and at nine from the 397th on. */
enum { DRAWS = 9, MIDDLE = 397 };

INLINE void draw_block(const uint32_t *seeds, float low, float high, float *draws, int64_t stride)
{
    uint32_t words[DRAWS + 1][BLOCK], word[BLOCK];
    for (int i = 0; i < BLOCK; i++)
        words[0][i] = word[i] = seeds[i];
    for (uint32_t n = 1; n < MIDDLE + DRAWS; n++) {
        for (int i = 0; i < BLOCK; i++)
            word[i] = 1812433253u * (word[i] ^ (word[i] >> 30)) + n;
        if (n <= DRAWS)
            memcpy(words[n], word, sizeof word);
        if (n < MIDDLE)
            continue;
        for (int i = 0, k = n - MIDDLE; i < BLOCK; i++) {
            uint32_t y = (words[k][i] & 0x80000000u) | (words[k + 1][i] & 0x7fffffffu);
            y = word[i] ^ (y >> 1) ^ ((y & 1u) ? 0x9908b0dfu : 0u);
            y ^= y >> 11;
            y ^= (y << 7) & 0x9d2c5680u;
            y ^= (y << 15) & 0xefc60000u;
            y ^= y >> 18;
            float unit = (float)(int32_t)(y & 0xffffffu) * 0x1p-24f;
            draws[k * stride + i] = fma_(unit, high - low, low);
        }
    }
}

/* What Tensor.uniform_(low, high) of nine numbers draws after manual_seed(seed): (9, lanes). */
void xortune_draw(const uint32_t *seeds, float low, float high, float *draws, int64_t lanes)
{
    for (int64_t start = 0; start < lanes; start += BLOCK)
        draw_block(seeds + start, low, high, draws + start, lanes);
}
