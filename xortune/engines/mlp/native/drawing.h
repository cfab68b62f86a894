/* The initial weights of a lane, drawn as `torch.manual_seed(seed)` and the modules draw them. */
#ifndef XORTUNE_DRAWING_H
#define XORTUNE_DRAWING_H

#include "generator.h"

/* As `tensor.uniform_(-bound, bound)` of a (after, before) array, into one of longer rows: that of a
 * wider block, whose numbers are `lanes` apart. */
static void draw_array(uint32_t *words, int after, int before, float bound, int row, int lanes,
                       float *numbers)
{
    for (int j = 0; j < after; j++)
        for (int i = 0; i < before; i++) {
            float unit = (float)(int32_t)(next_word(words) & 0xffffffu) * 0x1p-24f;
            numbers[((int64_t)j * row + i) * lanes] = __builtin_fmaf(unit, bound + bound, -bound);
        }
}

/* The weights and biases of a lane, in the order of its layers; the last is the block's last. */
static void draw_lane(const Block *block, int lane)
{
    /* sqrt(2 / (1 + 5)), the gain of `nn.init.kaiming_uniform_(weight, a=sqrt(5))`. */
    const double gain = 0x1.279a74590331cp-1;
    uint32_t words[WORDS];
    seed_words(words, block->seed[lane]);
    int width = block->width[lane], depth = block->depth[lane], deepest = block->deepest;
    int lanes = block->lanes;
    float *numbers = block->weights + lane;
    for (int k = 0; k <= deepest; k++) {
        int row = k ? block->widest : block->inputs, before = k ? width : block->inputs;
        int rows = k < deepest ? block->widest : block->outputs_count;
        int after = k < deepest ? width : block->outputs_count;
        float *biases = numbers + (int64_t)rows * row * lanes;
        if (k < depth || k == deepest) {
            double root = __builtin_sqrt((double)before);
            float bound = (float)(__builtin_sqrt(3.0) * (gain / root));
            draw_array(words, after, before, bound, row, lanes, numbers);
            draw_array(words, 1, after, (float)(1.0 / root), rows, lanes, biases);
        }
        numbers = biases + (int64_t)rows * lanes;
    }
}

#endif
