"""Studies made of the snapshots that arrive."""

import base64
import hashlib
import sqlite3
import zlib
from contextlib import closing

import pytest
from pandas.testing import assert_frame_equal

import xortune
from tests.small_study import SETTINGS, SPACE, answer
from xortune.errors import Interrupted, UsageError, XortuneError
from xortune.ledger.snapshot import pack, unpack
from xortune.paths import StudyPaths
from xortune.studies.fetched import adopt


@pytest.fixture(scope="module")
def oracle(tmp_path_factory):
    results = tmp_path_factory.mktemp("oracle")
    return xortune.search(SPACE, name="oracle", results=results, runner="inline", **SETTINGS)


@pytest.fixture(scope="module")
def packed(oracle):
    return "\n".join(pack(oracle.paths))


def adopted(text, results):
    return adopt(lambda file: unpack(text, file), "here", results)


def sent(content):
    """A snapshot of any bytes, as a server that means harm may send it."""
    lines = base64.b64encode(zlib.compress(content)).decode()
    digest = hashlib.sha256(content).hexdigest()
    return (
        f"-----BEGIN XORTUNE SNAPSHOT-----\n{lines}\n"
        f"-----END XORTUNE SNAPSHOT {len(content)} {digest}-----"
    )


def test_everything_arrives(packed, oracle, tmp_path):
    study = adopted(f"Ray says something\n{packed}\nand more", tmp_path)
    assert_frame_equal(study.trials, oracle.trials, check_exact=True)
    assert_frame_equal(study.curves(3), oracle.curves(3), check_exact=True)
    assert study.settings == oracle.settings
    assert study.runs() == oracle.runs()
    assert study.paths.trials_csv.read_bytes() == oracle.paths.trials_csv.read_bytes()
    runs = [f"trial-{number:05d}" for number in range(22)]
    assert sorted(path.name for path in study.paths.tensorboard.iterdir()) == runs
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_a_study_that_is_here_stays_as_it_is(packed, tmp_path):
    (tmp_path / "here").mkdir()
    with pytest.raises(UsageError, match="exists already"):
        adopted(packed, tmp_path)
    assert list(tmp_path.rglob("*")) == [tmp_path / "here"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text[: len(text) // 2], "did not arrive completely"),
        (lambda text: sent(b"no database"), "is not a study ledger"),
        (lambda text: sent(b""), "nothing was kept"),
    ],
)
def test_an_incomplete_ledger_leaves_nothing(packed, damage, message, tmp_path):
    with pytest.raises(XortuneError, match=message):
        adopted(damage(packed), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER harm AFTER INSERT ON run BEGIN DELETE FROM trial; END",
        "CREATE VIRTUAL TABLE harm USING fts5(x)",
        "CREATE TABLE harm (x, y AS (zeroblob(100000000)))",
        "CREATE UNIQUE INDEX harm ON run (number, wall)",
        "ALTER TABLE trial ADD COLUMN harm",
        "REPLACE INTO setting VALUES ('trials', 'no JSON')",
        "UPDATE setting SET value = '0' WHERE key = 'trials'",
    ],
)
def test_a_ledger_that_means_harm_leaves_nothing(oracle, statement, tmp_path):
    file = tmp_path / "study.db"
    file.write_bytes(oracle.paths.ledger.read_bytes())
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute(statement)
    with pytest.raises(XortuneError):
        adopted(sent(file.read_bytes()), tmp_path / "results")
    assert list((tmp_path / "results").iterdir()) == []


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIEW other AS SELECT * FROM trial",
        "CREATE TABLE other (x)",
        "CREATE INDEX other ON trial (state)",
        "ANALYZE",
        "PRAGMA journal_mode = WAL",
    ],
)
def test_what_another_tool_left_on_the_cluster_does_no_harm(oracle, statement, tmp_path):
    paths = StudyPaths(tmp_path / oracle.name)
    paths.folder.mkdir()
    paths.ledger.write_bytes(oracle.paths.ledger.read_bytes())
    with closing(sqlite3.connect(paths.ledger, isolation_level=None)) as connection:
        connection.execute(statement)
    study = adopted("\n".join(pack(paths)), tmp_path / "results")
    assert study.trials.equals(oracle.trials)
    assert not list(study.paths.folder.glob("study.db-*"))


def test_a_study_that_arrives_unfinished_is_resumed(oracle, tmp_path):
    def stop(progress):
        if progress.done >= 12:
            raise Interrupted(2)

    options = {"runner": "inline", "pack_size": 4, "name": "half", "results": tmp_path}
    with pytest.raises(Interrupted) as caught:
        xortune.search(SPACE, on_progress=stop, **options, **SETTINGS)
    study = adopted("\n".join(pack(StudyPaths(caught.value.folder))), tmp_path / "results")
    assert (study.trials["state"] != "WAITING").sum() == 12
    resumed = xortune.resume(study.paths.folder, runner="inline")
    assert_frame_equal(answer(resumed), answer(oracle), check_exact=True)
