import logging
import os
import shutil
from collections.abc import Iterator, Mapping

import pytest

from tests.browser import Chromium, started


@pytest.fixture(scope="session")
def lab_table() -> Mapping[int, float]:
    """The lab's printed losses by epoch: lr 0.1, seed 42, MSE, 10,000 epochs, `lab` data."""
    losses = (
        0.27375736832618713, 0.2081705629825592, 0.09176724404096603, 0.03289078176021576,
        0.016263967379927635, 0.009998900815844536, 0.006978640332818031, 0.005261328537017107,
        0.00416548689827323, 0.0034290249459445477, 0.002894176635891199, 0.002497166395187378,
        0.0021936693228781223, 0.0019435270223766565, 0.0017444714903831482,
        0.0015824229922145605, 0.001446553273126483, 0.0013299942947924137,
        0.00122724543325603, 0.0011413537431508303,
    )  # fmt: skip
    return dict(zip(range(0, 10_000, 500), losses))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """For the tests of one file: Playwright's event loop is in the way of others."""
    with started() as chromium:
        yield chromium


@pytest.fixture
def unprivileged() -> list[str]:
    """What to put before a command so that file permissions bind it, even for root."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may write anywhere, and there is no setpriv to drop that right")
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]


@pytest.fixture
def when_there_is_no_room(monkeypatch):
    """Calls a function when a search warns that no worker has started; keeps the warnings.

    The search warns after a second instead of ten.
    """
    monkeypatch.setattr("xortune.cluster.capacity._SILENT_S", 1.0)
    said = []
    handler = logging.Handler(logging.WARNING)
    logger = logging.getLogger("xortune")
    logger.addHandler(handler)

    def listen(call=lambda: None):
        def hear(record):
            if "has started in" in record.getMessage():
                said.append(record.getMessage())
                call()

        handler.emit = hear
        return said

    yield listen
    logger.removeHandler(handler)
