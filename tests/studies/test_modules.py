"""Studies of a module of the user's own: one table whatever happens, and faults said in time."""

import os
import signal
import subprocess
import sys

import pytest
import torch
from pandas.testing import assert_frame_equal
from torch import nn

import xortune
from tests.cli.commands import call
from tests.declared_modules import MOONS, gap, made
from tests.small_study import answer
from tests.studies.checked_modules import problem_with
from xortune.errors import UsageError
from xortune.ledger import Ledger

# A trial that fails, though the model is sound where it is tried.
MINE = MOONS.replace(
    "    act = getattr",
    '    if width == 6:\n        raise ValueError(f"no width {width}")\n    act = getattr',
).replace('"width": {"values": [3, 5]}', '"width": {"min": 3, "max": 9}')
# Where STUDY names a study's ledger, the twelfth trial to be measured for it kills its process.
MINE = MINE.replace(
    "def accuracy(output, target):\n",
    "def accuracy(output, target):\n"
    '    study = os.environ.get("STUDY", "")\n'
    "    if os.path.exists(study):\n"
    '        with open(f"{study}.mark", "a") as mark:\n'
    '            mark.write("m")\n'
    '        if os.path.getsize(f"{study}.mark") == 12:\n'
    "            os.kill(os.getpid(), 9)\n",
).replace("import torch\n", "import os\n\nimport torch\n", 1)
SETTINGS = {"trials": 30, "study_seed": 2, "confirm": "none"}


