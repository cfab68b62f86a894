/* What Python calls: the widest vectors of this processor, without subnormal numbers. */
#include <string.h>

#include "block.h"
#include "drawing.h"
#include "generator.h"
#include "ranks.h"

/* What the file for a kind of processor has: see the end of training.h. */
#define DECLARED(kind)                                                         \
    void xortune_train_##kind(const Block *block);                             \
    void xortune_measure_##kind(const Block *block, const Scores *scores);     \
    void xortune_permute_##kind(uint32_t *words, int32_t *order, int64_t rows);

/* Numbers below 1.2e-38 are taken for 0, and become 0: with them, many processors are a hundred
 * times slower, and the moments of units that are never active would stay among them. `flushing`
 * returns what the processor did before, for `restored`. */
#if defined(__x86_64__)
#include <immintrin.h>

DECLARED(avx512)
DECLARED(avx2)

/* The lanes of the widest vectors, 16 or 8; 0 where this processor cannot train. */
int32_t xortune_vector(void)
{
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return 0;
    int wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    return wide ? 16 : 8;
}

static uint64_t flushing(void)
{
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);
    return before;
}

static void restored(uint64_t before) { _mm_setcsr((unsigned)before); }

#define WITH(vector, what) ((vector) == 16 ? what##_avx512 : what##_avx2)
#elif defined(__aarch64__)
DECLARED(neon)

int32_t xortune_vector(void) { return 4; }

static uint64_t flushing(void)
{
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | (1u << 24)));
    return before;
}

static void restored(uint64_t before) { __asm__ volatile("msr fpcr, %0" : : "r"(before)); }

#define WITH(vector, what) ((void)(vector), what##_neon)
#else
static void xortune_train_nowhere(const Block *block) { (void)block; }
static void xortune_measure_nowhere(const Block *block, const Scores *s) { (void)block, (void)s; }
static void xortune_permute_nowhere(uint32_t *words, int32_t *order, int64_t rows)
{
    (void)words, (void)order, (void)rows;
}
int32_t xortune_vector(void) { return 0; }
static uint64_t flushing(void) { return 0; }
static void restored(uint64_t before) { (void)before; }
#define WITH(vector, what) ((void)(vector), what##_nowhere)
#endif

void xortune_train(const Block *block, int32_t vector)
{
    uint64_t before = flushing();
    WITH(vector, xortune_train)(block);
    restored(before);
}

/* Adds the losses of rows, and what scores are made of unless it is NULL. */
void xortune_measure(const Block *block, const Scores *scores, int32_t vector)
{
    uint64_t before = flushing();
    WITH(vector, xortune_measure)(block, scores);
    restored(before);
}

/* Ranks the outputs of all rows, which were measured before. */
void xortune_rank(const Block *block, const Scores *scores)
{
    for (int lane = 0; lane < LANES; lane++)
        if (block->mask[lane]) {
            const float *outputs = scores->outputs + lane * block->rows;
            scores->larger[lane] = twice_larger(outputs, block->y, block->rows, scores->keys);
        }
}

/* The variance of numbers; 0 without any. */
double xortune_variance(const float *y, int64_t count)
{
    double sum = 0.0, squares = 0.0;
    for (int64_t i = 0; i < count; i++)
        sum += (double)y[i];
    double mean = sum / (double)count;
    for (int64_t i = 0; i < count; i++) {
        double away = (double)y[i] - mean;
        squares += away * away;
    }
    return count ? squares / (double)count : 0.0;
}

/* Sets the generator of a lane to that after `orders` orders of `rows` rows: of `lanes` lanes, as in
 * order.h; that of a lane alone is as in generator.h. */
void xortune_seed(uint32_t *words, int32_t lanes, int32_t lane, uint32_t seed, int64_t rows,
                  int64_t orders)
{
    uint32_t own[WORDS];
    seed_words(own, seed);
    skip_words(own, orders * (rows - 1));
    if (lanes == 1) {
        memcpy(words, own, sizeof own);
        return;
    }
    uint32_t place = words[STATE * LANES];
    for (uint32_t i = 0; i < STATE; i++)
        words[(place + i) % STATE * LANES + (uint32_t)lane] = raw_word(own);
}

