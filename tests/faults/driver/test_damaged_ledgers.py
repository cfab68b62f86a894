"""A damaged ledger is said to be one: no table is ever silently another."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import xortune
from tests.faults.driver.mutations import mutated
from tests.faults.driver.whole_study import answer
from xortune.cli import main
from xortune.errors import UsageError
from xortune.ledger import Ledger
from xortune.paths import StudyPaths
from xortune.report import as_csv


def everything(folder: Path) -> str:
    """All that a ledger holds, NaN included."""
    with Ledger.read(StudyPaths(folder)) as ledger:
        rows = ledger.trials()
        curves = [ledger.curve(row.trial.number) for row in rows]
        alone = [ledger.trial(row.trial.number) for row in rows]
        weights = [ledger.weights(row.trial.number) for row in rows]
        recorded = ledger.settings(), ledger.provenance(), ledger.weighted(), ledger.runs()
        several = ledger.all_replicates(0), ledger.paused()
        return repr((recorded, list(rows), alone, curves, weights, several))


def outside(results: Path) -> dict[Path, bytes | None]:
    """Every file beside the study's folder."""
    files = (p for p in sorted(results.rglob("*")) if results / "one" not in (p, *p.parents))
    return {p: p.read_bytes() if p.is_file() else None for p in files}


def complaint(capsys, *argv: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main([*argv])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


class Damage:
    """Damages one study again and again, and reads and resumes it.

    Args:
        original: its folder.
        whole: the study that resuming it leads to.
        scratch: an empty folder.
    """

    def __init__(self, original: Path, whole: xortune.Study, scratch: Path) -> None:
        self._original = original
        self._whole = answer(whole)
        self._content = (original / "study.db").read_bytes()
        self._everything = everything(original)
        self._csv = as_csv(xortune.load(original).trials)
        self._results = scratch / "results"
        self._folder = self._results / "one"
        self._results.mkdir()
        (self._results / "beside").write_text("mine")

    def case(self, seed: int, capsys) -> str:
        """One damage; says how it was taken."""
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.copytree(self._original, self._folder)
        ledger = self._folder / "study.db"
        ledger.write_bytes(mutated(self._content, seed))
        before = outside(self._results)
        seen = "read" if self._read(ledger) else "refused"
        self._report(ledger, capsys)
        resumed = self._resume(ledger, capsys)
        assert outside(self._results) == before
        return f"{seen}, {resumed}"

    def _read(self, ledger: Path) -> bool:
        try:
            assert everything(self._folder) == self._everything
        except UsageError as error:
            assert str(ledger) in str(error)  # noqa: PT017
            return False
        return True

    def _report(self, ledger: Path, capsys) -> None:
        code, out, err = complaint(capsys, "report", str(self._folder), "--format", "csv")
        if code == 0:
            assert out == self._csv
        else:
            self._check_message(ledger, code, out, err)

    def _resume(self, ledger: Path, capsys) -> str:
        argv = ("resume", str(self._folder), "--runner=inline", "--quiet")
        code, out, err = complaint(capsys, *argv)
        if code == 0:
            assert answer(xortune.load(self._folder)).equals(self._whole)
            return "resumed"
        self._check_message(ledger, code, out, err)
        return "not resumed"

    def _check_message(self, ledger: Path, code: int, out: str, err: str) -> None:
        assert (code, out) == (2, ""), err
        assert str(ledger) in err
        assert any(word in err for word in ("from a copy", "Use the xortune"))
        assert len(err.splitlines()) == 1


@pytest.fixture
def damage(undisturbed, unfinished, tmp_path):
    """Two studies to damage: a finished one, and one with trials that wait."""
    study = undisturbed[0]
    folders = (study.paths.folder, unfinished)
    places = [tmp_path / name for name in ("finished", "unfinished")]
    for place in places:
        place.mkdir()
    return [Damage(f, study, place) for f, place in zip(folders, places)]


def test_some_damages_are_noticed_or_harmless(damage, capsys):
    seen = {damage[seed % 2].case(seed, capsys) for seed in range(60)}
    assert {"refused, not resumed", "read, resumed"} <= seen


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_two_thousand_damages_are_noticed_or_harmless(damage, capsys):
    for seed in range(2000):
        damage[seed % 2].case(seed, capsys)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM trial WHERE number = 7",
        "DELETE FROM trial WHERE number = 0",
        "DELETE FROM curve WHERE number = 3",
        "DELETE FROM setting WHERE key = 'trials'",
        "DELETE FROM run",
        "DELETE FROM seal",
        "UPDATE seal SET trials = trials + 1",
        "DELETE FROM weight WHERE number = 2",
        "DELETE FROM layout",
        "UPDATE seal SET weights = weights + 1",
        "UPDATE trial SET metrics = replace(metrics, '0.', '0.1') WHERE metrics IS NOT NULL",
        "UPDATE trial SET parameters = replace(parameters, '0.5', '0.6')",
        "UPDATE weight SET content = zeroblob(length(content))",
        "UPDATE curve SET points = zeroblob(length(points))",
        "UPDATE run SET wall = wall + 1",
    ],
)
def test_a_row_that_is_lost_or_changed(a_copy, statement):
    with closing(sqlite3.connect(a_copy / "study.db")) as connection, connection:
        connection.execute(statement)
    with pytest.raises(UsageError, match=r"study.db is damaged: .*Restore it from a copy"):
        everything(a_copy)


def test_an_empty_ledger(a_copy, capsys):
    (a_copy / "study.db").write_bytes(b"")
    for argv in (("report", str(a_copy)), ("resume", str(a_copy), "--runner=inline")):
        code, _, err = complaint(capsys, *argv)
        assert code == 2
        assert f"{a_copy / 'study.db'} is damaged: it is empty. Restore it from a copy." in err


def test_what_still_stands_is_said(a_copy, capsys):
    content = (a_copy / "study.db").read_bytes()
    (a_copy / "study.db").write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    code, _, err = complaint(capsys, "report", str(a_copy))
    assert code == 2
    assert "Restore it from a copy. Until then trials.csv and trials.parquet beside it" in err
    (a_copy / "trials.csv").unlink()
    (a_copy / "trials.parquet").unlink()
    assert complaint(capsys, "report", str(a_copy))[2].endswith("Restore it from a copy.\n")


def test_the_pages_are_checked_before_a_driver_writes(a_copy):
    """A page that no table refers to any more: reading does not notice."""
    ledger = a_copy / "study.db"
    ledger.write_bytes(ledger.read_bytes() + b"\0" * 4096)
    content = bytearray(ledger.read_bytes())
    content[28:32] = (len(content) // 4096).to_bytes(4, "big")
    ledger.write_bytes(content)
    everything(a_copy)
    with pytest.raises(UsageError, match=r"study.db is damaged: .*Restore it from a copy"):
        Ledger.open(StudyPaths(a_copy))
