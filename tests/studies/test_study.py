"""The Python face."""

import json
import math
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest
import torch
from optuna.trial import TrialState

import xortune
from tests.make import make_provenance, make_settings
from xortune.cli import main
from xortune.cli.arguments import parse
from xortune.cli.tables import summary_lines
from xortune.errors import Interrupted, StudyExistsError, UsageError, XortuneError
from xortune.ledger import Ledger
from xortune.paths import StudyPaths
from xortune.studies import searches


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return xortune.search(
        "smoke", trials=8, runner="inline", name="s", results=tmp_path_factory.mktemp("results")
    )


def test_importing_the_package_imports_nothing_heavy():
    script = (
        "import sys, xortune\n"
        "heavy = {'torch', 'ray', 'optuna', 'pandas', 'tensorboard', 'rich', 'yaml'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


def test_search_stays_a_function(study):
    import xortune.loop.search

    assert callable(xortune.search)


def test_load_by_name_and_by_path(study):
    results = study.paths.folder.parent
    for loaded in (
        xortune.load("s", results),
        xortune.load(study.paths.folder),
        xortune.load(str(study.paths.folder)),
    ):
        assert loaded.trials.equals(study.trials)
        assert loaded.settings == study.settings


def test_the_best_is_the_first(study):
    assert study.best.equals(study.trials.iloc[0])
    assert study.best["rank"] == 1


def test_a_study_without_a_complete_trial_has_no_best(tmp_path):
    space = {
        "lr": {"value": 3e38},
        "epochs": {"value": 30},
        "loss_fn": {"value": "bce_with_logits"},
    }
    failed = xortune.search(space, trials=1, runner="inline", name="f", results=tmp_path)
    assert failed.summary()["states"] == {"FAIL": 1}
    with pytest.raises(XortuneError, match="no complete trial"):
        _ = failed.best
    with pytest.raises(UsageError, match="not finite at epoch"):
        failed.model(0)


def test_curves_end_with_the_train_loss(study):
    for row in study.trials.itertuples():
        curve = study.curves(row.number)
        assert curve.columns.tolist() == ["epoch", "training", "validation"]
        assert curve["epoch"].iloc[[0, -1]].tolist() == [0, row.epochs]
        assert curve["training"].iloc[-1] == row.train_loss


def test_models_score_what_the_table_says(study):
    from xortune.problems.xor.data import load_data
    from xortune.problems.xor.loop import score

    for row in study.trials.itertuples():
        model = study.model(row.number)
        assert isinstance(model, torch.nn.Module)
        scores = score(model, load_data("xor").validation, row.train_loss)
        assert scores["mse"] == pytest.approx(row.mse, rel=1e-4)
        assert scores["bce"] == pytest.approx(row.bce, rel=1e-4)
        assert scores["accuracy"] == row.accuracy


def test_a_trial_that_is_not_there(study):
    with pytest.raises(UsageError, match="no trial 99; its trials: 0 to 7"):
        study.curves(99)


@pytest.mark.parametrize(
    "number", [np.int64(3), np.int32(3), np.uint8(3), np.array(3), pd.Series([3]).iloc[0]], ids=repr
)
def test_numbers_of_numpy_and_pandas_name_trials(study, number):
    assert study.curves(number).equals(study.curves(3))
    expected = study.model(3).state_dict()
    assert all(torch.equal(v, expected[k]) for k, v in study.model(number).state_dict().items())


def test_the_best_number_names_its_trial(study):
    study.model(study.best["number"])
    study.curves(study.trials["number"].iloc[0])
    for _, row in study.trials[["number", "lr"]].iterrows():
        assert isinstance(row["number"], float)
        assert study.curves(row["number"]).equals(study.curves(int(row["number"])))


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "number",
    [
        "3", 7.5, -0.5, None, True, np.True_, float("nan"), b"3", [3], np.array([3]), object(),
        -1, np.int64(-1), 8, np.int64(8), 2**63, 10**30, 10**5000,
    ],
    ids=lambda number: type(number).__name__,
)  # fmt: skip
def test_everything_else_names_none(study, number):
    for ask in (study.model, study.curves):
        with pytest.raises(
            UsageError, match="study s has no trial .*; its trials: 0 to 7"
        ) as caught:
            ask(number)
        whole = isinstance(number, (int, np.integer)) and not isinstance(number, bool)
        assert ("A trial's number is a whole number." in str(caught.value)) is not whole


