"""Compiles step.c as it is, with other flags, or changed."""

from __future__ import annotations

import subprocess
from pathlib import Path

from xortune.engines import compiling
from xortune.engines.xor.native import build

# Changes of step.c after which it computes something else, if only in the last bit.
CHANGES = [
    ("1.6666665459e-1f", "1.6666667e-1f"),
    ("5.0000001201e-1f", "5.000001e-1f"),
    ("2.12194440e-4f", "2.1219e-4f"),
    ("c0 + v00 + v01", "c0 + (v00 + v01)"),
    ("za + zc + (zb + zd)", "za + zb + (zc + zd)"),
    ("fma_(down, gradient, weight)", "(down * gradient + weight)"),
    ("now < stop; now++", "now <= stop; now++"),
    ("1.0 / 120", "1.0 / 121"),
    ("0x1.62e42fefa39efp-1, log_ratio", "0x1.63p-1, log_ratio"),
    ("small = t * large;", "small = 1.0 - large;"),
    ("(double)(1.0f / (1.0f + (float)t))", "large"),
    ("log < -100.0 ? -100.0", "log < -101.0 ? -101.0"),
]


def compile_library(source: Path, target: Path, *flags: str, by: str = "") -> Path:
    command = [
        by or compiling.found_compiler(),
        *build._FLAGS,
        *flags,
        str(source),
        "-o",
        str(target),
        "-lm",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return target
