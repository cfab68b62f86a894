"""--engine: what it makes of a study, with a compiler and without one."""

import json
import shutil
import sqlite3
from contextlib import closing

import pytest
from pandas.testing import assert_frame_equal

import xortune
from tests.cli.commands import call, contents, run
from tests.make import COMPILED, EAGER
from xortune.report import UNREPEATABLE

SEARCH = ("search", "smoke", "--runner", "inline", "--trials", "3", "--name", "one")
RESUME = ("resume", "one", "--runner", "inline")


@pytest.fixture(scope="module")
def caches(tmp_path_factory):
    """A folder of caches of this file alone."""
    return tmp_path_factory.mktemp("caches")


@pytest.fixture(autouse=True)
def place(tmp_path, caches, monkeypatch):
    """The folder that commands run in, with the cache elsewhere."""
    folder = tmp_path / "place"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(caches))
    return folder


@pytest.fixture
def compiler():
    if not any(map(shutil.which, ("cc", "gcc", "clang"))):
        pytest.skip("there is no C compiler")


@pytest.fixture
def no_compiler(monkeypatch):
    """To be asked for when the search has been."""

    def take_away():
        monkeypatch.setenv("CC", "missing-cc")

    return take_away


def dump() -> list[str]:
    """All that the ledger of the study holds."""
    with closing(sqlite3.connect("results/one/study.db")) as connection:
        return list(connection.iterdump())


def answer(study) -> object:
    return study.trials.drop(columns=list(UNREPEATABLE))


@pytest.mark.parametrize(
    ("wanted", "recorded"),
    [
        (["--engine", "eager"], EAGER),
        (["--engine", "compiled"], COMPILED),
        (["--engine", "auto"], COMPILED),
        ([], COMPILED),
    ],
    ids=str,
)
def test_the_engine_is_recorded(capsys, caplog, compiler, wanted, recorded) -> None:
    assert call(capsys, *SEARCH, *wanted).code == 0
    assert xortune.load("one").provenance.engine == recorded
    report = call(capsys, "report", "one", "--format", "json")
    assert json.loads(report.out)["study"]["engine"] == recorded
    assert caplog.messages == []


def test_the_engines_answer_alike_but_not_to_the_bit(capsys, compiler) -> None:
    tables = []
    for engine in ("eager", "compiled"):
        assert call(capsys, *SEARCH[:-1], engine, "--engine", engine).code == 0
        tables.append(answer(xortune.load(engine)).sort_values("number", ignore_index=True))
    given = ["number", "lr", "epochs", "seed", "loss_fn"]
    assert_frame_equal(tables[0][given], tables[1][given], check_exact=True)
    assert_frame_equal(tables[0], tables[1], rtol=1e-3)
    assert not tables[0].equals(tables[1])


def test_without_a_compiler_auto_is_eager_and_the_reason_is_logged(no_compiler) -> None:
    no_compiler()
    done = run(*SEARCH)
    assert done.code == 0
    assert done.out.startswith("study one: 3 trials (3 COMPLETE)\n")
    said = [line for line in done.err.splitlines() if "/3 trials" not in line]
    assert said == [
        "xortune: training with PyTorch's own kernels, which is slower: "
        "no C compiler was found (CC=missing-cc)."
    ]
    assert xortune.load("one").provenance.engine == EAGER


def test_quiet_hides_the_reason_for_the_eager_engine(capsys, no_compiler) -> None:
    no_compiler()
    assert "no C compiler was found" in call(capsys, *SEARCH[:-1], "told").err
    assert call(capsys, *SEARCH, "-q") == (0, "", "")
    assert xortune.load("one").provenance.engine == EAGER


def test_without_a_compiler_eager_logs_nothing(capsys, caplog, no_compiler) -> None:
    no_compiler()
    assert call(capsys, *SEARCH, "--engine", "eager").code == 0
    assert caplog.messages == []


def test_compiled_without_a_compiler_is_refused(no_compiler, place, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    no_compiler()
    assert run(*SEARCH, "--engine", "compiled") == (
        2,
        "",
        "xortune: --engine compiled: no C compiler was found (CC=missing-cc). Use --engine auto.\n",
    )
    assert contents(place) == {}
    assert not (tmp_path / "caches").exists()


def test_resume_of_a_compiled_study_needs_a_compiler(capsys, compiler, no_compiler, place) -> None:
    assert call(capsys, *SEARCH, "--engine", "compiled").code == 0
    no_compiler()
    ledger, files = dump(), contents(place)
    done = call(capsys, *RESUME, "--trials", "9")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "xortune: study one began with the engine compiled-2: no C compiler was found "
        "(CC=missing-cc). Resume it where there is a C compiler (gcc or clang), with "
        "--device cpu.\n"
    )
    assert dump() == ledger
    database = place / "results" / "one" / "study.db"
    assert {**contents(place), database: b""} == {**files, database: b""}


def test_a_finished_compiled_study_needs_no_compiler(capsys, caplog, compiler, no_compiler) -> None:
    assert call(capsys, *SEARCH, "--engine", "compiled").code == 0
    before = answer(xortune.load("one"))
    no_compiler()
    assert call(capsys, *RESUME).code == 0
    assert_frame_equal(answer(xortune.load("one")), before, check_exact=True)
    assert caplog.messages == ["study one is finished already: there was nothing to do."]


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_a_resumed_study_keeps_its_engine(capsys, caplog, compiler, engine) -> None:
    fixed = ("--engine", engine, "--sampler", "random")
    assert call(capsys, *SEARCH, *fixed).code == 0
    assert call(capsys, *RESUME, "--trials", "8").code == 0
    assert xortune.load("one").provenance.engine == {"eager": EAGER, "compiled": COMPILED}[engine]
    assert call(capsys, *SEARCH[:4], "--trials", "8", "--name", "whole", *fixed).code == 0
    resumed, whole = (answer(xortune.load(name)) for name in ("one", "whole"))
    assert_frame_equal(resumed, whole, check_exact=True)
    assert caplog.messages == []


def test_the_engine_is_not_for_resume(capsys, place) -> None:
    done = call(capsys, *RESUME, "--engine", "eager")
    assert done.code == 2
    assert "--engine" in done.err
