/* The engine for processors with AVX-512. */
#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")
#endif
#define VECTOR 16
#include "training.h"

void xortune_train_avx512(const Block *block) { train_parts(block); }
void xortune_measure_avx512(const Block *block, const Scores *s) { measure_parts(block, s); }
void xortune_permute_avx512(uint32_t *words, int32_t *order, int64_t rows)
{
    permute(words, order, rows);
}

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
