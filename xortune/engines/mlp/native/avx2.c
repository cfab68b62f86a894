/* The engine for processors with AVX2 and FMA. */
#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
#define VECTOR 8
#include "training.h"

void xortune_train_avx2(const Block *block) { train_parts(block); }
void xortune_measure_avx2(const Block *block, const Scores *s) { measure_parts(block, s); }
void xortune_permute_avx2(uint32_t *words, int32_t *order, int64_t rows)
{
    permute(words, order, rows);
}

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