def test_settings_in_numbers_of_numpy_are_recorded_as_plain_ones(tmp_path):
    plain = {"trials": 3, "study_seed": 5, "generation": 2, "log_every": 4, "cuda_share": 0.25}
    options = {"workers": 1, "pack_size": 2, "retries": 1, "pack_timeout": 60.0}
    numpys = {
        "trials": np.int64(3),
        "study_seed": np.uint32(5),
        "generation": np.array(2),
        "log_every": np.int8(4),
        "cuda_share": np.float32(0.25),
        "workers": np.int64(1),
        "pack_size": np.int16(2),
        "retries": np.uint8(1),
        "pack_timeout": np.float64(60),
        "gpus_per_worker": np.float16(1),
    }
    one = xortune.search("smoke", name="one", results=tmp_path, runner="inline", **plain, **options)
    two = xortune.search("smoke", name="two", results=tmp_path, runner="inline", **numpys)
    assert one.settings == two.settings
    assert json.dumps(one.settings.to_dict()) == json.dumps(two.settings.to_dict())
    grown = xortune.resume(two.paths.folder, trials=np.int64(4), runner="inline", force=np.True_)
    assert (grown.settings.trials, grown.provenance.forced) == (4, True)
    assert xortune.load(two.paths.folder).settings == grown.settings
    with pytest.raises(UsageError, match="trials 3: study two has 4 trials already"):
        xortune.resume(two.paths.folder, trials=np.int64(3), runner="inline")


def test_the_public_face_is_listed(study):
    script = "import xortune; print(*dir(xortune))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    listed = [name for name in done.stdout.split() if not name.startswith("_")]
    assert listed == ["Problem", "Pruned", "Split", "Study", "errors", "load", "resume", "search"]
    assert dir(xortune) == done.stdout.split()


def test_a_best_trial_shows_the_digits_of_its_loss(tmp_path):
    study = xortune.search(
        "default", name="d", results=tmp_path, trials=12, runner="inline", generation=12
    )
    loss = float(study.best["final_loss"])
    assert loss < 1e-4
    assert repr(loss) in str(study.best)
    assert repr(study.best) == str(study.best)
    assert repr(loss) in str(study.best[["final_loss", "lr"]])
    assert study.best["final_loss"] == study.trials["final_loss"].min()


def test_a_study_says_what_it_is(study, tmp_path):
    loss = float(study.best["final_loss"])
    assert repr(study) == (
        f"Study({str(study.paths.folder)!r}: 8 of 8 trials finished, best mse {loss:.3g})"
    )
    gone = xortune.search("smoke", name="g", results=tmp_path, trials=1, runner="inline")
    gone.paths.ledger.unlink()
    assert repr(gone) == f"Study({str(gone.paths.folder)!r})"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda results: xortune.search(trials=0, results=results), "trials 0: must be"),
        (lambda results: xortune.search(name="a/b", results=results), "name 'a/b': a study's"),
        (lambda results: xortune.search(name=5, results=results), "name 5: a study's name"),
        (lambda results: xortune.search(engine="x", results=results), "engine 'x': must be"),
        (lambda results: xortune.search(log_every=0, results=results), "log_every 0: must be"),
        (lambda results: xortune.search(results=results / "f" / "g"), "results .*: nothing can be"),
        (lambda results: xortune.load("x", results), "use results for another folder"),
        (lambda results: xortune.search(exist_ok=True, results=results), "exist_ok: .* with name"),
    ],
)
def test_messages_name_settings_as_python_does(tmp_path, call, words):
    (tmp_path / "f").touch()
    with pytest.raises(UsageError, match=words) as caught:
        call(tmp_path)
    assert "--" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_an_interruption_says_how_to_resume(tmp_path):
    with pytest.raises(Interrupted) as caught:
        xortune.search(
            "smoke", name="i", results=tmp_path, trials=20, generation=1, runner="inline",
            on_progress=lambda progress: progress.done and signal.raise_signal(signal.SIGINT),
        )  # fmt: skip
    folder = tmp_path / "i"
    assert str(caught.value) == (
        "stopped by signal 2; the finished trials of study i are kept. "
        f"Resume it with: xortune.resume({str(folder)!r})"
    )
    assert eval(str(caught.value).rpartition(": ")[2].replace(")", ", runner='inline')"))


