/* The engine for processors with AVX-512. */
#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")
#endif
#define VECTOR 16
#define NAMED(what) what##_avx512
#include "training.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
