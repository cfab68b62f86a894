"""Measures xortune against what it is to be faster than, and records the results.

python -m tests.benchmarks [NAME ...]
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Sequence

from tests.benchmarks import (
    engine_rows,
    fault_rows,
    file_rows,
    jax_rows,
    mlp_pack_rows,
    mlp_rows,
    module_rows,
    page_rows,
    problem_rows,
    pruning_rows,
    quality_rows,
    sampler_rows,
    search_rows,
    stacked_rows,
    startup_rows,
    table_rows,
    winner_rows,
)
from tests.benchmarks.core import Plan, Result, Row, Skipped
from tests.benchmarks.record import MARKDOWN, cells, record, write_markdown

MODULES = (
    engine_rows,
    search_rows,
    sampler_rows,
    file_rows,
    startup_rows,
    fault_rows,
    problem_rows,
    winner_rows,
    pruning_rows,
    page_rows,
    mlp_rows,
    mlp_pack_rows,
    jax_rows,
    table_rows,
    quality_rows,
    module_rows,
    stacked_rows,
)
ROWS: tuple[Row, ...] = tuple(row for module in MODULES for row in module.ROWS)
HEAD = ("row", "what", "ours", "against", "median", "spread", "goal", "")


def main() -> int:
    options = parse()
    if options.list:
        for row in ROWS:
            print(f"{row.number:3} {row.name:22} {row.about.replace('`', '')}")
        return 0
    plan = Plan(options.repeats, options.quick)
    chosen = [row for row in ROWS if not options.names or row.name in options.names]
    lines: list[tuple[str, ...]] = [HEAD]
    failures = 0
    for row in chosen:
        print(f"{row.name} ...", file=sys.stderr, flush=True)
        started = time.perf_counter()
        try:
            result = row.measure(plan)
        except Skipped as reason:
            lines.append((row.name, f"skipped: {reason}"))
        except Exception as error:  # the other rows are measured all the same
            failures += 1
            traceback.print_exception(error)
            lines.append((row.name, "failed: see above"))
        else:
            lines += shown(row, result)
            if not plan.quick:
                record(row, plan, result, time.perf_counter() - started)
                write_markdown(ROWS)
    print_table(lines)
    print("Not recorded: --quick." if plan.quick else f"Recorded in {MARKDOWN}.")
    return 1 if failures else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=__doc__.splitlines()[0]
    )
    names = [row.name for row in ROWS]
    parser.add_argument("names", nargs="*", metavar="NAME", help="rows (default: all)")
    parser.add_argument("--list", action="store_true", help="list the rows, and measure nothing")
    parser.add_argument(
        "--repeats", type=int, default=3, metavar="N", help="fewer than 3 say little (default: 3)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="at a tenth of the size, without recording anything"
    )
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in names]
    if unknown:
        parser.error(f"no row {unknown[0]!r}; there are {', '.join(names)}")
    return options


def shown(row: Row, result: Result) -> list[tuple[str, ...]]:
    return [(row.name, *cells(figure)) for figure in result.figures]


def print_table(lines: Sequence[tuple[str, ...]]) -> None:
    """Prints lines in columns; one that is shorter than the head is printed as it is."""
    full = [line for line in lines if len(line) == len(HEAD)]
    widths = [max(len(line[column]) for line in full) for column in range(len(HEAD))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


if __name__ == "__main__":
    sys.exit(main())
