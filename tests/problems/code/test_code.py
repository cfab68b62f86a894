"""Code as it travels: files, what they include, and live objects."""

import pickle
import subprocess
import sys

import pytest

import xortune
from xortune.errors import UsageError
from xortune.problems.code.code import load_code
from xortune.problems.code.faults import in_one_line
from xortune.problems.code.recorded import change, own_space
from xortune.problems.function.problem import FunctionProblem
from xortune.space import inferred_parameters
from xortune.wording import for_the_shell

ONE = """
import xortune

def train(config, report):
    return config["x"] ** 2

problem = xortune.Problem(train, {"x": {"min": 0.0, "max": 1.0}})
"""


@pytest.fixture
def file(tmp_path):
    """Writes a file beside others, and returns its path."""

    def write(text=ONE, name="mine.py", **others):
        for other, content in others.items():
            path = tmp_path / (other.replace("__", "/") + ".py")
            path.parent.mkdir(exist_ok=True)
            path.write_text(content)
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def said(source, include=()):
    with pytest.raises(UsageError) as caught:
        load_code(source, include)
    return str(caught.value)


def test_a_file_is_loaded_and_its_one_problem_found(file):
    code = load_code(file())
    assert (code.file, code.name, code.text) == ("mine.py", "problem", ONE)
    assert code.problem.train({"x": 3}, None) == 9


def test_code_is_loaded_elsewhere_from_its_text_alone(file):
    path = file()
    code = load_code(path)
    path.unlink()
    again = pickle.loads(pickle.dumps(code))
    assert again == code
    assert "problem" not in vars(again)
    assert again.problem.train({"x": 3}, None) == 9
    assert again.problem is not code.problem


def test_the_digest_is_that_of_the_text(file):
    first, same = load_code(file()), load_code(file(name="other.py"))
    other = load_code(file(ONE + "# changed\n"))
    assert first.digest == same.digest != other.digest


WITH_DATA = """
from pathlib import Path
import xortune

HERE = Path(__file__)

def train(config, report):
    return float(HERE.with_name("d.csv").read_text())

problem = xortune.Problem(train, {"x": {"value": 1}})
"""


def test_a_function_finds_its_data_beside_its_file(file, tmp_path, monkeypatch):
    (tmp_path / "d.csv").write_text("7")
    file(WITH_DATA)
    monkeypatch.chdir(tmp_path)
    code = load_code("mine.py")
    pickled = pickle.dumps(code)
    assert code.problem.train({}, None) == 7
    monkeypatch.chdir("/")
    again = pickle.loads(pickled)
    assert again.problem.train({}, None) == 7
    assert again.problem.train.__code__.co_filename == again.filename
    assert str(tmp_path) not in repr(code) + repr(FunctionProblem(code, ()).recorded)


def test_where_its_file_is_not_the_place_is_invented(file):
    path = file(WITH_DATA)
    code = pickle.loads(pickle.dumps(load_code(path)))
    path.unlink()
    with pytest.raises(FileNotFoundError) as caught:
        code.problem.train({}, None)
    assert str(caught.value.filename) == f"xortune-{code.digest[:12]}/d.csv"


def test_the_source_of_a_loaded_function_can_be_read(file):
    import inspect

    code = load_code(file())
    assert inspect.getsource(code.problem.train).startswith("def train(config, report):")


def test_a_file_with_two_problems_asks_for_a_name(file):
    path = file(ONE + "second = xortune.Problem(train)\nalias = second\n")
    assert "has 2 problems: problem, second. Name one: " in said(path)
    assert load_code(f"{path}:second").name == "second"
    message = said(f"{path}:secnd")
    assert (
        "has no problem 'secnd'; there are problem, second, alias. Did you mean second?" in message
    )


def test_a_file_without_a_problem_is_shown_how(file):
    assert "mine.py: has no problem. Add one for its function" in said(file("x = 1\n"))


def test_a_file_that_fails_shows_its_own_lines(file):
    message = said(file("import json\n\ndef read():\n    return json.loads('{')\n\nread()\n"))
    assert "mine.py: fails when it is imported: JSONDecodeError: Expecting property" in message
    assert message.splitlines()[1:] == [
        "  mine.py, line 6: read()",
        "  mine.py, line 4: return json.loads('{')",
    ]


def test_a_file_with_a_fault_of_syntax_shows_the_line(file):
    message = said(file("x = 1\ndef train(:\n"))
    assert "SyntaxError: invalid syntax" in message
    assert "  mine.py, line 2: def train(:" in message


