"""Command lines of every kind: an answer or one message, and nothing written elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import xortune
from tests.cli.commands import Answer, call, contents
from tests.hostile import HOSTILE
from xortune.cli.options import FORMATS
from xortune.engines.xor.names import ENGINES
from xortune.settings import DEVICES, RunOptions
from xortune.studies import runner_choice
from xortune.tensorboard import serving

# How many cases the quick and the long part run.
QUICK, LONG = 100, 2000

HUGE = "99999999999999999999999"
WORDS = (*HOSTILE, "", " ", "-", "--", "---", "-x", "a/b", "..", "../..", "\udcff", "a\0b",
         "n" * 300, "n" * 5000, "%s", "{}", "~", "*", "=", "--trials", "-q", "one", "none",
         "smoke")  # fmt: skip
NUMBERS = ("0", "-1", "1.5", "1e3", "0x1", "\u0663", "\uff11", " 2 ", "1_0", "9" * 400, "9" * 5000,
           "nan", "inf", "-inf", "1e400", "-0", "+1", "True", "4294967296", "9223372036854775808",
           HUGE, "")  # fmt: skip
PLACES = (".", "..", "results", "results/", "results/one", "outside", "outside/deep/er", "file",
          "file/below", "../sandbox", "../sandbox/results", "loop", "loop/below", "link", "new/er",
          "", "/proc/x", "/dev/null", "/dev/full/x", "SANDBOX/else", "SANDBOX/../x\0")  # fmt: skip
SPACES = (
    "smoke",
    "lab.yaml",
    "tiny.yaml",
    "tiny.yaml/",
    "results",
    "file",
    "loop",
    "/dev/null",
    "fifo",
)
STUDIES = ("one", "results/one", "./results/one/", "SANDBOX/results/one", "results", "outside",
           "../sandbox/results/one", "none", "broken", "link/one", "one/tensorboard")  # fmt: skip
# Files that may be written, and others that may not.
DRAWINGS = ("new.svg", "outside/new.svg", "results/one/new.svg", "none/new.svg", "new.pdf")
MODELS = ("new.pt", "outside/new.pt", "results/one/new.pt", "new.h5")


def often(*usual: str) -> st.SearchStrategy[str]:
    """Mostly what makes sense, so that commands get far; else anything."""
    odd = (st.sampled_from(NUMBERS), st.sampled_from(WORDS), st.text(max_size=8))
    return st.integers(0, 5).flatmap(lambda n: st.sampled_from(usual) if n else st.one_of(odd))


def option(name: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    forms = ("joined", "joined", "apart", "apart", "apart", "alone")
    return st.tuples(st.sampled_from(forms), values).map(
        lambda drawn: {"joined": [f"{name}={drawn[1]}"], "apart": [name, drawn[1]]}.get(
            drawn[0], [name]
        )
    )


SOME_PLACE = option("--results", often(*PLACES))
# Large numbers of trials make sense, and take as long as they take.
FEW = often("1", "2", "3").filter(lambda text: not is_large(text))
RUNNING = [
    option("--workers", often(HUGE, "1", "2")),
    option("--pack-size", often(HUGE, "1", "2")),
    option("--device", often(*DEVICES[:2])),
    option("--gpus-per-worker", often("1", "0.5")),
    option("--retries", often(HUGE, "0", "1")),
    option("--address", often("auto", "127.0.0.1:1")),
    option("--tensorboard", often("all", "none", "top:2")),
    st.sampled_from([["-q"], ["--quiet"], ["-v"], ["--help"], ["--version"], ["-qv"]]),
]
OPTIONS = {
    "search": [
        option("--trials", FEW),
        option("--sampler", often("tpe", "random")),
        option("--study-seed", often(HUGE, "0", "7")),
        option("--data", often("xor", "lab")),
        option("--metric", often("mse", "bce")),
        option("--generation", often(HUGE, "1", "2")),
        option("--log-every", often(HUGE, "1", "500")),
        option("--engine", often(*ENGINES)),
        option("--name", often("two", "one", "x.y-z_0")),
        option("--set", often("lr=1.5", "seed=42", "epochs=1..9", "lr=1,2", "lr=", "loss_fn=bce")),
        SOME_PLACE,
        *RUNNING,
    ],
    "resume": [option("--trials", FEW), SOME_PLACE, *RUNNING],
    "report": [
        option("--top", often(HUGE, "1", "5")),
        option("--format", often(*FORMATS)),
        option("--output", often("out.csv", "results/out", *PLACES)),
        option("--where", often("lr > 1", "solved", "error is null", "loss_fn in ('mse')")),
        option("--sort", often("lr", "lr:desc", "number,epochs")),
        option("--columns", often("lr", "number,curve", "trials,best")),
        option("--by", often("loss_fn", "lr,solved")),
        SOME_PLACE,
    ],
    "list": [option("--format", often(*FORMATS)), SOME_PLACE],
    "best": [
        option("--trial", often(HUGE, "0", "1")),
        option("--format", often("table", "json")),
        SOME_PLACE,
    ],
    "compare": [
        option("--top", often(HUGE, "1", "5")),
        option("--format", often("table", "json")),
        SOME_PLACE,
    ],
    "predict": [option("--trial", often(HUGE, "0", "1")), st.just(["--explain"]), SOME_PLACE],
    "draw": [
        option("--trial", often(HUGE, "0", "1")),
        option("--theme", often("light", "dark", "auto")),
        st.just(["--force"]),
        SOME_PLACE,
    ],
    "export-model": [option("--trial", often(HUGE, "0", "1")), st.just(["--force"]), SOME_PLACE],
    "tensorboard": [
        option("--port", often(HUGE, "0", "6006")),
        option("--top", often(HUGE, "1")),
        SOME_PLACE,
    ],
}
FIRST = {
    "search": st.lists(often(*SPACES), max_size=1),
    "resume": st.lists(often(*STUDIES), min_size=1, max_size=1),
    "report": st.lists(often(*STUDIES), min_size=1, max_size=1),
    "list": st.just([]),
    "best": st.lists(often(*STUDIES), min_size=1, max_size=1),
    "compare": st.lists(often(*STUDIES), min_size=1, max_size=3),
    "predict": st.tuples(often(*STUDIES), often("0", "1"), often("0", "1e30")).map(list),
    "draw": st.tuples(often(*STUDIES), often(*DRAWINGS)).map(list),
    "export-model": st.tuples(often(*STUDIES), often(*MODELS)).map(list),
    "tensorboard": st.lists(often(*STUDIES), max_size=1),
}


def is_large(text: str) -> bool:
    try:
        return int(text) > 3
    except ValueError:
        return False


@st.composite
def command_lines(draw) -> list[str]:
    command = draw(st.sampled_from(list(OPTIONS)))
    parts = [draw(FIRST[command]), *draw(st.lists(st.one_of(OPTIONS[command]), max_size=4))]
    if draw(st.integers(0, 9)) == 0:
        parts.append([draw(st.sampled_from(WORDS))])
    # Small, and never on Ray; what comes last counts.
    last = {"search": ["--runner=inline"], "resume": ["--runner=inline"]}.get(command, [])
    if command == "search" and not any(w.startswith("--tr") for part in parts for w in part):
        last.append("--trials=2")
    words = [word for part in draw(st.permutations(parts)) for word in part]
    return [command, *words, *last]


_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
# How many of an event's arguments are paths.
_TOUCHING = {
    "os.mkdir": 1, "os.remove": 1, "os.rmdir": 1, "os.truncate": 1, "os.chmod": 1, "os.chown": 1,
    "os.rename": 2, "os.link": 2, "os.symlink": 2,
}  # fmt: skip


class Writes:
    """Hears of everything that this process opens for writing, makes, moves or removes."""

    def __init__(self) -> None:
        self.paths: list[str] | None = None
        sys.addaudithook(self._hear)

    @contextmanager
    def heard(self) -> Iterator[list[str]]:
        self.paths = heard = []
        try:
            yield heard
        finally:
            self.paths = None

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.paths is None:
            return
        touched: tuple[Any, ...] = ()
        if event in _TOUCHING:
            touched = arguments[: _TOUCHING[event]]
            if event in ("os.remove", "os.rmdir") and arguments[1] >= 0:  # within an open folder
                touched = (Path(f"/proc/self/fd/{arguments[1]}").readlink() / arguments[0],)
        elif event == "open" and arguments[2] & _WRITING:
            touched = arguments[:1]
        self.paths += [
            os.fsdecode(path) for path in touched if isinstance(path, (str, bytes, Path))
        ]


WRITES = Writes()


@pytest.fixture(scope="module")
def caches(tmp_path_factory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("caches")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def template(tmp_path_factory, caches) -> Path:
    """What a sandbox is a copy of: two studies, one of them broken, and things to leave alone."""
    folder = tmp_path_factory.mktemp("template")
    (folder / "tiny.yaml").write_text("parameters: {epochs: {value: 3}, lr: {min: 1, max: 2}}")
    (folder / "lab.yaml").write_text("parameters: {epochs: {value: 5}, loss_fn: {value: bce}}")
    xortune.search(
        folder / "tiny.yaml", trials=2, runner="inline", name="one", results=folder / "results"
    )
    (folder / "results" / "broken").mkdir()
    (folder / "results" / "broken" / "study.db").write_bytes(b"SQLite format 3\0" + b"x" * 1000)
    (folder / "outside").mkdir()
    (folder / "outside" / "precious").write_text("mine")
    (folder / "file").write_text("mine")
    (folder / "loop").symlink_to("loop")
    (folder / "link").symlink_to("results")
    return folder


@pytest.fixture
def sandbox(tmp_path, template, monkeypatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(serving, "serve", lambda *where: None)
    chosen_runner = runner_choice.chosen_runner

    def inline(options: RunOptions, *rest: Any) -> Any:
        assert options.runner == "inline"
        return chosen_runner(options, *rest)

    monkeypatch.setattr(runner_choice, "chosen_runner", inline)
    return tmp_path / "sandbox"


def chosen_places(argv: list[str], sandbox: Path) -> list[Path]:
    """Where the user has allowed this command to write: results folders, and files."""
    named = ["results"]
    for word, following in zip(argv, [*argv[1:], ""], strict=True):
        name, joined, value = word.partition("=")
        if name.startswith(("--r", "--o")):
            named.append(value if joined else following)
    if argv[0] in ("draw", "export-model"):
        named += [word for word in argv[1:] if Path(word).suffix in (".svg", ".pt")]
        named += [f"{Path(word).parent}/.{Path(word).name}.partial" for word in named]
    if argv[0] == "resume":
        # A study's own folder may be anywhere.
        named += [word for word in argv[1:] if "/one" in word]
    return [Path(os.path.realpath(sandbox / name)) for name in named if "\0" not in name]


def check(argv: list[str], sandbox: Path, template: Path, capsys: Any) -> None:
    argv = [word.replace("SANDBOX", str(sandbox)) for word in argv]
    shutil.rmtree(sandbox, ignore_errors=True)
    shutil.copytree(template, sandbox, symlinks=True)
    os.mkfifo(sandbox / "fifo")
    os.chdir(sandbox)
    before = everything(sandbox)
    with WRITES.heard() as heard:
        answer = call(capsys, *argv)
    check_answer(answer)
    allowed = chosen_places(argv, sandbox)
    after = everything(sandbox)
    changed = [p for p in before.keys() | after.keys() if before.get(p) != after.get(p)]
    if answer.code == 2:
        assert [p for p in changed if p.name != ".lock"] == [], (argv, answer)
    strays = [p for p in changed if not lies_in(p, allowed)]
    strays += [p for p in map(Path, heard) if not harmless(sandbox / p, sandbox, allowed)]
    assert strays == [], (argv, answer)


def everything(folder: Path) -> dict[Path, bytes | None]:
    (folder / "fifo").unlink(missing_ok=True)
    found = contents(folder)
    os.mkfifo(folder / "fifo")
    return found


def check_answer(answer: Answer) -> None:
    assert answer.code in (0, 1, 2, 130), answer
    assert "Traceback" not in answer.out + answer.err
    assert all(line.isprintable() for line in answer.err.split("\n")), answer.err
    if answer.code:
        complaints = [line for line in answer.err.split("\n") if line.startswith("xortune")]
        assert complaints, answer
        assert len(answer.err) > len("xortune: \n") + 3, answer


def lies_in(path: Path, places: list[Path]) -> bool:
    """Whether it is in a place, or one of the folders that lead to one."""
    real = Path(os.path.realpath(path))
    return any(real == p or p in real.parents or real in p.parents for p in places)


def harmless(path: Path, sandbox: Path, allowed: list[Path]) -> bool:
    """Whether it may be written: also what is tried out and removed at once."""
    if path.name.startswith(".xortune-") or "__pycache__" in path.parts:
        return True
    tools = [
        sandbox.parent / "caches",
        sandbox.parent / "tmp",
        Path("/dev/null"),
        Path("/proc/self"),
    ]
    return lies_in(path, [*allowed, *tools])


def fuzz(cases: int, sandbox: Path, template: Path, capsys: Any) -> None:
    home = Path.cwd()

    @settings(max_examples=cases, deadline=None, suppress_health_check=list(HealthCheck))
    @given(command_lines())
    @example(["tensorboard", "one", "--top=1"])
    def every(argv: list[str]) -> None:
        check(argv, sandbox, template, capsys)

    try:
        every()
    finally:
        os.chdir(home)


def test_every_command_line_has_an_answer(sandbox, template, capsys) -> None:
    fuzz(QUICK, sandbox, template, capsys)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_every_command_line_has_an_answer_long(sandbox, template, capsys) -> None:
    fuzz(LONG, sandbox, template, capsys)