EXISTING = {"trials": 8, "runner": "inline", "name": "s", "exist_ok": True}


def test_exist_ok_returns_a_finished_study_as_it_is(study, caplog):
    before = {path: path.stat().st_mtime_ns for path in study.paths.folder.rglob("*")}
    again = xortune.search("smoke", results=study.paths.folder.parent, **EXISTING)
    assert again.trials.equals(study.trials)
    assert {path: path.stat().st_mtime_ns for path in study.paths.folder.rglob("*")} == before
    assert caplog.messages == ["study s is finished already: there was nothing to do."]


def test_exist_ok_resumes_an_unfinished_study(study, tmp_path):
    stop = {"on_progress": lambda progress: progress.done and signal.raise_signal(signal.SIGINT)}
    with pytest.raises(Interrupted):
        xortune.search("smoke", results=tmp_path, pack_size=2, **stop, **EXISTING)
    assert "WAITING" in set(xortune.load("s", tmp_path).trials["state"])
    again = xortune.search("smoke", results=tmp_path, **EXISTING)
    different = ["duration_s", "worker"]
    assert again.trials.drop(columns=different).equals(study.trials.drop(columns=different))


def test_exist_ok_makes_a_study_that_does_not_exist(tmp_path):
    assert len(xortune.search("smoke", results=tmp_path, **EXISTING).trials) == 8


@pytest.mark.parametrize(
    ("space", "settings", "words"),
    [
        ("smoke", {"trials": 9}, "trials is 8 there and 9 here"),
        ("smoke", {"metric": "bce"}, "objective is mse:min there and bce:min here"),
        ("smoke", {"study_seed": 1}, "study_seed is 0 there and 1 here"),
        ("smoke", {"generation": 3}, "generation is 10 there and 3 here"),
        ("smoke", {"device": "both"}, "device is 'cpu' there and 'both' here"),
        ("default", {}, "the search space is another"),
        ("smoke", {"sampler": "random", "data": "lab"}, "sampler is .*; data is 'xor' there"),
    ],
)
def test_exist_ok_names_the_settings_that_differ(study, space, settings, words):
    before = study.paths.ledger.read_bytes()
    with pytest.raises(UsageError, match=f"name 's': .* with other settings: .*{words}"):
        xortune.search(space, results=study.paths.folder.parent, **{**EXISTING, **settings})
    assert study.paths.ledger.read_bytes() == before


def test_searches_without_a_name_get_names_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(searches, "default_name", lambda spec: "xor-20260101-000000")
    made = [xortune.search("smoke", trials=1, runner="inline", results=tmp_path) for _ in range(3)]
    assert [study.name.removeprefix("xor-20260101-000000") for study in made] == ["", "-2", "-3"]


CREATE = """
import sys
from contextlib import nullcontext
from pathlib import Path
from xortune.interrupt import StopSignal
from xortune.paths import numbered
from xortune.studies.beginning import created
from tests.make import make_provenance, make_settings

print("ready", flush=True)
sys.stdin.readline()
recorded = make_settings(), make_provenance()
for _ in range(20):
    paths, ledger = created(Path(sys.argv[1]), numbered("one"), *recorded, StopSignal())
    ledger.close()
    print(paths.name)
"""


