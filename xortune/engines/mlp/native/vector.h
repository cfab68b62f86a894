/* Vectors of lanes, and the operations on them that IEEE 754 defines.
 *
 * A file that includes this one first defines VECTOR, the lanes of a vector: what its processor
 * does with one instruction. A block has LANES lanes, in LANES / VECTOR parts; lanes never
 * interact, so the parts are trained one after the other, and bits do not depend on VECTOR.
 */
#ifndef XORTUNE_VECTOR_H
#define XORTUNE_VECTOR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if VECTOR > 4
#include <immintrin.h>
#endif

#include "block.h"

#define INLINE static inline __attribute__((always_inline))

/* Before a loop whose numbers are to stay in registers. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

enum { PARTS = LANES / VECTOR };

typedef float V __attribute__((vector_size(4 * VECTOR), aligned(4 * VECTOR)));
typedef int32_t I __attribute__((vector_size(4 * VECTOR), aligned(4 * VECTOR)));
typedef uint32_t U __attribute__((vector_size(4 * VECTOR), aligned(4 * VECTOR)));

/* a * b + c, rounded once. */
INLINE V fma_(V a, V b, V c)
{
#if VECTOR == 16
    return (V)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif VECTOR == 8
    return (V)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
    V sum;
    for (int l = 0; l < VECTOR; l++)
        sum[l] = __builtin_fmaf(a[l], b[l], c[l]);
    return sum;
#endif
}

/* c - a * b, rounded once. */
INLINE V minus_(V a, V b, V c)
{
#if VECTOR == 16
    return (V)_mm512_fnmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif VECTOR == 8
    return (V)_mm256_fnmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
    return fma_(-a, b, c);
#endif
}

/* The smaller of two; `b` if either is NaN. */
INLINE V least(V a, V b)
{
#if VECTOR == 16
    return (V)_mm512_min_ps((__m512)a, (__m512)b);
#elif VECTOR == 8
    return (V)_mm256_min_ps((__m256)a, (__m256)b);
#else
    I less = a < b;
    return (V)((less & (I)a) | (~less & (I)b));
#endif
}

/* A number in every lane. */
INLINE V all(float x) { return x - (V){0}; }

/* `a` where the mask is all ones, `b` where it is all zeros. */
INLINE V choose(I mask, V a, V b) { return (V)((mask & (I)a) | (~mask & (I)b)); }

/* `a` where the mask is all ones, else +0. */
INLINE V keep(I mask, V a) { return (V)(mask & (I)a); }

INLINE V magnitude(V x) { return (V)((I)x & 0x7fffffff); }

INLINE V load(const float *x)
{
    V v;
    memcpy(&v, x, sizeof v);
    return v;
}

INLINE void store(float *x, V v) { memcpy(x, &v, sizeof v); }

/* The first `count` numbers, of VECTOR or fewer, and zeros. */
INLINE V load_first(const float *x, int count)
{
#if VECTOR == 16
    return (V)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), x);
#else
    V v = {0};
    for (int l = 0; l < count; l++)
        v[l] = x[l];
    return v;
#endif
}

INLINE void store_first(float *x, V v, int count)
{
#if VECTOR == 16
    _mm512_mask_storeu_ps(x, (__mmask16)((1u << count) - 1), (__m512)v);
#else
    for (int l = 0; l < count; l++)
        x[l] = v[l];
#endif
}

INLINE I load_mask(const int32_t *x)
{
    I v;
    memcpy(&v, x, sizeof v);
    return v;
}

/* Turns VECTOR rows into columns: number j of vector i becomes number i of vector j. Each step swaps
 * the blocks of `size` numbers that lie beside the diagonal of blocks twice as large. */
INLINE void transpose(V *rows)
{
#if VECTOR == 16
    const __m512i place = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    UNROLL
    for (int size = 1; size < 16; size *= 2) {
        const __m512i second = _mm512_set1_epi32(size);
        const __mmask16 right = _mm512_test_epi32_mask(place, second);
        const __m512i upper = _mm512_mask_add_epi32(place, right, place, _mm512_set1_epi32(16 - size));
        const __m512i lower = _mm512_mask_add_epi32(
            _mm512_add_epi32(place, second), right, place, _mm512_set1_epi32(16));
    UNROLL
        for (int i = 0; i < 16; i++) {
            if (i & size)
                continue;
            __m512 a = (__m512)rows[i], b = (__m512)rows[i + size];
            rows[i] = (V)_mm512_permutex2var_ps(a, upper, b);
            rows[i + size] = (V)_mm512_permutex2var_ps(a, lower, b);
        }
    }
#elif VECTOR == 8
#define SWAP(size, upper, lower)                                    \
    UNROLL                                                          \
    for (int i = 0; i < 8; i++)                                     \
        if (!(i & (size))) {                                        \
            __m256 a = (__m256)rows[i], b = (__m256)rows[i + (size)]; \
            rows[i] = (V)(upper), rows[i + (size)] = (V)(lower);    \
        }
    SWAP(1, _mm256_blend_ps(a, _mm256_moveldup_ps(b), 0xaa),
         _mm256_blend_ps(_mm256_movehdup_ps(a), b, 0xaa))
    SWAP(2, _mm256_shuffle_ps(a, b, 0x44), _mm256_shuffle_ps(a, b, 0xee))
    SWAP(4, _mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31))
#undef SWAP
#else
    for (int i = 0; i < VECTOR; i++)
        for (int j = 0; j < i; j++) {
            float swap = rows[i][j];
            rows[i][j] = rows[j][i];
            rows[j][i] = swap;
        }
#endif
}

INLINE int any(I mask)
{
    int32_t found = 0;
    for (int l = 0; l < VECTOR; l++)
        found |= mask[l];
    return found != 0;
}

#endif
