"""Tables of studies that an earlier xortune made: the same settings still give the same answer.

Another processor may round differently where PyTorch trains, so losses are compared with a
tolerance; what C trains has the same bits everywhere, and so TPE proposes the same trials.
"""

import os
import signal
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import xortune
from xortune.errors import Interrupted
from xortune.report import UNREPEATABLE

GOLDEN = Path(__file__).with_name("golden")
SETTINGS = {
    "tpe": {"trials": 50},
    "random": {"trials": 50, "sampler": "random"},
    "lab": {"space": "lab", "data": "lab"},
    "cut": {"trials": 60},
}


def interrupted_and_resumed(engine, results):
    """A search that gets a SIGINT after its fourth pack, resumed to its end."""
    seen = []

    def strike(progress):
        seen.append(progress)
        if len(seen) == 4:
            os.kill(os.getpid(), signal.SIGINT)

    common = {"runner": "inline", "results": results}
    with pytest.raises(Interrupted):
        xortune.search(engine=engine, name="s", on_progress=strike, **SETTINGS["cut"], **common)
    return xortune.resume("s", **common)


SLOW = ("lab-eager",)  # 100,000 epochs with PyTorch
FILES = sorted(file.stem for file in GOLDEN.glob("*.csv"))


@pytest.mark.parametrize(
    "file", [pytest.param(f, marks=pytest.mark.long) if f in SLOW else f for f in FILES]
)
def test_an_earlier_table_is_made_again(file, tmp_path):
    case, engine = file.split("-")
    if case == "cut":
        study = interrupted_and_resumed(engine, tmp_path)
    else:
        study = xortune.search(
            engine=engine, runner="inline", results=tmp_path, name="s", **SETTINGS[case]
        )
    table = pd.read_csv(study.paths.trials_csv).drop(columns=list(UNREPEATABLE))
    earlier = pd.read_csv(GOLDEN / f"{file}.csv")
    ranks = [frame.pop("rank") for frame in (table, earlier)]
    if engine == "compiled":
        assert_frame_equal(ranks[0].to_frame(), ranks[1].to_frame())
    by_number = [frame.sort_values("number", ignore_index=True) for frame in (table, earlier)]
    rtol = 1e-6 if engine == "compiled" else 0.1
    assert_frame_equal(*by_number, rtol=rtol, check_exact=False)
