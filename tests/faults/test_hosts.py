"""The cluster of namespaces, where there can be none: it needs root and takes minutes elsewhere."""

import os
import subprocess
import sys


def test_a_machine_that_cannot_make_hosts(tmp_path):
    command = [sys.executable, "-m", "tests.hosts"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": str(tmp_path)},
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("tests.hosts: ")
    assert "Run this" in done.stderr or "Install iproute2" in done.stderr
    assert done.stderr.count("\n") == 1