def test_the_names_of_searches_at_once_are_their_own(tmp_path):
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", CREATE, str(tmp_path / "results")]
    children = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(3)]
    assert [child.stdout.readline() for child in children] == ["ready\n"] * 3
    for child in children:
        child.stdin.write("\n")
        child.stdin.flush()
    names = [name for child in children for name in child.communicate()[0].split()]
    assert len(names) == len(set(names)) == 60
    for name in names:
        with Ledger.read(StudyPaths(tmp_path / "results" / name)) as ledger:
            assert len(ledger.trials()) == 0


def test_a_folder_that_another_search_has_just_made_is_left_alone(tmp_path, monkeypatch):
    make = Path.mkdir

    def late(path: Path, *args, **named) -> None:
        make(path, *args, **named)
        (path / "study.db").write_text("another's")
        monkeypatch.undo()
        make(path, *args, **named)

    monkeypatch.setattr(Path, "mkdir", late)
    paths = StudyPaths(tmp_path / "one")
    with pytest.raises(StudyExistsError, match="Choose another name or results"):
        Ledger.create(paths, make_settings(), make_provenance())
    assert paths.ledger.read_text() == "another's"


def test_a_study_is_read_wherever_the_current_folder_is(study, tmp_path, monkeypatch):
    monkeypatch.chdir(study.paths.folder.parent)
    relative = xortune.load(study.name, results=".")
    monkeypatch.chdir(tmp_path)
    assert len(relative.trials) == len(study.trials)
    assert relative.runs() == study.runs()


@pytest.mark.parametrize(
    "inputs", [["a", "b"], 0, [[0, 1], [1, 1]], [math.nan, 1], [0], [0, 1, 1]], ids=str
)
def test_a_row_that_the_model_cannot_take_is_refused(study, inputs):
    with pytest.raises(UsageError, match="the model takes 2 inputs, all of them finite"):
        study.predict(0, inputs)


def test_errors_are_at_hand():
    assert issubclass(xortune.errors.UsageError, Exception)


@pytest.mark.parametrize("force", ["no", 2, None])
def test_force_is_true_or_false(study, force):
    with pytest.raises(UsageError, match="force .*: must be True or False"):
        xortune.resume(study.paths.folder, force=force)


def test_a_finished_study_gets_its_tables_back_with_exist_ok(tmp_path):
    asked = {"trials": 2, "runner": "inline", "results": tmp_path, "name": "s"}
    study = xortune.search("smoke", **asked)
    before = study.paths.trials_csv.read_text()
    study.paths.trials_csv.unlink()
    again = xortune.search("smoke", exist_ok=True, **asked)
    assert again.paths.trials_csv.read_text() == before


def test_faults_of_space_and_settings_are_listed_together():
    with pytest.raises(UsageError) as caught:
        xortune.search("nosuch", trials=0, workers=-1, engine="fast")
    for words in ("no search space 'nosuch'", "trials 0", "workers -1", "engine 'fast'"):
        assert words in str(caught.value)


def test_a_parquet_file_says_where_it_comes_from(study):
    metadata = pyarrow.parquet.read_schema(study.paths.trials_parquet).metadata
    origin = json.loads(metadata[b"xortune"])
    recorded = {**study.settings.to_dict(), **study.provenance.to_dict(), "metric": "mse"}
    expected = {"study": "s", **json.loads(json.dumps(recorded)), "xortune": xortune.__version__}
    assert origin == expected
    assert origin["space"].keys() == {"lr", "epochs", "seed", "loss_fn"}
    read = pd.read_parquet(study.paths.trials_parquet)
    assert read.attrs == expected
    pd.testing.assert_frame_equal(read, study.trials, check_exact=True)


def test_a_parquet_file_has_the_same_bytes_again(study):
    before = study.paths.trials_parquet.read_bytes()
    study.paths.trials_parquet.unlink()
    xortune.resume(study.paths.folder, runner="inline")
    assert study.paths.trials_parquet.read_bytes() == before