@pytest.fixture
def mine(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    return file


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The undisturbed study."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "mine.py").write_text(MINE)
    return xortune.search(
        problem=folder / "mine.py", name="whole", results=folder, generation=15, **SETTINGS
    )


def findings(study):
    with Ledger.read(study.paths) as ledger:
        return ledger.findings()


def test_the_study_is_worth_comparing_with(whole):
    trials = whole.trials
    assert whole.provenance.engine == "mlp-1"
    assert trials["generation"].nunique() == 2
    assert set(trials["state"]) == {"COMPLETE", "FAIL"}
    failed = trials[trials["state"] == "FAIL"]
    assert set(failed["width"]) == {6}
    assert set(failed["error"]) == {"ValueError: no width 6 (mine.py:12)"}
    best = trials.iloc[0]
    assert best["final_loss"] == best["bce_with_logits"] == trials["final_loss"].min()
    assert list(trials.columns[3:6]) == ["width", "activation", "lr"]
    assert trials["accuracy"].max() > 0.7


def test_its_best_trial_is_measured_on_the_test_rows(whole):
    test = findings(whole)["test"]
    assert test["number"] == whole.best["number"]
    assert set(test["scores"]) == {"bce_with_logits", "accuracy"}
    assert test["validation"]["accuracy"] == whole.best["accuracy"]


def test_a_trained_model_is_made_by_the_code_named_again(mine, whole):
    number = int(whole.best["number"])
    model = whole.model(number, problem=mine)
    measured = findings(whole)["test"]["scores"]["accuracy"]
    names = {}
    exec(compile(MINE, "mine.py", "exec"), names)
    split = names["data"]()
    assert float(names["accuracy"](model(split.x_test), split.y_test)) == pytest.approx(measured)
    with pytest.raises(
        UsageError, match="not the code that makes it: name it again, with problem="
    ):
        whole.model(number)
    mine.write_text(f"{MINE}# changed\n")
    with pytest.raises(UsageError, match="has another text than when the study began"):
        whole.model(number, problem=mine)


def test_a_killed_search_is_resumed_to_the_same_table(mine, whole, tmp_path):
    command = [sys.executable, "-m", "xortune", "search", "--problem", str(mine), "--quiet"]
    command += ["--trials", "30", "--study-seed", "2", "--name", "killed", "--results", "results"]
    command += ["--generation", "15", "--confirm", "none", "--pack-size", "5"]
    study = tmp_path / "results" / "killed" / "study.db"
    killed = subprocess.run(command, cwd=tmp_path, env={**os.environ, "STUDY": str(study)})
    assert killed.returncode == -signal.SIGKILL
    study = xortune.load("killed", tmp_path / "results")
    assert 0 < study.trials["state"].isin(("COMPLETE", "FAIL")).sum() < 15
    study = xortune.resume(study.paths.folder, problem=mine)
    assert_frame_equal(answer(study), answer(whole), check_exact=True)
    number = int(whole.best["number"])
    assert study.curves(number).equals(whole.curves(number))


@pytest.mark.parametrize("pack_size", [1, 7])
def test_the_cut_into_packs_does_not_matter(mine, whole, tmp_path, pack_size):
    study = xortune.search(
        problem=mine, name="packs", results=tmp_path, pack_size=pack_size, generation=15, **SETTINGS
    )
    assert_frame_equal(answer(study), answer(whole), check_exact=True)


def test_a_problem_made_in_python_gives_the_table_of_its_file(mine, whole, tmp_path):
    names = {}
    exec(compile(MINE, str(mine), "exec"), names)
    study = xortune.search(
        problem=names["problem"], name="live", results=tmp_path, generation=15, **SETTINGS
    )
    same = ["number", "state", "width", "lr", "final_loss", "train_loss", "accuracy", "best_epoch"]
    assert_frame_equal(study.trials[same], whole.trials[same], check_exact=True)


def test_all_engines_agree_where_they_are_asked_for(mine, tmp_path):
    losses = []
    for engine in ("plain", "stacked", "mlp"):
        study = xortune.search(
            problem=mine, name=engine, results=tmp_path, engine=engine, sampler="random", **SETTINGS
        )
        assert study.provenance.engine == f"{engine}-1"
        losses.append(study.trials.set_index("number").sort_index()["final_loss"])
    for other in losses[1:]:
        assert (losses[0] - other).abs().max() < 1e-5


def test_replicates_folds_and_rungs_go_with_a_module(mine, tmp_path):
    settings = {"problem": mine, "results": tmp_path, "trials": 12, "confirm": "2:4"}
    study = xortune.search(name="folds", folds=2, pruner="halving", rung_epochs="1,2", **settings)
    trials = study.trials
    assert set(trials["state"]) <= {"COMPLETE", "PRUNED", "FAIL"}
    assert (trials["state"] == "PRUNED").any()
    assert set(trials.loc[trials["state"] == "COMPLETE", "replicates"]) == {2}
    again = xortune.search(
        name="again", folds=2, pruner="halving", rung_epochs="1,2", pack_size=3, **settings
    )
    assert_frame_equal(answer(again), answer(study), check_exact=True)
    assert again.recommended.equals(study.recommended)


def test_a_resume_names_the_problem_again_and_refuses_another(mine, tmp_path):
    study = xortune.search(problem=mine, name="one", results=tmp_path, trials=4)
    folder = study.paths.folder
    with pytest.raises(UsageError, match=r"study one searches mine\.py.*name it again, with probl"):
        xortune.resume(folder, trials=8)
    function = xortune.Problem(lambda config, report: 1.0, {"x": {"value": 1}})
    with pytest.raises(UsageError, match="study one searches a module, and this is a function"):
        xortune.resume(folder, trials=8, problem=function)
    mine.write_text(f"{MINE}# changed\n")
    with pytest.raises(UsageError, match=r"the module is not the one that .*another text.*force=T"):
        xortune.resume(folder, trials=8, problem=mine)
    forced = xortune.resume(folder, trials=8, problem=mine, force=True).trials
    assert forced[forced["number"] < 4]["rank"].isna().all()


@pytest.mark.parametrize(
    ("name", "keywords", "level", "words"),
    [
        (
            "ReLU", {}, "INFO",
            "trials are trained in C, in packs of up to 1,024, same bits in any pack.",
        ),
        (
            "LayerNorm", {}, "INFO",
            "trials are trained one at a time in each worker, since a generation falls into "
            "one stack of 2 trainings, which would take longer.",
        ),
        (
            "LayerNorm", {"engine": "stacked"}, "INFO",
            "trials are trained in packs of up to 512, same bits in any pack; a generation falls "
            "into one stack of 2 trainings.",
        ),
        (
            "LSTM", {}, "WARNING",
            "trials are trained one at a time in each worker, since nn.LSTM cannot be stacked "
            "(LSTMCell and GRU can).",
        ),
        ("ReLU", {"engine": "plain"}, "INFO", "trials are trained one at a time, as asked."),
    ],
)  # fmt: skip
def test_one_line_says_how_trials_are_trained_and_why(
    tmp_path, caplog, name, keywords, level, words
):
    caplog.set_level("INFO", logger="xortune")
    xortune.search(
        problem=problem_with(name), name="said", results=tmp_path, trials=2, confirm="none",
        runner="inline", **keywords,
    )  # fmt: skip
    said = [(one.levelname, one.message) for one in caplog.records if "trained" in one.message]
    assert said.count((level, words)) == 1


def test_packs_that_cannot_be_are_refused_and_a_study_of_them_stays_one(mine, tmp_path):
    branching = MINE.replace(
        "nn.Linear(width, outputs))",
        "nn.Linear(width, outputs), Branch())",
    ).replace(
        "def model(",
        "class Branch(nn.Module):\n    def forward(self, x):\n"
        "        return x if x.mean().item() > 0 else 2 * x\n\n\ndef model(",
    )
    file = tmp_path / "branching.py"
    file.write_text(branching)
    with pytest.raises(
        UsageError, match=r"engine stacked: forward branches on a value, .*ne='auto"
    ):
        xortune.search(problem=file, results=tmp_path, trials=2, engine="stacked")
    study = xortune.search(problem=mine, name="packs", results=tmp_path, trials=4, engine="stacked")
    mine.write_text(branching)
    with pytest.raises(
        UsageError, match=r"began with the engine stacked-1: forward .* a new study"
    ):
        xortune.resume(study.paths.folder, problem=mine, trials=6, force=True)


def test_other_rows_are_refused_though_the_text_is_the_same(tmp_path):
    file = tmp_path / "mine.py"
    rows = (
        'from pathlib import Path\nSTART = float(Path(__file__).with_name("n.txt").read_text())\n'
    )
    file.write_text(rows + MOONS.replace("torch.linspace(0,", "torch.linspace(START,"))
    (tmp_path / "n.txt").write_text("0")
    study = xortune.search(problem=file, name="one", results=tmp_path / "results", trials=4)
    (tmp_path / "n.txt").write_text("0.1")
    with pytest.raises(UsageError, match="data returns other rows than when study one began"):
        xortune.resume(study.paths.folder, problem=file, trials=8, force=True)


def refused(folder, **declared):
    """What a search says of a problem, before anything is written."""
    with pytest.raises(UsageError) as caught:
        xortune.search(problem=made(**declared), results=folder, trials=4)
    assert not folder.exists()
    return str(caught.value)


def broken(inputs, outputs, width):
    raise ValueError(f"width {width} is broken")


def by_numpy(inputs, outputs, width):
    import numpy as np

    line = nn.Linear(inputs, outputs)
    with torch.no_grad():
        line.weight.copy_(torch.from_numpy(np.random.default_rng().normal(size=(outputs, inputs))))
    return line


@pytest.mark.parametrize(
    ("declared", "fault"),
    [
        ({"model": lambda width: width}, "model returned 3, and must return a torch.nn.Module"),
        ({"model": broken}, "ValueError: width 3 is broken (test_modules.py:"),
        ({"model": by_numpy}, "the model has other weights when it is made again"),
        ({"model": lambda width: nn.Linear(2, 3)}, "the model's output has the shape"),
        ({"model": lambda width: nn.Linear(3, 1)}, "mat1 and mat2 shapes cannot be multiplied"),
        ({"model": lambda widht=3: nn.Linear(2, 1)}, "'width': is no keyword of the model"),
        ({"data": lambda: 3}, "data: returned 3, and must return an xortune.Split"),
        ({"loss": lambda output, target: output.sum(1)}, "must be a mean over rows, one number"),
        ({"metrics": {"gap": lambda output, target: output}}, "gap"),
        ({"metrics": {"gap": lambda output, target: int("two")}}, "ValueError: invalid literal"),
    ],
    ids=lambda value: None if isinstance(value, dict) else value[:30],
)  # fmt: skip
def test_what_cannot_be_trained_is_said_before_anything_is_written(tmp_path, declared, fault):
    assert fault in refused(tmp_path / "results", **declared)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"data": "lab"}, "data 'lab': the problem brings its own data"),
        (
            {"engine": "eager"},
            "engine 'eager': must be one of auto, mlp, stacked, stacked-compiled, plain",
        ),
        ({"device": "cuda"}, "device cuda: modules are trained on CPUs"),
        ({"trial_timeout": 3}, "trial_timeout 3: is for functions"),
        ({"folds": 1000}, "folds 1,000: there are 24 training and validation rows"),
        ({"objective": "gapp"}, "objective 'gapp'.* Did you mean 'gap'"),
    ],
    ids=str,
)
def test_settings_of_other_problems_are_refused(tmp_path, keywords, words):
    with pytest.raises(UsageError, match=words):
        xortune.search(
            problem=made(metrics={"gap": gap}), results=tmp_path / "results", trials=2, **keywords
        )
    assert not (tmp_path / "results").exists()


