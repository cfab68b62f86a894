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

/* The upper halves of the products of 32-bit numbers. */
INLINE U high(U a, uint32_t b)
{
#if VECTOR == 16
    const __m512i x = (__m512i)a, y = _mm512_set1_epi32((int32_t)b);
    __m512i even = _mm512_srli_epi64(_mm512_mul_epu32(x, y), 32);
    __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(x, 32), y);
    return (U)_mm512_mask_blend_epi32(0xaaaa, even, odd);
#elif VECTOR == 8
    const __m256i x = (__m256i)a, y = _mm256_set1_epi32((int32_t)b);
    __m256i even = _mm256_srli_epi64(_mm256_mul_epu32(x, y), 32);
    __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(x, 32), y);
    return (U)_mm256_blend_epi32(even, odd, 0xaa);
#else
    U found;
    for (int l = 0; l < VECTOR; l++)
        found[l] = (uint32_t)((uint64_t)a[l] * b >> 32);
    return found;
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

/* The larger of two; `b` if either is NaN. */
INLINE V most(V a, V b)
{
#if VECTOR == 16
    return (V)_mm512_max_ps((__m512)a, (__m512)b);
#elif VECTOR == 8
    return (V)_mm256_max_ps((__m256)a, (__m256)b);
#else
    I more = a > b;
    return (V)((more & (I)a) | (~more & (I)b));
#endif
}

/* A number in every lane. */
INLINE V all(float x) { return x - (V){0}; }

/* `a` where the mask is all ones, `b` where it is all zeros. */
INLINE V choose(I mask, V a, V b)
{
#if VECTOR == 16
    return (V)_mm512_ternarylogic_epi32((__m512i)mask, (__m512i)a, (__m512i)b, 0xca);
#else
    return (V)((mask & (I)a) | (~mask & (I)b));
#endif
}

/* `a` where x < y, else `b`. */
INLINE V where_less(V x, V y, V a, V b)
{
#if VECTOR == 16
    __mmask16 less = _mm512_cmp_ps_mask((__m512)x, (__m512)y, _CMP_LT_OQ);
    return (V)_mm512_mask_blend_ps(less, (__m512)b, (__m512)a);
#else
    return choose(x < y, a, b);
#endif
}

/* `a` where the mask is all ones, else +0. */
INLINE V keep(I mask, V a) { return (V)(mask & (I)a); }

INLINE V magnitude(V x) { return (V)((I)x & 0x7fffffff); }

INLINE V load(const float *x)
{
    V v;
    memcpy(&v, x, sizeof v);
    return v;
}

INLINE void put(float *x, V v) { memcpy(x, &v, sizeof v); }

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

INLINE void put_first(float *x, V v, int count)
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

#if VECTOR == 16
#define WIDE(what) _mm512_##what
INLINE __m512 four_each(const float *const *x, int i)
{
    __m512 found = _mm512_castps128_ps512(_mm_loadu_ps(x[0] + i));
    found = _mm512_insertf32x4(found, _mm_loadu_ps(x[4] + i), 1);
    found = _mm512_insertf32x4(found, _mm_loadu_ps(x[8] + i), 2);
    return _mm512_insertf32x4(found, _mm_loadu_ps(x[12] + i), 3);
}
#elif VECTOR == 8
#define WIDE(what) _mm256_##what
INLINE __m256 four_each(const float *const *x, int i)
{
    __m256 found = _mm256_castps128_ps256(_mm_loadu_ps(x[0] + i));
    return _mm256_insertf128_ps(found, _mm_loadu_ps(x[4] + i), 1);
}
#endif

/* Four numbers from place i of each lane's own, as four vectors. */
INLINE void transposed(const float *const *x, int i, V *found)
{
#if VECTOR > 4
    /* Of every four lanes, the numbers a of the first to d of the fourth. */
    __typeof__(four_each(x, i)) a = four_each(x, i), b = four_each(x + 1, i),
                                c = four_each(x + 2, i), d = four_each(x + 3, i);
#define PAIRS(half, one, other) WIDE(castps_pd)(WIDE(unpack##half##_ps)(one, other))
    __typeof__(PAIRS(lo, a, b)) ab = PAIRS(lo, a, b), cd = PAIRS(lo, c, d);
    found[0] = (V)WIDE(unpacklo_pd)(ab, cd);
    found[1] = (V)WIDE(unpackhi_pd)(ab, cd);
    ab = PAIRS(hi, a, b), cd = PAIRS(hi, c, d);
    found[2] = (V)WIDE(unpacklo_pd)(ab, cd);
    found[3] = (V)WIDE(unpackhi_pd)(ab, cd);
#undef PAIRS
#else
    for (int k = 0; k < 4; k++)
        for (int l = 0; l < VECTOR; l++)
            found[k][l] = x[l][i + k];
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
