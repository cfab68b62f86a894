/* Gradient descent on every lane at once, as derived in gradient.py, and losses.
 *
 * The bits are the same on every processor and with every compiler: each operation is defined by
 * IEEE 754 (+, -, *, /, fused multiply-add), in the order written here, and compilers may not
 * contract or reorder any. So exp and log are written out too. Compilers may process many lanes
 * with one instruction, since lanes do not interact.
 *
 * Compilers assume finite numbers: a comparison with NaN may go either way. But a weight that is
 * NaN stays NaN, and measuring looks at the bits of weights.
 */
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum {
    BLOCK = 32, /* lanes trained to their end before the next ones */
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

/* 1 / (1 + exp(-x)), where exp(-x) = 2^n exp(r), n an integer and |r| <= ln(2)/2; the
 * coefficients are those of Cephes' expf. */
INLINE float sigmoid(float x)
{
    const float round = 12582912.0f; /* 1.5 * 2^23: a number added to it loses its fraction */
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
    float power; /* 2^n: n, the low bits of `shifted`, moved into the exponent of 1 */
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << 23) + 0x3f800000u;
    memcpy(&power, &bits, sizeof power);
    return 1.0f / fma_(p, power, 1.0f);
}

/* The rows a, b, c, d are (0,0), (0,1), (1,1), (1,0): an input adds its weight, or nothing. */
INLINE void epoch(const float *y, Weights *restrict w, const Lanes *restrict lanes)
{
    const float ya = y[0], yb = y[1], yc = y[2], yd = y[3];
    for (int i = 0; i < BLOCK; i++) {
        float v00 = w->v00[i], v01 = w->v01[i], v10 = w->v10[i], v11 = w->v11[i];
        float c0 = w->c0[i], c1 = w->c1[i], d = w->d[i], u0 = w->u0[i], u1 = w->u1[i];
        float slope = lanes->slope[i], offset = lanes->offset[i], down = -lanes->lr[i];

        /* All hidden units first: eight independent chains that a processor overlaps. */
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
    const int32_t *epochs;           /* (lanes): a lane stops after this many */
    const float *y;                  /* (4): the targets */
    int64_t lanes;                   /* a multiple of BLOCK */
    int32_t from, to;                /* epochs done before, and after */
} Pack;

/* The first epoch after `now` that is some lane's last, or `to`; `now` if none is left to train. */
INLINE int32_t next_stop(const int32_t *epochs, int32_t now, int32_t to)
{
    int32_t stop = now;
    for (int i = 0; i < BLOCK; i++)
        if (epochs[i] > now && (stop == now || epochs[i] < stop))
            stop = epochs[i];
    return stop < to ? stop : to;
}

/* Fills a lane with zeros: every gradient is 0. A resting lane is computed along with those that
 * train, and some processors are a hundred times slower on subnormal numbers. */
INLINE void rest(Weights *w, Lanes *lanes, int i)
{
    for (int k = 0; k < WEIGHTS; k++)
        ((float *)w)[k * BLOCK + i] = 0.0f;
    lanes->lr[i] = lanes->slope[i] = lanes->offset[i] = 0.0f;
}

INLINE void block(const Pack *pack, int64_t start)
{
    /* Aligned to a page: elsewhere cache conflicts can cost a third. */
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

#define LARGEST 0x1.fffffep127 /* of float32: losses and logits beyond it are infinite */
#define INFINITE 0x1p200

enum { MSE, BCE, BCE_WITH_LOGITS }; /* the order of LOSS_FNS */

typedef struct {
    const float *weights; /* (9, stride), rows as in struct Weights */
    const int32_t *loss;  /* (stride): each lane's own loss function */
    const float *y;       /* (4): the targets */
    float *results;       /* (4, stride): own loss, squared error, cross-entropy, accuracy */
    int64_t stride, lanes; /* both multiples of BLOCK: the first lanes are measured */
} Measurement;

INLINE double fmad(double a, double b, double c) { return __builtin_fma(a, b, c); }

INLINE uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

INLINE double from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

INLINE double magnitude(double x) { return from_bits(bits_of(x) & 0x7fffffffffffffffu); }

/* `a` where x has a minus sign, else `b`; by bits, since gcc would branch otherwise. */
INLINE double where_minus(double x, double a, double b)
{
    uint64_t mask = -(bits_of(x) >> 63);
    return from_bits((bits_of(a) & mask) | (bits_of(b) & ~mask));
}

/* exp(-x) for x >= 0, as in `sigmoid`; the polynomial is the series up to r^12 / 12!. */
INLINE double exp_minus(double x)
{
    const double round = 0x1.8p52;
    x = x > 700.0 ? 700.0 : x;
    double shifted = fmad(x, -0x1.71547652b82fep0, round);
    double n = shifted - round;
    double r = fmad(n, -0x1.abc9e3b39803fp-56, fmad(n, -0x1.62e42fefa39efp-1, -x));
    double p = 1.0 / 479001600;
    p = fmad(p, r, 1.0 / 39916800);
    p = fmad(p, r, 1.0 / 3628800);
    p = fmad(p, r, 1.0 / 362880);
    p = fmad(p, r, 1.0 / 40320);
    p = fmad(p, r, 1.0 / 5040);
    p = fmad(p, r, 1.0 / 720);
    p = fmad(p, r, 1.0 / 120);
    p = fmad(p, r, 1.0 / 24);
    p = fmad(p, r, 1.0 / 6);
    p = fmad(p, r, 0.5);
    p = fmad(fmad(p, r, 1.0), r, 1.0);
    return p * from_bits((bits_of(shifted) << 52) + 0x3ff0000000000000u);
}

/* (1 + s^2/3 + s^4/5 + ...) 2s = log((1 + s) / (1 - s)), in `terms` terms. */
INLINE double log_ratio(double s, int terms)
{
    double square = s * s, sum = 0.0;
    for (int k = terms - 1; k >= 0; k--)
        sum = fmad(sum, square, 1.0 / (2 * k + 1));
    return 2.0 * s * sum;
}

/* log(1 + x) for 0 <= x <= 1. */
INLINE double log_1_plus(double x) { return log_ratio(x / (2.0 + x), 16); }

/* log(x) for x > 0, and below -700 for x = 0: x = 2^n m, with m between sqrt(1/2) and sqrt(2). */
INLINE double log_(double x)
{
    const uint64_t root = 0x3fe6a09e667f3bcdu, fraction = 0x000fffffffffffffu;
    uint64_t shifted = bits_of(x) - root + 0x3ff0000000000000u;
    double n = from_bits((shifted >> 52) | 0x4330000000000000u) - 0x1p52 - 1023.0;
    double m = from_bits((shifted & fraction) + root);
    return fmad(n, 0x1.62e42fefa39efp-1, log_ratio((m - 1.0) / (m + 1.0), 12));
}

INLINE double sigmoid_double(double x)
{
    double t = exp_minus(magnitude(x)), large = 1.0 / (1.0 + t);
    return where_minus(x, t * large, large);
}

/* The logarithm of nn.BCELoss. */
INLINE double clamped_log(double x)
{
    double log = log_(x);
    return log < -100.0 ? -100.0 : log;
}

/* Sums over the rows: squared error, cross-entropy from the logit, cross-entropy from the output
 * rounded as in float32, and the number of rows on the right side of 1/2. */
typedef struct {
    double mse[BLOCK], bce[BLOCK], rounded[BLOCK], right[BLOCK];
} Sums;

/* Adds the row of the inputs x0, x1 and the target y. */
INLINE void add_row(double x0, double x1, double y, const double (*restrict w)[BLOCK],
                    Sums *restrict sums)
{
    for (int i = 0; i < BLOCK; i++) {
        double h0 = sigmoid_double(fmad(w[2][i], x1, fmad(w[0][i], x0, w[4][i])));
        double h1 = sigmoid_double(fmad(w[3][i], x1, fmad(w[1][i], x0, w[5][i])));
        double z = fmad(h1, w[8][i], fmad(h0, w[7][i], w[6][i]));
        double t = exp_minus(magnitude(z)), large = 1.0 / (1.0 + t), small = t * large;
        double p = where_minus(z, small, large), rest = where_minus(z, large, small); /* 1 - p */
        double difference = (1.0 - y) * p - y * rest;
        sums->mse[i] = fmad(difference, difference, sums->mse[i]);
        double loss = where_minus(z, 0.0, z) - z * y + log_1_plus(t);
        sums->bce[i] += where_minus(LARGEST - magnitude(z), INFINITE, loss);
        /* Beyond, float32's exp(-z) is infinite. */
        double low = where_minus(z + 88.72283935546875, 0.0, (double)(float)small);
        double output = where_minus(z, low, (double)(1.0f / (1.0f + (float)t)));
        sums->rounded[i] += (y - 1.0) * clamped_log(1.0 - output) - y * clamped_log(output);
        /* The last term makes an output of exactly 1/2 wrong. */
        sums->right[i] += where_minus((output - 0.5) * (0.5 - y) + 0x1p-1000, 1.0, 0.0);
    }
}

/* The mean of four, as float32: infinite where a sum of float32 would be, NaN where `lost` is all
 * ones. */
INLINE float mean(double sum, uint32_t lost)
{
    float mean = (float)(sum < LARGEST ? sum : LARGEST) * 0.25f;
    uint32_t bits;
    memcpy(&bits, &mean, sizeof bits);
    uint32_t infinite = -(uint32_t)(bits == 0x7e7fffffu);
    bits = (bits & ~infinite) | (0x7f800000u & infinite);
    bits = (bits & ~lost) | (0x7fc00000u & lost);
    memcpy(&mean, &bits, sizeof mean);
    return mean;
}

/* In double precision, so that a loss is correct to the last bit of a float32. */
INLINE void measure_block(const Measurement *m, int64_t start)
{
    static const double x[4][2] = {{0, 0}, {0, 1}, {1, 1}, {1, 0}};
    _Alignas(64) double w[WEIGHTS][BLOCK];
    _Alignas(64) Sums sums = {0};
    uint32_t lost[BLOCK] = {0};
    for (int k = 0; k < WEIGHTS; k++) {
        const float *weight = m->weights + k * m->stride + start;
        for (int i = 0; i < BLOCK; i++) {
            uint32_t bits;
            memcpy(&bits, weight + i, sizeof bits);
            lost[i] |= -(uint32_t)((bits & 0x7f800000u) == 0x7f800000u);
            w[k][i] = weight[i];
        }
    }
    for (int row = 0; row < 4; row++)
        add_row(x[row][0], x[row][1], m->y[row], w, &sums);
    for (int i = 0; i < BLOCK; i++) {
        int32_t loss = m->loss[start + i];
        double own = loss == MSE ? sums.mse[i] : loss == BCE ? sums.rounded[i] : sums.bce[i];
        float *results = m->results + start + i;
        results[0] = mean(own, lost[i]);
        results[m->stride] = mean(sums.mse[i], lost[i]);
        results[2 * m->stride] = mean(sums.bce[i], lost[i]);
        results[3 * m->stride] = mean(sums.right[i], lost[i]);
    }
}

INLINE void measure(const Measurement *m)
{
    for (int64_t start = 0; start < m->lanes; start += BLOCK)
        measure_block(m, start);
}

/* The same code for ever wider instructions; the widest available are used. */
static void train_anywhere(const Pack *pack) { blocks(pack); }
static void measure_anywhere(const Measurement *m) { measure(m); }

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2,fma")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
AVX2 static void train_avx2(const Pack *pack) { blocks(pack); }
AVX2 static void measure_avx2(const Measurement *m) { measure(m); }
AVX512 static void train_avx512(const Pack *pack) { blocks(pack); }
AVX512 static void measure_avx512(const Measurement *m) { measure(m); }

static int has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
static int has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#define WIDEST(what, argument)      \
    if (has_avx512())               \
        what##_avx512(argument);    \
    else if (has_avx2())            \
        what##_avx2(argument);      \
    else                            \
        what##_anywhere(argument)
#else
#define WIDEST(what, argument) what##_anywhere(argument)
#endif

/* Trains lanes from epoch `from` to `to`, or to their own last one. */
void xortune_train(const Pack *pack) { WIDEST(train, pack); }

void xortune_measure(const Measurement *m) { WIDEST(measure, m); }

/* The first draws of a Mersenne Twister (MT19937), PyTorch's generator. Of its 624 words, nine
 * draws need the first ten, and nine from the 397th on. */
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

/* Draws (9, lanes) as Tensor.uniform_(low, high) of nine numbers does after manual_seed(seed). */
void xortune_draw(const uint32_t *seeds, float low, float high, float *draws, int64_t lanes)
{
    for (int64_t start = 0; start < lanes; start += BLOCK)
        draw_block(seeds + start, low, high, draws + start, lanes);
}
