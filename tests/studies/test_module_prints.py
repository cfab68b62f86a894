"""What a module's code prints and raises, and who gets to see it."""

import json

import pytest

import xortune
from tests.cli.commands import call
from tests.declared_modules import MOONS
from xortune.errors import UsageError

LOADED = "what the problem prints while it is loaded is hidden"
TRAINED = "what the module prints is hidden"
# Everything of the user's that runs, apart from the file itself.
PRINTS = (
    MOONS.replace("    act = getattr", '    print("of model")\n    act = getattr')
    .replace("    angle =", '    print("of data")\n    angle =')
    .replace(
        "def accuracy(output, target):", 'def accuracy(output, target):\n    print("of metrics")'
    )
)
EVERY = {"of model", "of data", "of metrics"}
SETTINGS = {"trials": 4, "sampler": "random", "confirm": "none"}
# Half of all widths fail once the study has begun, where the look has passed.
RAISES = """
from pathlib import Path


class Stop(BaseException):
    pass


class Head(nn.Module):
    def __init__(self, inputs, width):
        super().__init__()
        self.line = nn.Linear(inputs, 1)
        self.bad = width % 2 == 0 and Path("results").exists()

    def forward(self, x):
        if self.bad:
            raise RAISED
        return self.line(x)


def model(inputs: int, outputs: int, width: int = 3, activation: str = "Tanh"):
    return Head(inputs, width)


problem ="""
RAISING = MOONS.replace('"values": [3, 5]', '"min": 3, "max": 12').replace("\nproblem =", RAISES)


@pytest.fixture
def mine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "mine.py"


@pytest.mark.parametrize("engine", ["stacked", "plain"])
def test_a_search_hides_what_a_module_prints_and_says_so_once(mine, capsys, caplog, engine):
    mine.write_text(PRINTS)
    study = xortune.search(problem=mine, name="one", engine=engine, **SETTINGS)
    assert study.summary()["test"]["number"] == study.best_number
    assert capsys.readouterr() == ("", "")
    assert caplog.text.count(f"{LOADED}; verbose=True shows it.") == 1
    assert caplog.text.count(f"{TRAINED}; verbose=True shows it.") == 1


@pytest.mark.parametrize("engine", ["stacked", "plain"])
def test_verbose_shows_what_a_module_prints_beside_the_results(mine, capsys, caplog, engine):
    mine.write_text(PRINTS)
    study = xortune.search(problem=mine, name="one", engine=engine, verbose=True, **SETTINGS)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert set(printed.err.splitlines()) >= EVERY
    assert "is hidden" not in caplog.text
    xortune.resume(study.paths.folder, problem=mine, trials=5)
    assert capsys.readouterr() == ("", "")
    assert caplog.text.count("is hidden") == 2


def test_a_module_that_prints_nothing_is_not_mentioned(mine, capsys, caplog):
    mine.write_text(MOONS)
    xortune.search(problem=mine, name="one", **SETTINGS)
    assert "is hidden" not in caplog.text


def test_what_is_printed_while_a_trial_is_trained_again_stays_out_of_the_report(mine, capsys):
    mine.write_text(PRINTS)
    xortune.search(problem=mine, name="one", **SETTINGS)
    asked = ["report", "one", "--luck", "0", "--seeds", "2", "--format", "json"]
    answer = call(capsys, *asked, "--problem", "mine.py")
    assert answer.code == 0
    assert json.loads(answer.out)[0]["number"] == 0
    assert "of data" in answer.err.splitlines()
    assert "of model" not in answer.err.splitlines()


def test_check_hides_it_and_shows_it_on_request(mine, capsys):
    mine.write_text(PRINTS)
    hidden = call(capsys, "check", "mine.py")
    assert hidden.code == 0
    assert not EVERY & set(hidden.err.splitlines())
    assert f"{LOADED}; --verbose shows it." in hidden.err
    shown = call(capsys, "check", "mine.py", "--verbose")
    assert set(shown.err.splitlines()) >= EVERY
    assert shown.out.splitlines()[0] == hidden.out.splitlines()[0]


@pytest.mark.parametrize("engine", ["stacked", "plain"])
@pytest.mark.parametrize("raised", ['Stop("enough")', 'SystemExit("enough")', "GeneratorExit()"])
def test_an_exception_of_any_kind_fails_its_trial_alone(mine, raised, engine):
    mine.write_text(RAISING.replace("RAISED", raised))
    study = xortune.search(problem=mine, name="one", engine=engine, **{**SETTINGS, "trials": 12})
    trials = study.trials
    bad = trials["width"] % 2 == 0
    assert 0 < bad.sum() < 12
    assert set(trials.loc[bad, "state"]) == {"FAIL"}
    assert set(trials.loc[~bad, "state"]) == {"COMPLETE"}
    assert trials.loc[bad, "error"].str.contains(raised.partition("(")[0]).all()


def test_an_interrupt_of_a_person_is_no_failure_of_a_trial(mine):
    mine.write_text(RAISING.replace("RAISED", "KeyboardInterrupt"))
    with pytest.raises(KeyboardInterrupt):
        xortune.search(problem=mine, name="one", **{**SETTINGS, "trials": 12})
    assert not (xortune.load("one").trials["state"] == "FAIL").any()


def test_an_exception_of_any_kind_in_data_is_said_before_anything_is_written(mine, tmp_path):
    mine.write_text(
        MOONS.replace("    angle =", "    raise GeneratorExit('no rows')\n    angle =", 1)
    )
    with pytest.raises(UsageError, match=r"data fails: .*GeneratorExit: no rows"):
        xortune.search(problem=mine, name="one", **SETTINGS)
    assert not (tmp_path / "results").exists()


def test_a_metric_that_fails_on_the_test_rows_alone_is_said_and_the_study_is_complete(mine, caplog):
    text = MOONS.replace("x[2::3], y[2::3]", "x[2:30:3], y[2:30:3]")
    # The look before a search would find what fails at once.
    later = 'len(target) < 40 and __import__("os").path.exists("results")'
    few = f'    if {later}:\n        raise Warning("few rows")\n    return ((output'
    mine.write_text(text.replace("    return ((output", few))
    study = xortune.search(problem=mine, name="one", **SETTINGS)
    assert "not measured on the test rows: Warning: few rows (mine.py:" in caplog.text
    assert set(study.trials["state"]) == {"COMPLETE"}
    assert "test" not in study.summary()
