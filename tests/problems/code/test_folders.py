"""Where included modules lie: their `__file__`, and messages that name no folder of a machine."""

import pickle

import pytest

from xortune.problems.code.code import load_code
from xortune.problems.code.faults import in_one_line
from xortune.problems.function.problem import FunctionProblem

MINE = """
from PLACE import loss
import xortune

def train(config, report):
    return loss()

problem = xortune.Problem(train, {"x": {"value": 1}})
"""
HELPER = """
from pathlib import Path

def loss():
    return float(Path(__file__).with_name("d.csv").read_text())
"""
PLACES = ("helper", "tools.helper", "tools.deep.helper")


@pytest.fixture(params=PLACES)
def code(request, tmp_path):
    """Code whose helper reads what lies beside it; its folder is included."""
    helper = tmp_path / f"{request.param.replace('.', '/')}.py"
    helper.parent.mkdir(parents=True, exist_ok=True)
    helper.write_text(HELPER)
    mine = tmp_path / "mine.py"
    mine.write_text(MINE.replace("PLACE", request.param))
    code = load_code(mine, [tmp_path / "tools" if "tools" in request.param else tmp_path])
    helper.with_name("d.csv").write_text("7")
    return code


def elsewhere(code):
    return pickle.loads(pickle.dumps(code))


def test_an_included_module_finds_its_data_beside_its_file(code, tmp_path):
    again = elsewhere(code)
    with again.imports():
        assert again.load().train({}, None) == 7
    assert str(tmp_path) not in repr(code) + repr(FunctionProblem(code, ()).recorded)


def test_where_its_folder_is_not_the_place_says_where_it_came_from(code, tmp_path):
    tmp_path.rename(tmp_path.with_name(f"{tmp_path.name}_moved"))
    again = elsewhere(code)
    with again.imports():
        loss = again.load().train.__globals__["loss"]
    assert loss.__globals__["__file__"] == loss.__code__.co_filename
    assert loss.__code__.co_filename.startswith(f"xortune-{code.digest[:12]}/")
    assert loss.__code__.co_filename.endswith("helper.py")


def error_of(code):
    with code.imports(), pytest.raises(FileNotFoundError) as caught:
        code.load().train({}, None)
    return code.without_folders(in_one_line(caught.value, code.shown))


def test_an_error_is_the_same_where_the_folders_are_and_where_they_are_not(code, tmp_path):
    for data in tmp_path.rglob("d.csv"):
        data.unlink()
    here = error_of(elsewhere(code))
    tmp_path.rename(tmp_path.with_name(f"{tmp_path.name}_moved"))
    assert error_of(elsewhere(code)) == here
    (words, named, shown) = here.split("'")
    assert words.startswith("FileNotFoundError")
    assert named in ("d.csv", "tools/d.csv", "tools/deep/d.csv")
    assert shown.endswith("helper.py:5)")


def test_the_folder_of_the_file_is_named_alone_where_it_is_not_included(tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text(MINE.replace("from PLACE import loss", HELPER))
    code = load_code(mine)
    assert error_of(code).split("'")[1] == "d.csv"
    mine.unlink()
    assert error_of(elsewhere(code)).split("'")[1] == "d.csv"
    text = f"no {tmp_path}/a/b.csv, x{tmp_path}/c, {tmp_path}x/d"
    assert code.without_folders(text) == f"no a/b.csv, x{tmp_path}/c, {tmp_path}x/d"