/* The next order of rows of each lane: (rows, lanes). */
void xortune_permute(uint32_t *words, int32_t lanes, int32_t *order, int64_t rows, int32_t vector)
{
    if (lanes == 1)
        permute_one(words, order, rows);
    else
        WITH(vector, xortune_permute)(words, order, rows);
}

/* Lanes over the epochs. */
typedef struct {
    const Block *training, *final; /* all batches of an epoch; all validation rows */
    uint32_t *words;               /* (WORDS, lanes): generators */
    int32_t *order;                /* (rows, lanes) */
    uint32_t *best_weights;        /* (P, lanes) */
    int32_t *epoch, *best_epoch;   /* (LANES) */
    const int32_t *patience;       /* (LANES): epochs without a better one; 0 for any */
    double *best;                  /* (LANES): the lowest final loss */
    double *losses;                /* (epochs, 2, LANES): of batches, of validation rows */
    int64_t numbers, portions;     /* P; of an epoch */
} Run;

/* Copies the numbers of the lanes of a mask: (numbers, lanes). */
static void keep_lanes(const Run *run, const int32_t *mask)
{
    const uint32_t *from = (const uint32_t *)run->training->weights;
    uint32_t *to = run->best_weights;
    if (run->training->lanes == 1) {
        memcpy(to, from, (size_t)run->numbers * sizeof *to);
        return;
    }
    for (int64_t i = 0; i < run->numbers; i++, from += LANES, to += LANES)
        for (int lane = 0; lane < LANES; lane++) {
            uint32_t kept = (uint32_t)mask[lane];
            to[lane] = (from[lane] & kept) | (to[lane] & ~kept);
        }
}

/* Begins the lanes of a mask: with their initial weights, which are the best so far, and the
 * generators of their orders. */
void xortune_begin(const Run *run, const int32_t *mask)
{
    const Block *block = run->training;
    for (int lane = 0; lane < LANES; lane++)
        if (mask[lane]) {
            draw_lane(block, lane);
            xortune_seed(run->words, block->lanes, lane, block->seed[lane], block->rows, 0);
        }
    keep_lanes(run, mask);
}

static int finite(double x) { return x - x == 0.0; }

/* Counts an epoch whose sums of losses are there, and keeps what is the best so far. Returns whether
 * any lane failed, or has waited too long. */
int32_t xortune_judge(const Run *run, double *training, double *validation)
{
    int32_t better[LANES] = {0}, some = 0, ended = 0;
    const Block *block = run->training;
    for (int lane = 0; lane < LANES; lane++) {
        int64_t each = block->portions[lane], steps = (run->portions + each - 1) / each;
        double mean = training[lane] / (double)steps;
        double final = validation[lane] / (double)run->final->rows;
        training[lane] = finite(mean) ? mean : __builtin_nan("");
        validation[lane] = final;
        if (!block->mask[lane])
            continue;
        int32_t epoch = ++run->epoch[lane];
        int fine = finite(mean + final);
        if (fine && final < run->best[lane]) {
            run->best[lane] = final;
            run->best_epoch[lane] = epoch;
            some = better[lane] = -1;
        }
        int32_t patience = run->patience[lane];
        ended |= !fine || (patience && epoch - run->best_epoch[lane] >= patience);
    }
    if (some)
        keep_lanes(run, better);
    return ended;
}

/* Trains up to `count` epochs, and ends after one in which a lane ends; returns how many it were. */
int64_t xortune_epochs(const Run *run, int64_t count, int32_t vector)
{
    const Block *training = run->training, *final = run->final;
    for (int64_t done = 0; done < count;) {
        double *losses = run->losses + done++ * 2 * LANES;
        xortune_permute(run->words, training->lanes, run->order, training->rows, vector);
        memset(training->losses, 0, LANES * sizeof(double));
        xortune_train(training, vector);
        memcpy(losses, training->losses, LANES * sizeof(double));
        memset(final->losses, 0, LANES * sizeof(double));
        xortune_measure(final, NULL, vector);
        memcpy(losses + LANES, final->losses, LANES * sizeof(double));
        if (xortune_judge(run, losses, losses + LANES))
            return done;
    }
    return count;
}
