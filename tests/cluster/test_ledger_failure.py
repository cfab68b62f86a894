"""A ledger that may not be written any more ends the search, says why, and keeps what it has."""

import sqlite3
from contextlib import closing

import pytest

import xortune
from tests.small_study import SETTINGS, SPACE
from xortune.errors import XortuneError


@pytest.mark.parametrize("runner", ["inline", "ray"])
def test_the_first_pack_is_kept_and_the_reason_given(ray, tmp_path, runner):
    def close_the_ledger(progress):
        if progress.done == 3:
            with closing(sqlite3.connect(tmp_path / "full" / "study.db")) as connection:
                connection.execute(
                    "CREATE TRIGGER full BEFORE UPDATE ON trial "
                    "BEGIN SELECT RAISE(ABORT, 'no space is left'); END"
                )

    with pytest.raises(XortuneError, match="holds a trigger that is not xortune's, full"):
        xortune.search(
            SPACE,
            name="full",
            results=tmp_path,
            runner=runner,
            pack_size=3,
            workers=1,
            on_progress=close_the_ledger,
            **SETTINGS,
        )
    with closing(sqlite3.connect(tmp_path / "full" / "study.db")) as connection:
        connection.execute("DROP TRIGGER full")
    trials = xortune.load(tmp_path / "full").trials
    assert (trials["state"] != "WAITING").sum() == 3
    assert (tmp_path / "full" / "trials.csv").exists()
