/* The engine for processors other than Intel's and AMD's, which add and multiply in one step. */
#if !defined(__x86_64__)
#define VECTOR 4
#include "training.h"

void xortune_train_portable(const Block *block) { train_parts(block); }
void xortune_measure_portable(const Block *block) { measure_parts(block); }
#endif