def test_a_file_that_ends_the_process_is_an_error(file):
    assert "mine.py: fails when it is imported: SystemExit: 3" in said(file("raise SystemExit(3)"))


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("mine.yaml", "must be a Python file, such as mine.py, or mine.py:NAME"),
        ("nowhere.py", "there is no such file"),
        (3, "problem 3: must be the path of a Python file, or an xortune.Problem"),
        ("\0.py", "must be a Python file"),
    ],
)
def test_what_is_not_a_file_is_said(source, fault):
    assert fault in said(source)


def test_what_is_not_text_or_too_long_is_said(tmp_path):
    path = tmp_path / "mine.py"
    path.write_bytes(b"# \xff")
    assert "byte 2 is not UTF-8 text" in said(path)
    path.write_bytes(b"#\0")
    assert "holds a null character" in said(path)
    path.write_bytes(b"#" * 1_000_001)
    assert "is larger than 1 MB" in said(path)
    path.unlink()
    path.mkdir()
    assert "is not a regular file" in said(path)


WITH_HELPER = (
    "from helper import square\nimport xortune\n"
    + """
def train(config, report):
    return square(config["x"])

problem = xortune.Problem(train, {"x": {"min": 0.0, "max": 1.0}})
"""
)
SQUARE = "def square(x):\n    return x * x\n"


def test_a_module_beside_the_file_has_to_be_included(file, monkeypatch, tmp_path):
    path = file(WITH_HELPER, helper=SQUARE)
    monkeypatch.syspath_prepend(tmp_path)
    message = said(path)
    assert "No module named 'helper': it lies beside mine.py, and was not included" in message
    assert "add include='FOLDER'" in message
    assert "  mine.py, line 1: from helper import square" in message


def test_the_folder_to_include_is_named_below_the_current_one(file, monkeypatch, tmp_path):
    path = file(WITH_HELPER, helper=SQUARE)
    monkeypatch.chdir(tmp_path)
    assert "add include='.'" in said("mine.py")
    assert "add include='.'" in said(path)
    with for_the_shell():
        assert "add --include ." in said("mine.py")
    monkeypatch.chdir(tmp_path.parent)
    assert f"add include='{tmp_path.name}'" in said(path)


def test_a_plain_function_is_shown_how_to_become_a_problem():
    def train(config, report):
        return 1.0

    assert "or an xortune.Problem. For a function: xortune.Problem(train, space={...})." in said(
        train
    )


def test_included_modules_travel_and_leave_nothing_behind(file, tmp_path):
    path = file(WITH_HELPER, helper=SQUARE)
    code = load_code(path, [tmp_path])
    assert code.problem.train({"x": 3}, None) == 9
    assert "helper" not in sys.modules
    assert pickle.loads(pickle.dumps(code)).problem.train({"x": 3}, None) == 9


@pytest.mark.parametrize("package", [True, False])
def test_a_folder_is_imported_by_its_name(file, tmp_path, package):
    others = {"tools__helper": "from tools import deep\n" + SQUARE, "tools__deep": ""}
    if package:
        others["tools____init__"] = ""
    path = file(WITH_HELPER.replace("helper", "tools.helper"), **others)
    assert load_code(path, [tmp_path / "tools"]).problem.train({"x": 3}, None) == 9


def test_what_is_included_changes_the_digest(file, tmp_path):
    path = file(WITH_HELPER, tools__helper=SQUARE)
    first = load_code(path, [tmp_path / "tools"])
    (tmp_path / "tools" / "helper.py").write_text(SQUARE + "# changed\n")
    second = load_code(path, [tmp_path / "tools"])
    assert first.digest != second.digest
    assert first.text == second.text


def test_what_does_not_travel_is_said(file, tmp_path):
    path = file(WITH_HELPER, tools__helper=SQUARE)
    (tmp_path / "tools" / "data.csv").write_text("1")
    (note,) = load_code(path, [tmp_path / "tools"]).notes
    assert note.endswith("only Python files travel; 1 other file stays behind.")
    (tmp_path / "tools" / "more.csv").write_text("1")
    (note,) = load_code(path, [tmp_path / "tools"]).notes
    assert note.endswith("only Python files travel; 2 other files stay behind.")


