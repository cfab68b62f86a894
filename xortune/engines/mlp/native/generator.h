/* PyTorch's generator on a CPU, MT19937, of one lane; order.h has that of all lanes. */
#ifndef XORTUNE_GENERATOR_H
#define XORTUNE_GENERATOR_H

#include <stdint.h>

#include "block.h"

/* As `torch.Generator().manual_seed(seed)`. */
static void seed_words(uint32_t *words, uint32_t seed)
{
    words[0] = seed;
    for (uint32_t n = 1; n < STATE; n++)
        words[n] = 1812433253u * (words[n - 1] ^ (words[n - 1] >> 30)) + n;
    words[STATE] = STATE;
}

static inline uint32_t twisted(uint32_t one, uint32_t next, uint32_t far)
{
    uint32_t y = (one & 0x80000000u) | (next & 0x7fffffffu);
    return far ^ (y >> 1) ^ (-(y & 1u) & 0x9908b0dfu);
}

static void twist(uint32_t *words)
{
    int n = 0;
    for (; n < STATE - MIDDLE; n++)
        words[n] = twisted(words[n], words[n + 1], words[n + MIDDLE]);
    for (; n < STATE - 1; n++)
        words[n] = twisted(words[n], words[n + 1], words[n + MIDDLE - STATE]);
    words[n] = twisted(words[n], words[0], words[MIDDLE - 1]);
    words[STATE] = 0;
}

static inline uint32_t tempered(uint32_t y)
{
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

/* The next word, before tempering. */
static inline uint32_t raw_word(uint32_t *words)
{
    if (words[STATE] >= STATE)
        twist(words);
    return words[words[STATE]++];
}

static inline uint32_t next_word(uint32_t *words) { return tempered(raw_word(words)); }

static void skip_words(uint32_t *words, int64_t count)
{
    for (; count > STATE - (int64_t)words[STATE]; twist(words))
        count -= STATE - words[STATE];
    words[STATE] += (uint32_t)count;
}

/* As `torch.randperm(rows, generator=generator)`. */
static void permute_one(uint32_t *words, int32_t *order, int64_t rows)
{
    for (int64_t i = 0; i < rows; i++)
        order[i] = (int32_t)i;
    for (int64_t i = 0; i + 1 < rows; i++) {
        int64_t place = i + next_word(words) % (uint32_t)(rows - i);
        int32_t other = order[place];
        order[place] = order[i];
        order[i] = other;
    }
}

#endif