# What a file of a user's may have wrong, and what the command line says of it.
WRONG = {
    "no split": ("    return xortune.Split(", "    return (", "data: returned (tensor("),
    "other lengths": ("x[::3], y[::3]", "x[::3], y[::4]", "x has 40 rows, and y has 30."),
    "no validation": ("x[1::3], y[1::3]", "x[:0], y[:0]", "x_validation has the shape (0, 2)"),
    "one axis": ("xortune.Split(x[::3]", "xortune.Split(x[::3, 0]", "Give rows of numbers: x[:"),
    "not a number": (
        "    y = torch",
        "    x[6] = torch.nan\n    y = torch",
        "in float32, in row 2",
    ),
    "texts": (
        "Split(x[::3], y[::3]",
        "Split(x[::3], ['a', 'b'] * 20",
        "Number them from 0: numpy.",
    ),
    "no file": ("    angle =", "    open('nothing.csv')\n    angle =", "directory: 'nothing.csv'"),
    "data of a path": ("def data():", "def data(path):", "Problem: data data: must take no argum"),
    "data in time": ("def data():", "async def data():", "must be a plain function, neither async"),
    "targets": ("% 2", "% 3", "bce_with_logits takes targets from 0 to 1, and y_test holds 2"),
    "own lr": (
        "width: int = 4",
        "lr: int = 4",
        "Problem: model model: lr is a parameter of the tr",
    ),
    "by place": ("width: int = 4,", "width: int = 4, /,", "inputs cannot be given by name"),
    "in the space": ('"width": {', '"widht": {', "Did you mean width?"),
    "a class": ('["Tanh", "ReLU"]', "[nn.Tanh, nn.ReLU]", "a choice is a number, a text, or true"),
    "pairs": ("output[:, 0] > 0", "output > 0", "the metric accuracy compares each row with all"),
    "no number": (".float().mean()", "", "the metric accuracy is not a number: a tensor of the sh"),
    "a name": ("target > 0", "traget > 0", "NameError: name 'traget' is not defined (bad.py:23)"),
    "objective": ("    model=model,", "    model=model, objective='acuracy',", "mean accuracy?"),
    "default": ("    model=model,", "    model=model, defaults={'lr': -1},", "numbers above 0."),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_command_line_says_what_is_wrong_in_a_file_and_writes_nothing(
    tmp_path, monkeypatch, capsys, name
):
    old, new, words = WRONG[name]
    assert MOONS.count(old) >= 1
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.py").write_text(MOONS.replace(old, new))
    answer = call(capsys, "search", "--problem", "bad.py", "--trials", "4")
    assert answer.code == 2
    assert words in " ".join(answer.err.split())
    assert "Traceback" not in answer.err
    assert [file.name for file in tmp_path.iterdir()] == ["bad.py"]


def test_all_that_is_wrong_is_said_at_once(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    bad = MOONS.replace('"width": {', '"widht": {').replace("y[::3], x[1", "y[::4], x[1")
    (tmp_path / "bad.py").write_text(bad)
    said = call(capsys, "search", "--problem", "bad.py").err
    assert "parameter 'widht': is no keyword of the model model" in said
    assert "bad.py: data: x has 40 rows, and y has 30." in said
    (tmp_path / "bad.py").write_text(
        MOONS.replace('"bce_with_logits"', '"bce"').replace("width: int", "lr: int")
    )
    said = " ".join(call(capsys, "search", "--problem", "bad.py").err.split())
    assert "bad.py: Problem: model model: lr is a parameter of the training" in said
    assert "bad.py: Problem: loss 'bce': must be one of mse" in said
    assert said.count("bad.py, line ") == 1


# What is wrong with a file in a folder, and all that is said of it.
SAID = {
    "rows of another width": (
        {"nn.Linear(inputs, width)": "nn.Linear(7, width)"},
        (),
        ["--problem err/mine.py: RuntimeError: mat1 and mat2 shapes cannot be multiplied (",
         "), in layer 0 of the model, Linear(in_features=7, out_features=3, bias=True); x has 2 "
         "columns: the keyword inputs of model is their number (at width=3, "],
    ),
    "values of another type": (
        {'"width": {"values": [3, 5]}': '"width": {"values": ["a", 4]}',
         '"min": 0.001': '"min": -1'},
        (),
        ["search space of err/mine.py has 2 faults:",
         "parameters.lr.min: ",
         "parameters.width: model takes whole numbers (width: int), found 'a'"],
    ),
    "a name and a type": (
        {'"width": {"values": [3, 5]}': '"width": {"values": ["a", 4]}, "wdth": {"value": 3}'},
        (),
        ["--problem err/mine.py: parameter 'wdth': is no keyword of the model",
         "--problem err/mine.py: parameters.width: model takes whole numbers (width: int)"],
    ),
    "an objective that is not measured": (
        {"metrics={": 'objective="gap", metrics={'},
        (),
        ["--problem err/mine.py: Problem: objective 'gap': is no metric; there are train_loss, "
         "bce_with_logits, accuracy, best_epoch. To add it: metrics={\"gap\": ...}"],
    ),
    "another default": (
        {"metrics={": 'defaults={"speed": 3}, metrics={'},
        (),
        ["--problem err/mine.py: defaults: there is no parameter 'speed'"],
    ),
    "an engine of nobody": (
        {},
        ("--engine", "fast"),
        ["--engine 'fast': must be one of auto, mlp, stacked, stacked-compiled, plain."],
    ),
    "no perceptron": (
        {"act, nn": "act, nn.LayerNorm(width), nn"},
        ("--engine", "mlp"),
        ["--engine mlp: ", "Use --engine auto."],
    ),
    "no packs": (
        {"act, nn": "act, Alone(), nn", "def data": "class Alone(nn.Module):\n    def forward("
         "self, x):\n        return x if x.mean().item() > 0 else -x\n\n\ndef data"},
        ("--engine", "stacked"),
        ["--engine stacked: forward branches on a value, or calls .item(). Use --engine auto."],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SAID)
def test_what_is_wrong_is_said_of_the_file_as_it_was_named_and_nothing_else(
    case, tmp_path, monkeypatch, capsys
):
    changes, options, said = SAID[case]
    text = MOONS
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "err").mkdir()
    (tmp_path / "err/mine.py").write_text(text)
    found = call(capsys, "search", "--problem", "err/mine.py", "--trials", "4", *options)
    assert found.code == 2
    assert "need about" not in found.err
    assert [path.name for path in tmp_path.iterdir()] == ["err"]
    at = 0
    for words in said:
        assert words in found.err[at:]
        at = found.err.index(words, at) + len(words)


def test_a_layer_that_the_loss_contains_is_a_warning(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(
        MOONS.replace("width, outputs))", "width, outputs), nn.Sigmoid())")
    )
    found = call(capsys, "check", "mine.py")
    assert found.code == 0
    assert "mine.py: the model ends in nn.Sigmoid, and the loss bce_with_logits takes" in found.err
