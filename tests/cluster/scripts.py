"""Python programs in a process of their own: what they print, and how they end."""

import subprocess
import sys
import textwrap


def run(script, *arguments):
    """Runs a script to its end, which must be a good one.

    Returns:
        What it printed on standard output, by lines.
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()
