/* The engine for 64-bit ARM processors. */
#if defined(__aarch64__)
#define VECTOR 4
#define NAMED(what) what##_neon
#include "training.h"
#endif
