"""Whether a function prints where nobody sees it."""

import sys

import xortune
from xortune.engines.function.child import Job, Task
from xortune.engines.function.process import ChildProcess
from xortune.problems.code.code import load_code
from xortune.problems.function.problem import FunctionProblem

NOTICED = {
    "print('x')": True,
    "pass": False,
    "sys.stderr.write('x')": True,
    "import warnings; warnings.warn('x')": True,
    "import logging; logging.warning('x')": True,
    "sys.stdout.buffer.write(b'x')": True,
    "import io, contextlib as c\nwith c.redirect_stdout(io.StringIO()): print('x')": False,
    "sys.stdout.flush(), sys.stdout.isatty(), sys.stdout.encoding, sys.stdout.name": False,
    "import subprocess as s; s.run(['echo', 'x'], stdout=sys.stdout, check=True)": False,
    "sys.stdout.close()": False,
}


def test_what_python_code_writes_is_noticed_call_by_call():
    def train(config, report):
        import sys  # noqa: F401

        exec(config["code"])
        return 1.0

    code = load_code(xortune.Problem(train, {"code": {"value": ""}}))
    spec = FunctionProblem(code, ()).spec
    child = ChildProcess(Job(code, spec, 0, tuple(sys.path), is_heard=False), None)
    try:
        child.wait_until_loaded(lambda: None)
        child.send([Task(0, {"code": code}) for code in NOTICED], None)
        answers = {code: child.receive(lambda: None, 60) for code in NOTICED}
    finally:
        child.end()
    assert {code: answer.error for code, answer in answers.items() if answer.error} == {}
    assert {code: answer.printed for code, answer in answers.items()} == NOTICED
