"""A module's file that has been renamed or changed since its study began."""

import io

import numpy as np
import pandas as pd
import pytest
import torch
from pandas.testing import assert_frame_equal

import xortune
from tests.cli.commands import call, contents
from tests.declared_modules import MOONS
from tests.small_study import answer
from tests.studies.test_recorded_look import pretend
from xortune.errors import UsageError, XortuneError

SETTINGS = {"name": "one", "trials": 4, "confirm": "none", "runner": "inline"}
ROUNDS = "a processor trains that rounds differently"


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "moons.py"
    file.write_text(MOONS)
    return file


@pytest.fixture
def study(file, tmp_path):
    return xortune.search(problem=file, results=tmp_path, engine="stacked", **SETTINGS)


@pytest.fixture
def rows(tmp_path):
    np.save(tmp_path / "rows.npy", np.array([[0.5, 0.25], [1.0, -1.0]], np.float32))
    return tmp_path / "rows.npy"


def test_another_text_is_no_other_kind_of_processor(study, file, caplog):
    before = study.provenance.reference
    file.write_text(MOONS.replace("(act", "(nn.Identity(), act").replace(", act,", ", act, act,"))
    forced = xortune.resume(study.paths.folder, problem=file, trials=6, force=True)
    assert ROUNDS not in caplog.text
    assert forced.provenance.reference.keys() == before.keys()
    assert forced.provenance.reference != before
    assert forced.provenance.other_references == {}
    assert "weakened" not in forced.summary()
    # The next one is compared with the new reference.
    again = xortune.resume(study.paths.folder, problem=file, trials=8)
    assert again.provenance.reference == forced.provenance.reference
    assert again.provenance.other_references == {}


@pytest.mark.parametrize(
    ("recorded", "another_processor"),
    [
        ({}, True),
        ({"padding": (1, 1)}, False),
        ({"versions": {"torch": "1.0"}}, False),
        ({"engine": "stacked-0"}, False),
    ],
)
def test_references_are_compared_where_nothing_but_the_processor_may_differ(
    study, file, recorded, another_processor
):
    pretend(study, reference={"cpu": "0" * 32}, **recorded)
    forced = xortune.resume(study.paths.folder, problem=file, trials=6, force=True)
    assert ("cpu" in forced.provenance.other_references) is another_processor
    assert (forced.provenance.reference["cpu"] == "0" * 32) is another_processor


def test_a_renamed_file_is_the_same_problem(study, file, rows, tmp_path, capsys):
    undisturbed = xortune.search(
        problem=file, results=tmp_path / "whole", engine="stacked", **{**SETTINGS, "trials": 8}
    )
    renamed = file.rename(tmp_path / "other-name.py")
    folder = study.paths.folder
    asked = call(capsys, "predict", folder, "--data", rows, "--problem", renamed)
    assert (asked.code, asked.err) == (0, "")
    xortune.resume(folder, problem=renamed, trials=6)
    forced = xortune.resume(folder, problem=renamed, trials=8, force=True)
    assert forced.trials["rank"].notna().all()
    assert forced.settings.spec == undisturbed.settings.spec
    assert forced.provenance.other_references == {}
    assert_frame_equal(answer(forced), answer(undisturbed), check_exact=True)
    again = xortune.search(
        problem=renamed, results=tmp_path, exist_ok=True, engine="stacked",
        **{**SETTINGS, "trials": 8},
    )  # fmt: skip
    assert len(again.trials) == 8
    other = xortune.search(
        problem=renamed, results=tmp_path, engine="stacked",
        **{**SETTINGS, "name": "two"},
    )  # fmt: skip
    compared = call(capsys, "compare", folder, other.paths.folder)
    assert compared.code == 0
    assert "cannot be compared" not in compared.out + compared.err


def test_another_problem_of_the_same_file_is_another(file, tmp_path):
    file.write_text(f"{MOONS}\n\nsecond = xortune.Problem(\n    model=model,{_DECLARED}")
    study = xortune.search(problem=f"{file}:problem", results=tmp_path, **SETTINGS)
    with pytest.raises(UsageError, match=r"'second' is named, and the study began with 'problem'"):
        xortune.resume(study.paths.folder, problem=f"{file}:second", trials=6)
    forced = xortune.resume(study.paths.folder, problem=f"{file}:second", trials=6, force=True)
    assert forced.trials["rank"].notna().sum() == 2


