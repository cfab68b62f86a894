"""A Ray that goes in the middle of a search is not waited for."""

import pytest

from tests.cluster.scripts import run

# Ray's own calls wait for a head that has gone: for ten minutes, as a search starts it.
KILLED = """
import os, signal, sys
from pathlib import Path
import xortune
from xortune.cluster import node_health
from xortune.errors import XortuneError
from xortune.interrupt import descendants

# The search asks the head for its nodes at every turn: also before it looks whether it is there.
node_health._FRESH_S = 0
results, *parts = sys.argv[1:]

def program(pid):
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\\0")
    return Path(words[0].decode()).name

def kill(progress):
    if progress.done:
        for pid in list(descendants(os.getpid())):
            if program(pid) in parts:
                os.kill(pid, signal.SIGKILL)

try:
    xortune.search(
        "smoke", trials=40, generation=10, name="cut", results=results, runner="ray",
        pack_size=1, on_progress=kill,
    )
except XortuneError as error:
    print(error, error.folder.name)
"""


@pytest.mark.parametrize(
    "parts",
    [pytest.param(["gcs_server", "raylet"], marks=pytest.mark.long), ["gcs_server"]],
    ids="-".join,
)
def test_a_search_does_not_wait_for_a_head_that_has_gone(tmp_path, parts):
    (said,) = run(KILLED, tmp_path, *parts)
    assert said == "Ray has gone in the middle of the search: its gcs_server has ended. cut"
