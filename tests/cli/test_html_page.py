"""`report --html`: its file, its words, and what does not go with it."""

import pytest

import xortune
from tests.cli.commands import call, contents


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    return xortune.search("smoke", trials=3, runner="inline", results=results, name="one")


def test_the_path_of_the_page_is_printed_alone(study, tmp_path, capsys):
    file = tmp_path / "page.html"
    answer = call(capsys, "report", study.paths.folder, "--html", file)
    assert answer == (0, f"{file}\n", "")
    assert file.read_text().startswith("<!DOCTYPE html>")
    answer = call(capsys, "report", study.paths.folder, "--html")
    assert answer == (0, f"{study.paths.report}\n", "")


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (("--format", "csv", "--top", "3"), "--top 3: is not for --html. Leave it out.\n"),
        (("--format", "csv"), "--format csv: is not for --html. Leave it out.\n"),
        (("--seeds", "9"), "--seeds 9: is not for --html. Leave it out.\n"),
        (("--problem", "x.py"), "--problem x.py: is not for --html. Leave it out.\n"),
        (("--luck", "0"), "argument --luck: not allowed with argument --html"),
        (("--data", "x.csv"), "--data: study one searches xor, which needs none. Leave it out.\n"),
    ],
)
def test_options_that_do_not_go_with_a_page(options, fault, study, tmp_path, capsys):
    before = contents(tmp_path)
    answer = call(capsys, "report", study.paths.folder, "--html", tmp_path / "x.html", *options)
    assert answer.code == 2
    assert fault in answer.err
    assert (answer.out, contents(tmp_path)) == ("", before)


def test_another_file_is_kept_and_the_option_that_replaces_it_is_named(study, tmp_path, capsys):
    file = tmp_path / "page.html"
    file.write_text("mine")
    answer = call(capsys, "report", study.paths.folder, "--html", file)
    assert answer.code == 2
    assert answer.err.endswith("Choose another file, or replace it, with --force.\n")
    assert file.read_text() == "mine"
    assert call(capsys, "report", study.paths.folder, "--html", file, "--force").code == 0


def test_force_is_for_a_page(study, capsys):
    answer = call(capsys, "report", study.paths.folder, "--force")
    assert answer == (2, "", "xortune: --force: is for --html. Leave it out.\n")
