"""Who may import whom, as pyproject.toml says it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
ALLOWED = {"xortune", "search_spaces", "tests", "results", "pyproject.toml", "README.md"}
ALLOWED |= {"LICENSE", "constraints.txt"}


def test_each_floor_imports_only_from_below():
    script = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_nothing_else_lies_at_the_top():
    answer = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    top = {name.split("/")[0] for name in answer.stdout.splitlines()}
    assert {name for name in top if not name.startswith(".")} == ALLOWED
