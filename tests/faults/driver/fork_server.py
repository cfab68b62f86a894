"""A process that has imported everything, and forks a child for every case.

Importing takes two seconds, most of them PyTorch, a fork some milliseconds. A module to run with
`python -m`: reads a case a line from its input, `module function` and JSON arguments, and answers
with the child's exit status. What the child prints goes to the file that the case names.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import traceback

# What a child would import when it first needs it.
_LATE = ("studies.study", "loop.search", "report", "engines.xor.eager", "cli.main", "cli.tables")


def main() -> None:
    for name in _LATE:
        importlib.import_module(f"xortune.{name}")
    importlib.import_module("rich.console")
    print("ready", flush=True)
    for line in sys.stdin:
        case = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(case)
        usage = os.waitpid(child, 0)[1]
        print(os.waitstatus_to_exitcode(usage), flush=True)


def _run(case: dict[str, object]) -> None:
    """Never returns."""
    output = os.open(str(case["output"]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    code = 99
    try:
        function = getattr(
            importlib.import_module(f"tests.faults.driver.{case['module']}"), str(case["function"])
        )
        code = function(*case["arguments"])  # type: ignore[misc]
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
