/* What Python calls: the widest vectors of this processor, without subnormal numbers. */
#include "block.h"
#include "order.h"

#if defined(__x86_64__)
#include <immintrin.h>

void xortune_train_avx512(const Block *block);
void xortune_measure_avx512(const Block *block);
void xortune_train_avx2(const Block *block);
void xortune_measure_avx2(const Block *block);

static int has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

/* The lanes of the widest vectors, 16 or 8; 0 where this processor cannot train. */
int32_t xortune_vector(void)
{
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return 0;
    return has_avx512() ? 16 : 8;
}

/* Numbers below 1.2e-38 are taken for 0, and become 0: with them, many processors are a hundred
 * times slower, and the moments of units that are never active would stay among them. */
enum { FLUSH = 0x8040 };

static void run(const Block *block, int32_t vector, void (*wide)(const Block *),
                void (*narrow)(const Block *))
{
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | FLUSH);
    (vector == 16 ? wide : narrow)(block);
    _mm_setcsr(before);
}

void xortune_train(const Block *block, int32_t vector)
{
    run(block, vector, xortune_train_avx512, xortune_train_avx2);
}

void xortune_measure(const Block *block, int32_t vector)
{
    run(block, vector, xortune_measure_avx512, xortune_measure_avx2);
}
#else
void xortune_train_portable(const Block *block);
void xortune_measure_portable(const Block *block);

int32_t xortune_vector(void) { return 0; }

void xortune_train(const Block *block, int32_t vector)
{
    (void)vector;
    xortune_train_portable(block);
}

void xortune_measure(const Block *block, int32_t vector)
{
    (void)vector;
    xortune_measure_portable(block);
}
#endif

/* Draws the numbers of arrays one after the other, each from its own range around 0, as
 * `uniform_(-bound, bound)` after `manual_seed(seed)`. */
void xortune_draw(uint32_t seed, const int64_t *counts, const float *bounds, int64_t arrays,
                  float *numbers)
{
    uint32_t words[WORDS];
    seed_words(words, seed);
    for (int64_t i = 0; i < arrays; numbers += counts[i++])
        uniform(words, numbers, counts[i], bounds[i]);
}

/* A generator after `orders` orders of `rows` rows. */
void xortune_seed(uint32_t *words, uint32_t seed, int64_t rows, int64_t orders)
{
    seed_words(words, seed);
    skip_words(words, orders * (rows - 1));
}

/* The next order of rows for the lanes of a mask: (LANES, rows). */
void xortune_permute(uint32_t (*words)[WORDS], const int32_t *mask, int32_t *order, int64_t rows)
{
    for (int lane = 0; lane < LANES; lane++)
        if (mask[lane])
            permute(words[lane], order + lane * rows, rows);
}

/* Copies the numbers of the lanes of a mask: (numbers, LANES). */
void xortune_keep(const uint32_t *from, uint32_t *to, const int32_t *mask, int64_t numbers)
{
    for (int64_t i = 0; i < numbers; i++, from += LANES, to += LANES)
        for (int lane = 0; lane < LANES; lane++) {
            uint32_t kept = (uint32_t)mask[lane];
            to[lane] = (from[lane] & kept) | (to[lane] & ~kept);
        }
}
