"""Names of studies, and finding them again."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xortune.errors import UsageError
from xortune.paths import StudyPaths, check_writable, find_study, new_study

_SIGNS = "abzABZ019._-"


def make_study(results: Path, name: str) -> Path:
    folder = results / name
    folder.mkdir(parents=True)
    (folder / "study.db").touch()
    return folder


def test_every_name_lies_under_the_study() -> None:
    paths = StudyPaths(Path("results/one"))
    assert paths.name == "one"
    assert paths.ledger == Path("results/one/study.db")
    assert paths.trials_csv == Path("results/one/trials.csv")
    assert paths.trials_parquet == Path("results/one/trials.parquet")
    assert paths.run(42) == Path("results/one/tensorboard/trial-00042")
    assert paths.run(1_234_567) == Path("results/one/tensorboard/trial-1234567")
    assert paths.lock.parent == paths.folder


def test_a_study_named_from_inside_its_folder(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(make_study(tmp_path, "one"))
    assert find_study(".", Path("results")).name == "one"


@pytest.mark.parametrize("name", ["a", "xor-20260101-120000", "a.b_c-D", "0", "x" * 100])
def test_a_plain_name_is_taken_and_nothing_is_made(tmp_path, name) -> None:
    assert new_study(tmp_path, name).folder == tmp_path / name
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "a/b",
        "/a",
        "a\\b",
        "-a",
        ".a",
        "_a",
        "a b",
        "a\n",
        "a\0",
        "é",
        "x" * 101,
        5,
        None,
    ],
)
def test_another_name_is_refused_with_the_rule(tmp_path, name) -> None:
    with pytest.raises(UsageError) as caught:
        new_study(tmp_path, name)
    text = str(caught.value)
    assert f"name {name!r}" in text
    assert "letters, digits" in text
    assert "Use results to choose the folder" in text


@given(st.text(alphabet=_SIGNS + "/\\ \n\0é", max_size=8))
def test_a_name_that_is_taken_is_one_folder_in_the_results(name) -> None:
    results = Path("/nowhere/results")
    try:
        folder = new_study(results, name).folder
    except UsageError:
        return
    assert folder.resolve().parent == results
    assert folder.name == name


def test_the_name_of_a_study_is_not_taken_twice(tmp_path) -> None:
    folder = make_study(tmp_path, "one")
    with pytest.raises(UsageError) as caught:
        new_study(tmp_path, "one")
    assert f"{folder} exists already" in str(caught.value)
    assert f"xortune.resume({str(folder)!r})" in str(caught.value)


def test_the_name_of_a_folder_that_is_no_study_is_not_taken(tmp_path) -> None:
    (tmp_path / "one").mkdir()
    with pytest.raises(UsageError, match=r"exists already\. Choose another name\.$"):
        new_study(tmp_path, "one")


def test_a_study_is_found_by_name_and_by_folder(tmp_path) -> None:
    folder = make_study(tmp_path, "one")
    assert find_study("one", tmp_path).folder == folder
    assert find_study(folder, Path("elsewhere")).folder == folder
    assert find_study(f"{folder}/", Path("elsewhere")).folder == folder


def test_a_folder_comes_before_a_name(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_study(tmp_path, "one")
    make_study(tmp_path / "results", "one")
    assert find_study("one", Path("results")).folder == Path("one")


def test_a_study_that_is_not_there_names_the_others(tmp_path) -> None:
    make_study(tmp_path, "two")
    make_study(tmp_path, "one")
    (tmp_path / "no-study").mkdir()
    with pytest.raises(UsageError) as caught:
        find_study("three", tmp_path)
    assert "no study 'three'" in str(caught.value)
    assert str(tmp_path / "three") in str(caught.value)
    assert str(caught.value).endswith(f"Studies in {tmp_path}: one, two.")


@pytest.mark.parametrize("content", [(), ("notes.txt",), (".lock", "notes.txt")])
def test_a_folder_without_a_studys_first_files_is_not_a_study(tmp_path, content) -> None:
    (tmp_path / "mine").mkdir()
    for name in content:
        (tmp_path / "mine" / name).touch()
    with pytest.raises(UsageError, match=f"{tmp_path / 'mine'} does not hold a study.db"):
        find_study(tmp_path / "mine", Path("results"))


def test_a_folder_with_a_studys_first_files_was_never_started(tmp_path) -> None:
    (tmp_path / ".lock").touch()
    with pytest.raises(UsageError, match="was never started"):
        find_study(tmp_path, Path("results"))


def test_of_many_studies_ten_are_named(tmp_path) -> None:
    for number in range(11):
        make_study(tmp_path, f"study-{number:02}")
    with pytest.raises(UsageError, match=r"study-09, \.\.\.") as caught:
        find_study("three", tmp_path)
    assert "study-10" not in str(caught.value)


@pytest.mark.parametrize("kind", ["missing", "file", "empty"])
def test_results_without_studies_are_said_to_be_so(tmp_path, kind) -> None:
    results = tmp_path / "results"
    if kind == "file":
        results.touch()
    if kind == "empty":
        results.mkdir()
    with pytest.raises(UsageError, match=f"There are no studies in {results} yet"):
        find_study("one", results)


def test_a_study_name_beyond_what_the_file_system_takes(tmp_path) -> None:
    with pytest.raises(UsageError, match="no study"):
        find_study("n" * 5000, tmp_path)


def test_a_folder_that_can_be_made_is_not_made(tmp_path) -> None:
    check_writable(tmp_path / "a" / "b")
    check_writable(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", ["", "a", "a/b"])
def test_results_in_a_file(tmp_path, below) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UsageError) as caught:
        check_writable(file / below)
    assert f"results {file / below}: nothing can be written in {file}: " in str(caught.value)
