"""What a problem calls its parameters and metrics is known in its own room alone."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Where the lab's XOR is at home, and the reader of an earlier ledger.
AT_HOME = ("problems/", "engines/", "ledger/version2.py")
NAMES = re.compile(r"\b(lr|loss_fn|mse|bce|bce_with_logits)\b|XOR(?!TUNE)")


def test_no_other_room_names_a_parameter_or_a_metric_of_xor():
    files = sorted((ROOT / "xortune").rglob("*.py"))
    named = {
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for file in files
        if not file.relative_to(ROOT / "xortune").as_posix().startswith(AT_HOME)
        for number, line in enumerate(file.read_text().splitlines(), start=1)
        if NAMES.search(line)
    }
    assert len(files) > 100
    assert named == set()
