"""`compare`: studies side by side."""

import json

import pytest

import xortune
from tests.cli.commands import call


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three studies of XOR, and one of the lab's labels."""
    folder = tmp_path_factory.mktemp("studies")
    base = {"runner": "inline", "results": folder, "generation": 4}
    xortune.search("smoke", trials=8, name="a", **base)
    xortune.search("smoke", trials=12, name="b", study_seed=1, **base)
    xortune.search("smoke", trials=4, name="means", replicates=3, confirm="none", **base)
    xortune.search("smoke", data="lab", trials=4, name="lab", confirm="none", **base)
    return folder


def table(out: str, heading: str) -> dict[str, list[str]]:
    """The rows of the printed table with this heading, by their first cell."""
    lines = out.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith(f" {heading} "))
    starts = [n for n, c in enumerate(lines[at]) if c != " " and lines[at][n - 1] == " "]
    rows = {}
    for line in lines[at + 2 :]:
        if not line.strip():
            break
        cells = [line[a:b].strip() for a, b in zip(starts, [*starts[1:], None])]
        rows[cells[0]] = cells[1:]
    return rows


def test_only_settings_that_differ_are_shown(capsys, folder):
    out = call(capsys, "compare", "a", "b", "--results", folder).out
    assert out.startswith("comparable: all have the objective mse of the same problem; lower is")
    assert set(table(out, "setting")) == {"trials", "study_seed", "confirm"}
    assert table(out, "setting")["trials"] == ["8", "12"]


def test_rankings_are_those_of_the_studies(capsys, folder):
    found = table(call(capsys, "compare", "a", "b", "--results", folder, "--top", 2).out, "ranking")
    for place, name in enumerate("ab"):
        study = xortune.load(folder / name)
        trials = study.trials
        first, second = trials["mse"][:2]
        numbers = trials["number"].tolist()
        assert found["rank 1"][place] == f"{first:.3g} (no. {numbers[0]})"
        assert found["rank 2"][place] == f"{second:.3g} (no. {numbers[1]})"
        assert "rank 3" not in found
        assert found["median"][place] == f"{trials['mse'].median():.3g}"
        assert found["solved"][place].startswith(f"{trials['solved'].mean():.0%} (")
        half = trials.query(f"number < {len(trials) // 2}")["mse"].min()
        assert found["best after 50%"][place] == f"{half:.3g} (of {len(trials) // 2})"
        assert found["best after 100%"][place] == f"{first:.3g} (of {len(trials)})"
        assert found["trial to use"][place] == str(study.recommended_number)


def test_studies_of_other_problems_are_said_not_to_be_comparable_first(capsys, folder):
    out = call(capsys, "compare", "a", "lab", "--results", folder).out
    assert out.startswith("not comparable: the studies differ in data, so their objectives do not")
    assert table(out, "setting")["data"] == ["xor", "lab"]


def test_means_are_not_compared_with_single_trainings_silently(capsys, folder):
    out = call(capsys, "compare", "a", "means", "--results", folder).out
    assert "trainings per trial differ (a 1, means 3): the fewer there are" in " ".join(out.split())


def test_many_studies_fit_80_columns(capsys, folder):
    out = call(capsys, "compare", "a", "b", "means", "lab", "--results", folder).out
    assert [line for line in out.splitlines() if len(line) > 80] == []
    assert out.count(" ranking ") == 2


def test_json_has_what_is_printed(capsys, folder):
    argv = ["compare", "a", "lab", "--results", folder, "--format", "json"]
    content = json.loads(call(capsys, *argv).out)
    assert content["incomparable"] == ["data"]
    assert content["settings"]["trials"] == {"a": "8", "lab": "4"}
    first = content["studies"][0]
    study = xortune.load(folder / "a")
    assert first["best"][0] == {"number": study.best_number, "value": study.best["mse"]}
    assert first["recommended"] == study.summary()["recommended"]
    assert [part["trials"] for part in first["best_so_far"]] == [1, 2, 4, 8]


@pytest.mark.parametrize(
    ("names", "texts"),
    [
        (["a"], ["compare a: name another study, too."]),
        (["a", "a"], ["compare a: the study is named twice."]),
        (["a", "none", "nowhere"], ["no study 'none'", "no study 'nowhere'"]),
        ([], ["the following arguments are required: STUDY"]),
        (["a", "b", "--top", "0"], ["--top", "at least 1"]),
    ],
    ids=" ".join,
)  # fmt: skip
def test_bad_names_are_refused_together(capsys, folder, names, texts):
    answer = call(capsys, "compare", *names, "--results", folder)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("xortune")
    assert answer.err.count("\nxortune") == 0
    assert [text for text in texts if text not in answer.err] == []


@pytest.mark.parametrize("width", ["60", "40", "20"])
def test_a_narrow_terminal_gets_fewer_studies_beside_each_other(capsys, folder, monkeypatch, width):
    wide = call(capsys, "compare", "a", "b", "--results", folder).out
    monkeypatch.setenv("COLUMNS", width)
    narrow = call(capsys, "compare", "a", "b", "--results", folder).out
    assert "…" not in narrow
    assert narrow.count(" ranking ") == (1 if width == "60" else 2)
    assert {word for word in wide.split() if word[0].isdigit()} <= {*narrow.split()}
    assert max(map(len, narrow.splitlines())) <= max(int(width), 40)