def test_optuna_gets_every_trial(study):
    optuna_study = study.optuna()
    assert [trial.number for trial in optuna_study.trials] == list(range(8))
    assert all(trial.state == TrialState.COMPLETE for trial in optuna_study.trials)
    assert optuna_study.best_trial.number == study.best["number"]
    assert optuna_study.best_value == study.best["final_loss"]
    for trial in optuna_study.trials:
        curve = study.curves(trial.number).set_index("epoch")["validation"]
        assert trial.intermediate_values == dict(curve)
        row = study.trials.set_index("number").loc[trial.number]
        assert trial.params == {name: row[name] for name in study.space.spec.names}
        assert trial.duration.total_seconds() == pytest.approx(row["duration_s"], abs=1e-6)


def test_a_misspelt_setting(tmp_path):
    with pytest.raises(UsageError, match="unknown setting 'trails'. Did you mean 'trials'"):
        xortune.search("smoke", trails=3, results=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_parameter_that_is_no_setting(tmp_path):
    with pytest.raises(
        UsageError, match=r"unknown setting 'lr'. To fix a parameter: narrow={'lr': "
    ):
        xortune.search("smoke", lr=0.1, results=tmp_path)


@pytest.mark.parametrize("value", [3, None, b"results"])
def test_what_is_no_path_is_refused(value):
    for call in (
        lambda: xortune.search("smoke", results=value),
        lambda: xortune.resume(value),
        lambda: xortune.load(value),
        lambda: xortune.load("one", results=value),
    ):
        with pytest.raises(UsageError, match="expected the path of a folder"):
            call()


def test_an_unfinished_study_shows_its_total(study):
    summary = {**study.summary(), "states": {"COMPLETE": 5, "WAITING": 3}}
    first = summary_lines("s", summary, 20)[0]
    assert first == "study s: 5 of 20 trials finished (5 COMPLETE, 3 WAITING)"


def test_what_a_space_leaves_out_is_said(tmp_path, caplog):
    xortune.search({"epochs": {"value": 10}}, trials=1, runner="inline", name="x", results=tmp_path)
    assert "the default is used for lr 0.1, seed 42, loss_fn mse" in caplog.text


def test_resuming_a_finished_study_changes_nothing(study, caplog):
    before = study.trials
    assert xortune.resume(study.paths.folder, runner="inline").trials.equals(before)
    assert caplog.messages == ["study s is finished already: there was nothing to do."]


def test_an_object_follows_a_resume_of_its_study(tmp_path):
    study = xortune.search("smoke", trials=4, name="two", results=tmp_path, runner="inline")
    xortune.resume("two", results=tmp_path, trials=6, runner="inline", confirm="none")
    assert study.settings.trials == 6
    assert study.settings.confirm == ()
    assert study.is_finished
    assert "6 of 6 trials finished" in study._repr_html_()
    assert study.described()["trials"] == 6


def test_a_larger_total_is_recorded(tmp_path):
    study = xortune.search("smoke", trials=2, runner="inline", name="x", results=tmp_path)
    grown = xortune.resume(study.paths.folder, trials=5, runner="inline")
    assert grown.settings.trials == 5
    assert len(grown.trials) == 5


def test_printed_commands_can_be_pasted(tmp_path, capsys):
    results = tmp_path / "with a space"
    assert main(["search", "smoke", "--trials=2", "--runner=inline", f"--results={results}"]) == 0
    commands = re.findall(r"python -m xortune .*", capsys.readouterr().out)
    assert len(commands) == 4
    for command in commands:
        assert parse(shlex.split(command)[3:]).study == str(next(results.iterdir()))


def test_a_path_with_a_nul_byte_is_refused(tmp_path):
    with pytest.raises(UsageError, match="results .*expected the path of a folder"):
        xortune.search("smoke", results=f"{tmp_path}/x\0")
