"""`best`: a trial and what it has learned."""

import json
import re
import shlex

import pytest

import xortune
from tests.cli.commands import call
from tests.documents.data import write_wines
from tests.make import make_outcome, make_provenance, make_settings, make_trial
from xortune.escaping import shell_word
from xortune.ledger import Ledger
from xortune.paths import StudyPaths
from xortune.studies.trained import trained_of
from xortune.trial import FinishedTrial


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """Studies of a table and of a function."""
    folder = tmp_path_factory.mktemp("others")
    write_wines(folder)
    space = {"epochs": {"value": 2}, "width": {"value": 32}, "lr": {"min": 0.001, "max": 0.01}}
    xortune.search(space, data=folder / "wine.csv", target="quality", trials=2, name="wine",
                   results=folder, confirm="none")  # fmt: skip
    file = folder / "hill.py"
    file.write_text(
        "import xortune\n"
        "def train(config, report):\n"
        "    for step in range(4):\n"
        "        report(step, loss=(config['x'] - 1) ** 2 / (step + 1))\n"
        "problem = xortune.Problem(train, space={'x': {'min': -2.0, 'max': 2.0}})\n"
    )
    xortune.search(problem=file, trials=3, name="hill", results=folder, runner="inline")
    return folder


def test_the_best_trial_has_its_parameters_metrics_weights_and_truth_table(capsys, study):
    loaded = xortune.load(study)
    best, model = loaded.best, loaded.model(loaded.best_number)
    out = call(capsys, "best", study).out
    assert out.startswith(f"study one, trial {best['number']}: rank 1 of 8, COMPLETE")
    assert f"epochs {best['epochs']}, seed {best['seed']}, loss_fn {best['loss_fn']}" in out
    assert f"final_loss (mse) {best['final_loss']:.3e}" in out
    assert f"accuracy {best['accuracy']:.0%}" in out
    numbers = [f"{n:.4g}" for p in model.state_dict().values() for n in p.flatten().tolist()]
    weights = out[out.index("fc1.weight") : out.index("x0")]
    assert re.findall(r"(?<= )-?[\d.]+(?:e-?\d+)?", weights) == numbers
    truth = [line.split() for line in out[out.index("x0") :].splitlines()[1:5]]
    for x0, x1, target, answer in truth:
        assert int(target) == int(x0) ^ int(x1)
        assert float(answer) == pytest.approx(loaded.predict(inputs=[int(x0), int(x1)]), abs=6e-5)
    assert [line for line in out.splitlines()[:-1] if len(line) > 80] == []


def test_the_best_epoch_is_named_where_a_trial_has_one(capsys, others, study):
    words = "the metrics and the weights are those of the best epoch, {}\n"
    best = xortune.load(others / "wine").best["best_epoch"]
    assert words.format(best) in call(capsys, "best", others / "wine").out
    for other in (study, others / "hill"):
        assert "best epoch" not in call(capsys, "best", other).out


def test_the_command_that_predicts_asks_this_trial(capsys, study):
    for words in ([], ["--trial", "3"]):
        out = call(capsys, "best", study, *words).out
        command = out.splitlines()[-1].removeprefix("predict: python -m xortune ")
        assert command.startswith(f"predict {shell_word(str(study))} 0 1")
        answer = call(capsys, *shlex.split(command))
        number = 3 if words else xortune.load(study).best_number
        assert float(answer.out) == float(f"{xortune.load(study).predict(number, [0, 1]):.6g}")


def test_the_trial_to_use_is_named_as_in_a_report(capsys, study):
    loaded = xortune.load(study)
    report, number = call(capsys, "report", study).out, loaded.recommended_number
    line = next(line for line in report.splitlines() if line.startswith("use trial "))
    other = next(n for n in range(8) if n != number)
    assert line in call(capsys, "best", study, "--trial", other).out.splitlines()
    itself = call(capsys, "best", study, "--trial", number).out
    assert itself.splitlines()[0].endswith(", COMPLETE, the trial to use")
    assert line not in itself
    assert f"mean mse {loaded.recommended['mse']:.3g}, std " in itself


def test_json_has_everything_in_full(capsys, study):
    loaded = xortune.load(study)
    content = json.loads(call(capsys, "best", study, "--trial", 2, "--format", "json").out)
    assert content["trial"]["number"] == 2
    state = loaded.model(2).state_dict()
    assert content["weights"] == {name: values.tolist() for name, values in state.items()}
    assert content["curve"]["training"] == loaded.curves(2)["training"].tolist()
    assert [row["answer"] for row in content["examples"]] == [
        loaded.predict(2, row["inputs"]) for row in content["examples"]
    ]
    assert content["recommended"] == loaded.summary()["recommended"]


def test_a_larger_network_has_shapes_and_norms_and_a_table_its_test_scores(capsys, others):
    study = xortune.load(others / "wine")
    out = call(capsys, "best", study.paths.folder).out
    for name, values in study.model(study.best_number).state_dict().items():
        shape = " x ".join(map(str, values.shape))
        assert re.search(rf"^{name} +{shape}, norm {float(values.norm()):.4g}, from ", out, re.M)
    test = study.summary()["test"]
    assert f"trial {test['number']}" in out
    assert re.search(rf"^  test +{test['scores']['mse']:.4g} ", out, re.MULTILINE)
    assert out.splitlines()[-1].endswith(f"predict {study.paths.folder} --data NEW.csv")
    assert [line for line in out.splitlines()[:-1] if len(line) > 80] == []


def test_a_function_has_what_it_reported(capsys, others):
    study = xortune.load(others / "hill")
    out = call(capsys, "best", others / "hill").out
    curve = study.curves(study.best_number)
    first, last = curve["loss"].iloc[[0, -1]]
    assert f"{first:.3g} at {curve['epoch'].iloc[0]}, {last:.3g} at " in out
    assert "predict" not in out
    assert trained_of(study, 0).arrays == ()


def test_a_trial_that_failed_has_its_error_and_no_weights(capsys, tmp_path):
    paths, trials = StudyPaths(tmp_path / "one"), [*map(make_trial, range(2))]
    with Ledger.create(paths, make_settings(trials=2), make_provenance()) as ledger:
        ledger.add_trials(trials)
        ledger.finish_trials([FinishedTrial(trial, make_outcome("FAIL")) for trial in trials])
    out = call(capsys, "best", tmp_path / "one", "--trial", 1).out
    assert out.startswith("study one, trial 1: no rank, FAIL\n")
    assert "\n  error: loss is not finite" in out
    assert "fc1" not in out
    refused = call(capsys, "best", tmp_path / "one")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == "xortune: study one has no complete trial, so no best one.\n"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--trial", "8"], "study one has no trial 8; its trials: 0 to 7."),
        (["--trial", "-1"], "study one has no trial -1"),
        (["--trial", "x"], "invalid int value: 'x'"),
        (["--format", "csv"], "invalid choice: 'csv'"),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else "",
)
def test_bad_options_are_refused(capsys, study, options, text):
    answer = call(capsys, "best", study, *options)
    assert (answer.code, answer.out) == (2, "")
    assert text in answer.err
