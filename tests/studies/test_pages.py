"""`Study.html`: what it writes of every kind of study, and what it refuses to replace."""

import json
import re
import shutil
import signal

import pytest

import xortune
from tests.documents.data import write_wines
from tests.documents.markdown import ROOT
from xortune.errors import Interrupted, UsageError
from xortune.studies.reproduction import confirm_command

SPACE = {"lr": {"values": [0.5, 5.0]}, "epochs": {"min": 20, "max": 40}}
HOW = {"runner": "inline", "confirm": False}
WINE_SPACE = {"epochs": {"value": 3}, "lr": {"min": 0.001, "max": 0.01}}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    return xortune.search(SPACE, trials=6, name="one", results=results, **HOW)


@pytest.fixture(scope="module")
def wines(tmp_path_factory):
    """The table, and a study of it."""
    folder = tmp_path_factory.mktemp("wines")
    write_wines(folder)
    data = folder / "wine.csv"
    return data, xortune.search(
        WINE_SPACE, data=data, target="quality", trials=3, name="wine", results=folder, **HOW
    )


def text_of(page):
    """The words of a page, without scripts and styles."""
    page = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def figure_of(page, name):
    found = re.search(rf'id="plot-{name}-figure">(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1])


def test_a_page_is_written_into_the_study_and_replaced(study):
    assert study.html() == study.paths.report
    first = study.paths.report.read_text()
    study.html()
    assert study.paths.report.read_text() == first
    assert "All 6 trials are complete." in text_of(first)
    assert f"python -m xortune resume {study.paths.folder} --trials 12" in text_of(first)
    left = {path.name for path in study.paths.folder.iterdir()} - {".lock"}
    assert left == {"study.db", "trials.csv", "trials.parquet", "tensorboard", "report.html"}


def test_the_trained_network_and_its_answers_are_drawn(study):
    page = study.html().read_text()
    assert page.count('role="img" class="xortune-drawing-auto"') == 2
    weights = study.model(study.best_number).state_dict()["fc2.weight"].flatten().tolist()
    drawing = page.partition('id="model"')[2].replace("\N{MINUS SIGN}", "-")
    assert all(f"{weight:.4g}" in drawing for weight in weights)


@pytest.mark.parametrize("name", ["trials.csv", "study.db", "other.html", "tensorboard/x.html"])
def test_a_study_keeps_its_own_files(name, study):
    with pytest.raises(UsageError, match="the study keeps its own files there. Choose another"):
        study.html(study.paths.folder / name, force=True)


def test_another_file_is_replaced_by_force_alone(study, tmp_path):
    file = tmp_path / "mine.html"
    file.write_text("<p>Mine, and about xortune report.</p>")
    with pytest.raises(UsageError) as refused:
        study.html(file)
    assert str(refused.value) == (
        f"html {file}: exists, and is not a report of xortune. Choose another file, or replace it, "
        "with force=True."
    )
    assert file.read_text() == "<p>Mine, and about xortune report.</p>"
    assert study.html(file, force=True) == file
    assert study.html(file) == file


@pytest.mark.parametrize(
    ("file", "fault"),
    [
        (".", "is a folder. Name a file."),
        ("no/such/place.html", "cannot be written: No such file or directory. Choose another"),
        ("a" * 300, "cannot be written: File name too long. Choose another"),
        ("a\0b", "cannot be written: embedded null byte. Choose another"),
        ("", "expected the path of a file."),
        (3, "html 3: expected the path of a file."),
    ],
)
def test_a_file_that_cannot_be_written_is_said_to_be_so(file, fault, study, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=re.escape(fault)):
        study.html(file)
    assert [*tmp_path.iterdir()] == []


def test_a_link_is_not_followed(study, tmp_path):
    link = tmp_path / "link.html"
    link.symlink_to(tmp_path / "target.html")
    with pytest.raises(UsageError, match="is not a regular file"):
        study.html(link)


def test_a_page_written_during_a_search_is_a_snapshot(tmp_path):
    pages = []

    def write(progress):
        if progress.done and not pages:
            pages.append(xortune.load("one", tmp_path).html().read_text())

    study = xortune.search(
        SPACE, trials=8, generation=4, pack_size=2, name="one", results=tmp_path,
        on_progress=write, **HOW,
    )  # fmt: skip
    assert "A snapshot." in text_of(pages[0])
    assert "python -m xortune resume" not in text_of(pages[0])
    assert "--confirm K:S" not in text_of(pages[0])
    assert re.search(r"\d of 8 trials are finished", text_of(pages[0]))
    assert "A snapshot." not in text_of(study.html().read_text())


def test_a_study_without_a_complete_trial(tmp_path):
    with pytest.raises(Interrupted):
        xortune.search(
            SPACE, trials=4, name="one", results=tmp_path,
            on_progress=lambda progress: signal.raise_signal(signal.SIGINT), **HOW,
        )  # fmt: skip
    study = xortune.load("one", tmp_path)
    assert not study.has_complete_trial
    said = text_of(study.html().read_text())
    assert "No trial is complete There is nothing to recommend yet." in said
    assert "0 of 4 trials are finished." in said
    assert f"python -m xortune resume {study.paths.folder}" in said


def test_the_confirmation_that_is_advised_takes_a_share_of_the_work_of_the_search(study):
    trials = study.trials
    for seconds, wanted in ((1e-6, "6:256"), (0.01, "5:3"), (1000.0, None)):
        command = confirm_command(study, trials.assign(duration_s=seconds))
        counts = command and command.rpartition(" --confirm ")[2]
        assert counts == wanted
    said = text_of(study.html().read_text())
    assert str(confirm_command(study, trials)) in said


def test_a_study_of_a_function(tmp_path):
    shutil.copy(ROOT / "search_spaces/rosenbrock.py", tmp_path)
    study = xortune.search(
        problem=tmp_path / "rosenbrock.py", trials=3, name="hill", results=tmp_path, **HOW
    )
    page = study.html().read_text()
    assert "What the model learned" not in text_of(page)
    assert "All 3 trials are complete." in text_of(page)
    assert "--confirm K:S" in text_of(page)
    assert "32:256" not in page
    with pytest.raises(UsageError, match="data: study hill searches .*, which needs none"):
        study.html(data=tmp_path / "rosenbrock.py")


def test_a_table_shows_the_test_rows_when_its_data_is_named_again(wines):
    data, study = wines
    said = text_of(study.html().read_text())
    assert f"python -m xortune report {study.paths.folder} --html --data wine.csv" in said
    page = study.html(data=data).read_text()
    _, dots = figure_of(page, "predictions")["data"]
    answers = study.predict(study.best_number, data)["prediction"].tolist()
    truths = [float(line.rpartition(",")[2]) for line in data.read_text().splitlines()[1:]]
    rows = {(f"{truth:.5g}", f"{answer:.5g}") for truth, answer in zip(truths, answers)}
    shown = [(f"{x:.5g}", f"{y:.5g}") for x, y in zip(dots["x"], dots["y"])]
    assert len(shown) == 30
    assert set(shown) <= rows


def test_classes_have_a_matrix_of_how_often_which_is_taken_for_which(wines):
    data, _ = wines
    study = xortune.search(
        WINE_SPACE, data=data, target="grape", trials=2, name="grape", results=data.parent, **HOW
    )
    (cells,) = figure_of(study.html(data=data).read_text(), "predictions")["data"]
    assert cells["x"] == cells["y"] == ["gamay", "merlot", "riesling"]
    assert sum(map(sum, cells["z"])) == 30
    right = sum(cells["z"][place][place] for place in range(3))
    assert right / 30 == pytest.approx(study.summary()["test"]["scores"]["accuracy"])


def test_another_table_is_not_taken_for_the_studys(wines, tmp_path):
    data, study = wines
    other = tmp_path / "wine.csv"
    other.write_text(data.read_text().replace("9.0", "9.1", 1))
    with pytest.raises(UsageError, match="is not the data of study wine"):
        study.html(tmp_path / "page.html", data=other)
    assert not (tmp_path / "page.html").exists()


def test_the_test_rows_are_kept_for_the_end_of_a_search(wines, tmp_path):
    data, _ = wines
    with pytest.raises(Interrupted):
        xortune.search(
            WINE_SPACE, data=data, target="quality", trials=4, generation=2, name="cut",
            results=tmp_path, on_progress=lambda p: p.done and signal.raise_signal(signal.SIGINT),
            **HOW,
        )  # fmt: skip
    study = xortune.load("cut", tmp_path)
    assert "The test rows are kept for the end of the search" in text_of(study.html().read_text())
    with pytest.raises(UsageError, match="has not ended, and its test rows are kept for the end"):
        study.html(data=data)
