/* The engine for 64-bit ARM processors. */
#if defined(__aarch64__)
#define VECTOR 4
#include "training.h"

void xortune_train_neon(const Block *block) { train_parts(block); }
void xortune_measure_neon(const Block *block, const Scores *s) { measure_parts(block, s); }
void xortune_permute_neon(uint32_t *words, int32_t *order, int64_t rows)
{
    permute(words, order, rows);
}
#endif
