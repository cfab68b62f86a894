"""Trains tables, and modules that are perceptrons, in packs, with C: every lane as if alone.

From the outside in: `engine.py` is what a search sends to workers; `packs.py` trains a pack, in
blocks of lanes that `grouping.py` chooses by their cost, and in turns, by `turns.py`; `training.py`
is a lane from its first block to its outcome, and `lane.py` what it takes from one to the next;
`block.py` is a block, `arrays.py` and `shapes.py` its memory, `tally.py` its scores.
`trainer.py` is what tables add to that, and `modules.py` what modules do, whose rows are those of
`module_rows.py`; `perceptrons.py` tells whether C can train a module. `native/` is
the C: `mlp.c` has what Python calls; `training.h` trains a block with the lanes in vectors, by
`passes.h`, `products.h`, `activations.h`, `losses.h` and `optimizers.h`; `alone.h` trains one lane
with its rows in vectors, to the same bits.
"""
