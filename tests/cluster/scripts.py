"""Python programs in a process of their own: what they print, and how they end."""

import signal
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
        # Tests that run in the background of a shell inherit that it is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()