def test_studies_and_what_is_installed_stay_out_of_an_included_folder(file, tmp_path):
    path = file(WITH_HELPER, helper=SQUARE)
    for folder, marker in [
        ("results", "one.py"), (".git", "two.py"), ("__pycache__", "three.py"),
        ("study", "study.db"), ("venv", "pyvenv.cfg"),
    ]:  # fmt: skip
        (tmp_path / folder).mkdir()
        for name in (marker, "other.py", "note.txt"):
            (tmp_path / folder / name).write_text("")
    code = load_code(path, [tmp_path])
    assert [name for name, _ in code.includes[0].files] == ["helper.py", "mine.py"]
    assert code.notes == ()
    (tmp_path / "results" / "__init__.py").write_text("")
    assert "results/other.py" in dict(load_code(path, [tmp_path]).includes[0].files)


def test_folders_that_cannot_be_included_are_said(file, tmp_path):
    path = file()
    assert "there is no such folder" in said(path, [tmp_path / "none"])
    (tmp_path / "empty").mkdir()
    assert "has no Python file" in said(path, [tmp_path / "empty"])
    (tmp_path / "empty" / "tools").mkdir()
    file(tools__helper=SQUARE)
    (tmp_path / "empty" / "tools" / "a.py").write_text("")
    both = [tmp_path / "tools", tmp_path / "empty" / "tools"]
    assert "two folders are called tools" in said(path, both)


def test_a_lambda_and_a_closure_travel():
    factor = 3
    code = load_code(xortune.Problem(lambda config, report: factor * config["x"]))
    again = pickle.loads(pickle.dumps(code))
    assert again.problem.train({"x": 2}, None) == 6
    assert again.file == ""


def test_a_live_object_is_recorded_by_the_text_of_its_function():
    def train(config, report):
        return config["x"]

    code = load_code(xortune.Problem(train, {"x": {"value": 1}}))
    recorded = FunctionProblem(code, inferred_parameters(own_space(code))).recorded
    assert recorded["text"].strip().startswith("def train(config, report):")
    assert change(recorded, code) is None
    assert "live" not in recorded


@pytest.mark.parametrize(
    ("filename", "shown"),
    [
        ("/home/me/f.py", "f.py"),
        ("<stdin>", "the cell"),
        ("/tmp/ipykernel_7/123.py", "the cell"),
    ],
)
def test_errors_of_a_live_object_name_the_script(filename, shown):
    names = {"__name__": "__main__"}
    text = "def train(config, report):\n    raise ValueError('no')"
    exec(compile(text, filename, "exec"), names)
    code = load_code(xortune.Problem(names["train"]))
    for each in (code, pickle.loads(pickle.dumps(code))):
        with pytest.raises(ValueError, match="no") as caught:
            each.problem.train({}, None)
        assert in_one_line(caught.value, each.shown) == f"ValueError: no ({shown}:2)"


def test_a_live_object_that_cannot_travel_is_said():
    import threading

    lock = threading.Lock()

    def train(config, report):
        with lock:
            return 1.0

    with pytest.raises(UsageError, match="cannot be sent to workers: TypeError: cannot pickle"):
        load_code(xortune.Problem(train))


def test_a_live_object_includes_no_folder(tmp_path):
    with pytest.raises(UsageError, match="include: goes with a file"):
        load_code(xortune.Problem(lambda config, report: 1), [tmp_path])


def test_a_module_that_only_this_process_has_is_said_elsewhere(file, tmp_path, monkeypatch):
    file("import xortune\nproblem = xortune.Problem(print)\n", name="only_here_.py")
    file(ONE, name="only_here_.py")
    monkeypatch.syspath_prepend(tmp_path)
    import only_here_

    pickled = pickle.dumps(load_code(only_here_.problem))
    program = (
        "import pickle, sys\ncode = pickle.loads(sys.stdin.buffer.read())\n"
        "try:\n    code.problem\nexcept Exception as error:\n    print(error)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], input=pickled, capture_output=True, cwd="/", check=False
    )
    assert (
        b"it needs the module 'only_here_', which is not installed where it is trained"
        in run.stdout
    )


def test_changes_are_told_apart(file):
    code = load_code(file())
    recorded = FunctionProblem(code, inferred_parameters(own_space(code))).recorded
    assert change(recorded, code) is None
    other = load_code(file(ONE + "# changed\n"))
    assert change(recorded, other) == ("'mine.py' has another text than when the study began")
    assert "is not known, so it may have changed" in change({**recorded, "digest": None}, code)


def test_a_problem_without_a_space_is_said(file):
    path = file(ONE.replace(', {"x": {"min": 0.0, "max": 1.0}}', ""))
    with pytest.raises(UsageError, match=r"mine.py: brings no search space. Add one to Problem"):
        own_space(load_code(path))
