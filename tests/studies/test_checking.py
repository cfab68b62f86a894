"""What is said of a module before a search: of good ones and bad ones, to Python and the shell."""

import pytest

from tests.cli.commands import call, contents
from tests.declared_modules import MOONS
from tests.studies.checked_modules import MODULES, problem_with
from xortune.errors import UsageError
from xortune.studies.checking import check


@pytest.mark.parametrize("name", MODULES)
def test_what_is_said_of_a_module_is_how_it_trains_and_why(name):
    said = MODULES[name]
    if said.how == "fault":
        with pytest.raises(UsageError) as caught:
            check(problem_with(name))
        assert said.words in str(caught.value)
        return
    found = check(problem_with(name))
    engines = {"in C": "mlp-1", "packs": "stacked-1", "alone": "plain-1"}
    assert found.engine == engines[said.how]
    assert said.words in found.words
    assert all(seconds > 0 for seconds in found.seconds.values())
    assert ("mlp-1" in found.seconds) is (said.how == "in C")
    assert ("stacked-1" in found.seconds) is (said.how != "alone")


def test_the_command_prints_it_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "moons.py").write_text(MOONS)
    before = contents(tmp_path)
    answer = call(capsys, "check", "moons.py")
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[0] == "moons: 40 rows for training, 40 for validation, 40 for a test"
    assert "mlp-1: C, in packs of up to 1,024, same bits in any pack" in lines
    assert lines[-1].startswith("plain-1: ")
    assert contents(tmp_path) == before


def test_the_command_refuses_what_a_search_would(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "moons.py").write_text(MOONS.replace("nn.Linear(inputs", "nn.Linear(3"))
    answer = call(capsys, "check", "moons.py")
    assert answer.code == 2
    assert "moons.py: RuntimeError: mat1 and mat2 shapes cannot be multiplied" in answer.err
    assert answer.out == ""
    (tmp_path / "one.py").write_text(
        "import xortune\np = xortune.Problem(max, {'x': {'value': 1}})"
    )
    answer = call(capsys, "check", "one.py")
    assert answer.code == 2
    assert "has a function, which only a search can try. This is for a module" in answer.err
