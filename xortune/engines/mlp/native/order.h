/* Orders of rows, as `torch.randperm(rows, generator=generator)` draws them, of all lanes at once.
 *
 * The generators of a block are `(WORDS, LANES)`: the next STATE words of each lane, in a circle that
 * begins at the place which the last row has. A word that is drawn makes room for the one that comes
 * STATE words later. All lanes draw, also those that rest, whose words and orders nothing depends on.
 */
#ifndef XORTUNE_ORDER_H
#define XORTUNE_ORDER_H

#include "vector.h"

INLINE U load_words(const uint32_t *x)
{
    U v;
    memcpy(&v, x, sizeof v);
    return v;
}

/* As in generator.h. */
INLINE U twisted_all(U one, U next, U far)
{
    U y = (one & 0x80000000u) | (next & 0x7fffffffu);
    return far ^ (y >> 1) ^ (-(y & 1u) & 0x9908b0dfu);
}

INLINE U tempered_all(U y)
{
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

/* words % divisor, for `inverse` = (2^32 - 1) / divisor, rounded down, and a divisor below 2^31.
 *
 * 2^32 / divisor - inverse is above 0 and at most 1, so words * inverse / 2^32 is below the true
 * quotient by less than 1: rounded down, it is the true one rounded down, or less by 1. */
INLINE U remainder_of(U words, uint32_t divisor, uint32_t inverse)
{
    U rest = words - high(words, inverse) * divisor;
    return rest - ((U)(rest >= divisor) & divisor);
}

/* Draws a number below `divisor` for each lane. */
INLINE void draw(uint32_t *words, uint32_t place, uint32_t divisor, uint32_t *numbers)
{
    uint32_t next = place + 1 < STATE ? place + 1 : 0;
    uint32_t far = place + MIDDLE - (place + MIDDLE < STATE ? 0 : STATE);
    uint32_t inverse = UINT32_MAX / divisor;
    for (int at = 0; at < LANES; at += VECTOR) {
        uint32_t *own = words + place * LANES + at;
        U word = load_words(own);
        U later = twisted_all(word, load_words(words + next * LANES + at),
                              load_words(words + far * LANES + at));
        memcpy(own, &later, sizeof later);
        U number = remainder_of(tempered_all(word), divisor, inverse);
        memcpy(numbers + at, &number, sizeof number);
    }
}

/* Swaps each lane's number of a row with that of another, `below` rows further on. */
INLINE void swap_rows(int32_t *row, const uint32_t *below)
{
    UNROLL
    for (int lane = 0; lane < LANES; lane++) {
        int32_t *other = row + (size_t)below[lane] * LANES + lane, swapped = *other;
        *other = row[lane];
        row[lane] = swapped;
    }
}

/* The same for `below` less than REACH, so that places fit the 32 bits that the instructions take:
 * an order takes a sixth less time. */
enum { REACH = 1 << 27 };
INLINE void swap_near(int32_t *row, const uint32_t *below)
{
#if VECTOR == 16
    const __m512i lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __m512i rows = _mm512_loadu_si512(below), own = _mm512_loadu_si512(row);
    __m512i places = _mm512_add_epi32(_mm512_slli_epi32(rows, 4), lanes);
    _mm512_storeu_si512(row, _mm512_i32gather_epi32(places, row, 4));
    _mm512_i32scatter_epi32(row, places, own, 4);
#else
    swap_rows(row, below);
#endif
}

/* The next order of each lane: (rows, LANES). Numbers are drawn for some rows at a time, since what
 * draws them would wait for the swaps of the row before. */
static void permute(uint32_t *words, int32_t *order, int64_t rows)
{
    for (int64_t i = 0; i < rows; i++)
        for (int lane = 0; lane < LANES; lane++)
            order[i * LANES + lane] = (int32_t)i;
    uint32_t place = words[STATE * LANES];
    for (int64_t start = 0; start + 1 < rows; start += CHUNK) {
        uint32_t numbers[CHUNK][LANES] __attribute__((aligned(4 * LANES)));
        int64_t left = rows - start;
        int some = left - 1 < CHUNK ? (int)left - 1 : CHUNK;
        for (int i = 0; i < some; i++) {
            draw(words, place, (uint32_t)(left - i), numbers[i]);
            place = place + 1 < STATE ? place + 1 : 0;
        }
        int32_t *row = order + start * LANES;
        for (int i = 0; i < some; i++, row += LANES)
            left <= REACH ? swap_near(row, numbers[i]) : swap_rows(row, numbers[i]);
    }
    words[STATE * LANES] = place;
}

#endif
