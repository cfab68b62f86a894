"""A ledger as lines of text: what is packed is what arrives, or it is refused."""

import base64
import hashlib
import re
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.driver import killed_pack
from tests.make import make_curve, make_outcome, make_provenance, make_settings, make_trial
from xortune.errors import UsageError, XortuneError
from xortune.ledger import Ledger
from xortune.ledger.snapshot import pack, unpack
from xortune.paths import StudyPaths
from xortune.trial import FinishedTrial

VERSION2 = Path(__file__).parent / "version2" / "finished"


@pytest.fixture
def paths(tmp_path):
    """A study of 300 trials, half of which are finished: some blocks of lines."""
    paths = StudyPaths(tmp_path / "there")
    asked = [make_trial(number, seed=number) for number in range(300)]
    done = make_outcome(curve=make_curve(range(50), range(50), range(50)))
    with Ledger.create(paths, make_settings(trials=300), make_provenance()) as ledger:
        ledger.add_trials(asked)
        ledger.finish_trials([FinishedTrial(trial, done) for trial in asked[:150]])
    return paths


def content(paths):
    with Ledger.read(paths) as ledger:
        numbers = range(len(ledger.trials()))
        arrays = [(ledger.curve(n), ledger.weights(n)) for n in numbers]
        several = ledger.all_replicates(0), ledger.paused()
        return ledger.settings(), ledger.provenance(), repr([*ledger.trials()]), arrays, several


def arrived(text, folder):
    folder.mkdir()
    unpack(text, folder / "study.db")
    return content(StudyPaths(folder))


def sent(ledger, most=None):
    """A snapshot of any bytes, as a server that means harm may send it."""
    lines = base64.b64encode(zlib.compress(ledger)).decode()
    size = len(ledger) if most is None else most
    digest = hashlib.sha256(ledger).hexdigest()
    return (
        f"-----BEGIN XORTUNE SNAPSHOT-----\n{lines}\n-----END XORTUNE SNAPSHOT {size} {digest}-----"
    )


def test_everything_arrives(paths, tmp_path):
    text = "\n".join(["Ray says something", *pack(paths), "and more"])
    assert arrived(text, tmp_path / "here") == content(paths)


def test_replicates_and_trials_at_a_rung_arrive(tmp_path):
    study = killed_pack.begin(tmp_path / "there")
    with Ledger.open(study) as ledger:
        ledger.finish_trials(killed_pack.pack(), paused=killed_pack.LATER)
    arrays = content(study)[-1]
    assert [len(found) for found in arrays] == [1, 2]
    assert arrived("\n".join(pack(study)), tmp_path / "here") == content(study)


def test_a_study_of_version_2_arrives(tmp_path):
    there = StudyPaths(VERSION2)
    assert arrived("\n".join(pack(there)), tmp_path / "here") == content(there)


def test_a_ledger_in_use_is_packed_as_it_is(paths, tmp_path):
    before = content(paths)
    with closing(sqlite3.connect(paths.ledger, isolation_level=None)) as driver:
        driver.execute("BEGIN IMMEDIATE")
        driver.execute("DELETE FROM trial")
        text = "\n".join(pack(paths))
        driver.execute("ROLLBACK")
    assert arrived(text, tmp_path / "here") == before


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text[: len(text) // 2], "did not arrive"),
        (lambda text: "", "did not arrive"),
        (lambda text: text.replace("\n", "\nA warning\n", 1), "did not arrive"),
        (lambda text: text.replace("SNAPSHOT-----\n", "SNAPSHOT-----\nAAAA\n"), "arrived damaged"),
        (lambda text: re.sub(r"[0-9a-f]{64}", "0" * 64, text), "is not the one that was sent"),
        (lambda text: sent(b"no database", most=5), "is not the one that was sent"),
    ],
)
def test_an_incomplete_snapshot_is_refused(paths, damage, message, tmp_path):
    with pytest.raises(XortuneError, match=message):
        unpack(damage("\n".join(pack(paths))), tmp_path / "study.db")


def test_a_snapshot_of_something_else_is_not_a_ledger(tmp_path):
    with pytest.raises(UsageError, match="is not a study ledger"):
        arrived(sent(b"no database"), tmp_path / "here")


def test_a_snapshot_is_not_inflated_past_the_size_it_gives(tmp_path):
    with pytest.raises(XortuneError, match="is not the one that was sent"):
        unpack(sent(bytes(50_000_000), most=1000), tmp_path / "study.db")
    assert (tmp_path / "study.db").stat().st_size <= 1001


def test_a_ledger_in_wal_mode_arrives_as_one_file(paths, tmp_path):
    with closing(sqlite3.connect(paths.ledger, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    assert arrived("\n".join(pack(paths)), tmp_path / "here") == content(paths)
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["study.db"]
