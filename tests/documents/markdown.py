"""What the documents say: their blocks, commands, tables and links."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
README = "README.md"
SPACES = "search_spaces/README.md"
STUDIES = "results/README.md"
CONTRIBUTING = ".github/CONTRIBUTING.md"
GUIDES = (README, SPACES, STUDIES, CONTRIBUTING)


class Block(NamedTuple):
    """A fenced block: its language, and what stands in it."""

    language: str
    text: str

    @property
    def commands(self) -> list[str]:
        """The commands of a block of `sh`, without comments."""
        lines = (re.sub(r"(^|\s+)#.*", "", line) for line in self.text.splitlines())
        return [line for line in lines if line]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, language: str = "") -> list[Block]:
    """The blocks of a document, of one language if one is given."""
    found = re.findall(r"^```(\w+)\n(.*?)^```$", read(name), re.MULTILINE | re.DOTALL)
    assert 2 * len(found) == len(re.findall("^```", read(name), re.MULTILINE))
    return [Block(*pair) for pair in found if language in ("", pair[0])]


def tracked(*patterns: str) -> list[str]:
    """The files that git has or would add, by their paths."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout
    return [name for name in done.stdout.splitlines() if (ROOT / name).exists()]


def tables(name: str) -> Iterator[list[list[str]]]:
    """The tables of a document, row by row, the heading first and the rule left out."""
    for found in re.findall(r"(?:^\|.*\n)+", read(name), re.MULTILINE):
        heading, _, *rows = found.splitlines()
        yield [[cell.strip() for cell in line.strip("|").split("|")] for line in (heading, *rows)]


def table(name: str, heading: str) -> list[list[str]]:
    """The rows of the one table whose first column has this heading."""
    (found,) = (rows for rows in tables(name) if rows[0][0] == heading)
    return found[1:]


def quoted(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def named(name: str, heading: str) -> list[str]:
    """What stands in backticks in a table's first column, from top to bottom."""
    return [word for row in table(name, heading) for word in quoted(row[0])]
