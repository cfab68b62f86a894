"""Makes the reference studies of results/ again: `python -m tests.reference`.

Runs the searches of results/reference/README.md in a temporary folder, and keeps of each its table,
its report and its pictures. It needs a Chromium, and takes some minutes. With the name of a folder
it searches there, but not again what is finished there; with that of a CSV file it only writes the
table of the second study.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import xortune
from tests.browser import Tab
from tests.documents.markdown import ROOT, blocks
from tests.reference.diabetes import write_diabetes
from tests.reference.pictures import THEMES, artist, svg_of
from xortune.cli import main
from xortune.report import UNREPEATABLE, as_csv
from xortune.report.plots.gallery import PLOTS
from xortune.studies.results import results_of

DOCUMENT = "results/reference/README.md"
# What is kept of a study: plots by their names, and `model`, the drawing of the trial to use.
PICTURES = {"xor": ("contour", "model"), "diabetes": ("importance", "replicates")}


def searches() -> list[list[str]]:
    """The words of the document's searches."""
    commands = [command for block in blocks(DOCUMENT, "sh") for command in block.commands]
    return [shlex.split(c)[3:] for c in commands if c.startswith("python -m xortune search ")]


def make(place: Path, into: Path) -> None:
    """Makes all studies in a folder, and writes what is kept of them into another."""
    write_diabetes(place / "diabetes.csv")
    for words in searches():
        command = [sys.executable, "-m", "xortune", *words, "--exist-ok"]
        subprocess.run(command, cwd=place, check=True)
    with artist() as tab:
        for name in PICTURES:
            keep(xortune.load(name, place / "results"), into / name, tab)


def keep(study: xortune.Study, folder: Path, tab: Tab) -> None:
    """Writes the table, the report and the pictures of a study."""
    folder.mkdir(parents=True, exist_ok=True)
    table = as_csv(study.trials.drop(columns=list(UNREPEATABLE)))
    (folder / "trials.csv").write_text(table, encoding="utf-8")
    report = folder / "report.txt"
    words = ["report", str(study.paths.folder), "--top", "10"]
    assert main([*words, "--output", str(report)]) == 0
    kept = re.sub(r"^time .*\n", "", report.read_text(encoding="utf-8"), flags=re.MULTILINE)
    report.write_text(kept, encoding="utf-8")
    results = results_of(study)
    for picture in PICTURES[study.name]:
        for look in THEMES:
            file = folder / f"{picture}-{look}.svg"
            if picture == "model":
                number = str(study.recommended["number"])
                drawn = ["draw", str(study.paths.folder), str(file), "--trial", number]
                assert main([*drawn, "--theme", look, "--force"]) == 0
            else:
                file.write_text(svg_of(tab, PLOTS[picture](results).figure, look), encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(*sys.argv[1:2] or [scratch]).resolve()
        if place.suffix == ".csv":
            write_diabetes(place)
        else:
            make(place, ROOT / "results" / "reference")