_DECLARED = MOONS.partition("    model=model,")[2]


def test_a_changed_module_is_asked_by_force_with_a_warning(study, file, rows, capsys, tmp_path):
    folder, before = study.paths.folder, contents(study.paths.folder)
    command = ("predict", folder, "--data", rows, "--problem", file)
    expected = call(capsys, *command)
    file.write_text(f"{MOONS}# changed\n")
    refused = call(capsys, *command)
    assert (refused.code, refused.out) == (2, "")
    assert "'moons.py' has another text than when the study began. Restore it, or use --force:" in (
        refused.err
    )
    assert "rank" not in refused.err
    forced = call(capsys, *command, "--force")
    assert (forced.code, forced.out) == (0, expected.out)
    assert "study one: 'moons.py' has another text than when the study began" in forced.err
    assert len(pd.read_csv(io.StringIO(forced.out))) == 2
    onnx = ("export-model", folder, tmp_path / "one.onnx", "--problem", file)
    refused = call(capsys, *onnx)
    assert refused.code == 2
    assert "or use --force" in refused.err
    assert not (tmp_path / "one.onnx").exists()
    forced = call(capsys, *onnx, "--force")
    assert forced.code == 0
    assert "has another text" in forced.err
    assert (tmp_path / "one.onnx").exists()
    assert contents(folder) == before


def test_python_asks_a_changed_module_by_force(study, file, caplog):
    number, x = study.best_number, torch.zeros(3, 2)
    expected = study.model(number, problem=file)(x)
    # Metrics and names say nothing of the answers of a model.
    file.write_text(MOONS.replace("accuracy", "share").replace("def data", "# rows\ndef data"))
    with pytest.raises(UsageError, match="Restore it, or use force=True"):
        study.model(number, problem=file)
    assert torch.equal(study.model(number, problem=file, force=True)(x), expected)
    assert "Its trained weights are used in the module as it is now" in caplog.text
    assert len(study.predict(number, x.numpy(), problem=file, force=True)) == 3
    with pytest.raises(UsageError, match="force"):
        study.model(number, problem=file, force="yes")


def test_weights_that_do_not_fit_a_changed_module_are_refused(study, file):
    file.write_text(MOONS.replace("nn.Linear(width, outputs))", "nn.Linear(width, outputs + 1))"))
    with pytest.raises(XortuneError, match="the trained weights are those of another module"):
        study.model(study.best_number, problem=file, force=True)


def test_luck_is_of_the_module_that_the_study_began_with(study, file):
    file.write_text(f"{MOONS}# changed\n")
    with pytest.raises(
        UsageError, match=r"has another text than when the study began\. Resto"
    ) as e:
        study.luck(0, 2, problem=file)
    assert "force" not in str(e.value)


def test_other_rows_are_no_hindrance_by_force(file, tmp_path, caplog):
    np.save(tmp_path / "angles.npy", np.linspace(0, np.pi, 60))
    loaded = f'torch.tensor(np.load("{tmp_path}/angles.npy"), dtype=torch.float32)'
    text = MOONS.replace("torch.linspace(0, torch.pi, 60)", loaded)
    file.write_text(text.replace("import torch\n", "import numpy as np\nimport torch\n", 1))
    study = xortune.search(problem=file, results=tmp_path, **SETTINGS)
    x = np.zeros((1, 2), np.float32)
    expected = study.predict(0, x, problem=file)
    np.save(tmp_path / "angles.npy", np.linspace(0, 3, 60))
    with pytest.raises(UsageError, match=r"data returns other rows .* use force=True"):
        study.predict(0, x, problem=file)
    assert_frame_equal(study.predict(0, x, problem=file, force=True), expected)
    assert "data returns other rows than when the study began" in caplog.text


def test_trials_without_a_rank_are_said_to_be_of_earlier_code(study, file, capsys):
    file.write_text(f"{MOONS}# changed\n")
    xortune.resume(study.paths.folder, problem=file, trials=6, force=True)
    shown = call(capsys, "report", study.paths.folder).out
    assert "without a rank: 4 trained by an earlier version of the code" in shown
    for form in ("csv", "json", "markdown"):
        shown = call(capsys, "report", study.paths.folder, "--format", form).out
        assert "trained by an earlier version of the code" in shown
        assert "version of the function" not in shown
    page = study.html().read_text()
    assert "trained by an earlier version of the code" in page
    assert "version of the function" not in page
