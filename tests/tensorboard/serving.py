"""A real TensorBoard, started by the command line, and what it answers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

WAIT_S = 60.0


@dataclass(frozen=True)
class Server:
    """A TensorBoard; `address` is what the command prints, with the path and all behind it."""

    address: str
    said: str  # what the command printed up to there

    @property
    def url(self) -> str:
        return re.match(r"http://[^/]+", self.address)[0]  # type: ignore[index]

    def get(self, route: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + route, data, {"Content-Type": "application/json"}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=WAIT_S) as answer:
            return json.load(answer)

    def wait_for_runs(self, runs: int) -> None:
        """Waits until it has loaded so many runs."""
        deadline = time.monotonic() + WAIT_S
        while len(self.get("/data/plugin/scalars/tags")) < runs:
            assert time.monotonic() < deadline, "TensorBoard has not loaded all runs"
            threading.Event().wait(0.1)

    def trials(self, most: int = 100_000) -> dict[str, Any]:
        """What the HPARAMS tab has of each run: its parameters, metrics and statuses."""
        statuses = ["STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING", "STATUS_UNKNOWN"]
        request = {
            "experimentName": "", "allowedStatuses": statuses, "colParams": [], "startIndex": 0,
            "sliceSize": most,
        }  # fmt: skip
        groups = self.get("/data/plugin/hparams/session_groups", request)["sessionGroups"]
        return {group["name"]: group for group in groups}


@contextmanager
def serving(*argv: object) -> Iterator[Server]:
    """Runs `xortune tensorboard` with these arguments, on a free port."""
    command = [sys.executable, "-m", "xortune", "tensorboard", *map(str, argv), "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            said = ""
            assert process.stderr is not None
            for line in process.stderr:
                said += line
                if found := re.search(r" at (http://127\.0\.0\.1:\d+/\S*)", line):
                    yield Server(found[1], said)
                    return
            raise AssertionError(f"it does not serve: {said}")
        finally:
            process.terminate()
