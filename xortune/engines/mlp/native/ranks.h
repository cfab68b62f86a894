/* Ranks of outputs: in how many pairs of rows is that of the one class larger than the other's. */
#ifndef XORTUNE_RANKS_H
#define XORTUNE_RANKS_H

#include <stdint.h>
#include <string.h>

/* A number in the order of outputs: -0 is 0, and NaN is the largest. */
static uint32_t key_of(float output)
{
    uint32_t bits;
    output += 0.0f;
    memcpy(&bits, &output, sizeof bits);
    return output != output ? UINT32_MAX : bits >> 31 ? ~bits : bits | 0x80000000u;
}

/* Sorts keys by their bytes, from the last to the first; returns where they are then, since they
 * move between `keys` and `other`. */
static uint32_t *sorted(uint32_t *keys, uint32_t *other, int64_t count)
{
    uint32_t counts[4][256] = {{0}};
    for (int64_t i = 0; i < count; i++)
        for (int b = 0; b < 4; b++)
            counts[b][keys[i] >> 8 * b & 255]++;
    for (int b = 0; b < 4; b++) {
        uint32_t *places = counts[b], place = 0;
        for (int byte = 0; byte < 256; byte++) {
            uint32_t some = places[byte];
            places[byte] = place;
            place += some;
        }
        for (int64_t i = 0; i < count; i++)
            other[places[keys[i] >> 8 * b & 255]++] = keys[i];
        uint32_t *swap = keys;
        keys = other;
        other = swap;
    }
    return keys;
}

/* Twice the pairs of a positive row, y = 1, and a negative one in which the output of the positive
 * one is larger, where equal outputs count half: twice the statistic of Mann and Whitney (1947).
 * `keys` has room for 2 * rows. */
static int64_t twice_larger(const float *outputs, const float *y, int64_t rows, uint32_t *keys)
{
    uint32_t *other = keys + rows;
    int64_t positive = 0, last = rows;
    for (int64_t r = 0; r < rows; r++)
        keys[y[r] > 0.5f ? positive++ : --last] = key_of(outputs[r]);
    const uint32_t *high = sorted(keys, other, positive);
    const uint32_t *low = sorted(keys + positive, other + positive, rows - positive);
    int64_t twice = 0, below = 0, within = 0, negative = rows - positive;
    for (int64_t i = 0; i < positive; i++) {
        for (; below < negative && low[below] < high[i]; below++)
            ;
        for (; within < negative && low[within] <= high[i]; within++)
            ;
        twice += below + within;
    }
    return twice;
}

#endif
