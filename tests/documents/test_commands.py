"""What the documents tell people to type works, and prints what they say."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import xortune
from tests.cli.commands import COMMANDS, call
from tests.documents.data import write_wines
from tests.documents.markdown import GUIDES, README, ROOT, SPACES, STUDIES, blocks, read, tracked
from xortune.cli.arguments import parse

# What is not run here, and why.
NOT_RUN = {
    r"pip install|\.ci/run": ".ci/run makes an environment and runs its commands there",
    r"python -m pytest": "this suite would run itself",
    r"python -m tests\.hosts": "it needs root, and three minutes",
    r"python -m tests\.benchmarks$": "it needs half an hour, and a machine at rest",
    r"python -m tests\.reference": "it takes minutes, and needs a Chromium",
    r"umask|scp|export RAY|ray start|ssh": "several hosts: python -m tests.hosts starts them",
    r"python -m xortune (tensorboard|dashboard)": "it serves until it is stopped",
    r"(JOB=\$\()?python -m xortune (submit|wait|fetch)": "it needs a cluster: see the last test",
}
STARTS_RAY = re.compile("--runner ray|--workers|--address")
# The commands on top of the files of spaces and functions.
SHIPPED = {
    name: re.findall(r"^#   (python -m xortune .*)", read(name), re.MULTILINE)
    for name in tracked("search_spaces/*.yaml", "search_spaces/*.py")
}
SLOW = ("search_spaces/sklearn_forest.py",)
EVERYTHING = "\n".join(read(name) for name in (*GUIDES, *SHIPPED))
XORTUNE = sorted(set(re.findall(r"python -m xortune [a-z]+[^`\n#)&]*", EVERYTHING)))


def reason(command):
    """Why a command is not run here; None if it is."""
    return next((why for what, why in NOT_RUN.items() if re.match(what, command)), None)


def run(command, capsys):
    """Runs a command in the current folder, which must end well."""
    words = shlex.split(command)
    if words[:3] == ["python", "-m", "xortune"]:
        answer = call(capsys, *words[3:])
        assert answer.code == 0, f"{command}: {answer.err}"
        return answer.err + answer.out
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def run_blocks(name, capsys, with_ray):
    """Runs a document from top to bottom in the current folder, as a reader would.

    A block that begins with the name of a file, in a comment, is that file. Returns what the
    commands printed.
    """
    write_wines(Path())
    scope, printed = {}, []
    for block in blocks(name):
        if file := re.match(r"# ([\w./]+\.(?:py|yaml))\n", block.text):
            Path(file[1]).parent.mkdir(exist_ok=True)
            Path(file[1]).write_text(block.text)
        elif block.language == "python":
            exec(block.text, scope)
        elif block.language == "sh":
            for command in block.commands:
                if reason(command) is None and (with_ray or not STARTS_RAY.search(command)):
                    printed += run(command, capsys).splitlines()
    return printed


@pytest.mark.parametrize("name", GUIDES)
def test_a_document_can_be_followed_from_top_to_bottom(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("search_spaces").symlink_to(ROOT / "search_spaces")
    printed = set(without_numbers(run_blocks(name, capsys, with_ray=False)))
    # The first block needs a terminal, and has a test of its own; the last is the tree of files.
    shown = [block.text.splitlines() for block in blocks(README, "text")[1:-1]]
    for lines in shown if name == README else []:
        assert set(without_numbers(lines)) - printed == {"..."}


@pytest.mark.long
@pytest.mark.parametrize("name", GUIDES)
def test_a_document_can_be_followed_with_ray(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("search_spaces").symlink_to(ROOT / "search_spaces")
    run_blocks(name, capsys, with_ray=True)


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.long) if n in SLOW else n for n in SHIPPED],
)
def test_the_commands_on_top_of_a_file_run(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_wines(tmp_path)
    Path("search_spaces").symlink_to(ROOT / "search_spaces")
    assert SHIPPED[name]
    for command in SHIPPED[name]:
        run(command, capsys)


def test_a_block_is_a_command_an_example_a_file_or_text():
    languages = {block.language for name in GUIDES for block in blocks(name)}
    assert languages == {"sh", "python", "yaml", "text"}


@pytest.mark.parametrize("what", NOT_RUN)
def test_every_reason_not_to_run_a_command_is_needed(what):
    commands = [c for name in GUIDES for block in blocks(name, "sh") for c in block.commands]
    assert any(re.match(what, command) for command in commands)


def test_every_command_is_shown():
    assert {command.split()[3] for command in XORTUNE} == set(COMMANDS)


@pytest.mark.parametrize("command", XORTUNE)
def test_every_command_parses(command):
    words = shlex.split(re.sub(r"\[[A-Z]+\]", "default", command))
    assert parse(words[3:]).command in COMMANDS


def without_numbers(lines):
    """Lines as they are whatever the numbers in them; columns as far apart as their headings."""
    return [re.sub(r"[\d.,:e-]*\d[\d.,:e-]*", "#", " ".join(line.split())) for line in lines]


def test_the_first_screen_is_what_the_first_command_prints(tmp_path):
    (first, *_), shown = blocks(README, "sh")[0].commands, blocks(README, "text")[0].text
    words = shlex.split(first.partition("&& ")[2])
    done = subprocess.run(
        [sys.executable, *words[1:]],
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
    )
    said = next(line for line in done.stderr.splitlines() if line.startswith("xortune: "))
    printed = [line for line in (said, *done.stdout.splitlines()) if line.strip()]
    expected = [line for line in shown.splitlines() if line.strip()]
    # A terminal breaks the first line in two.
    expected[:2] = [" ".join(expected[:2])]
    cut = expected.index("  ...")
    assert without_numbers(printed[:cut]) == without_numbers(expected[:cut])
    after = len(expected) - cut - 1
    assert without_numbers(printed[-after:]) == without_numbers(expected[-after:])


def test_the_table_on_the_first_screen_ranks_the_trials_of_the_first_command(tmp_path):
    study = xortune.search(trials=50, name="first", results=tmp_path, runner="inline")
    shown = re.findall(r"^ +\d+ +(\d+) +[\d.]+ +(\d+) +(\d+) +\w+ +([\d.e-]+)", read(README), re.M)
    assert len(shown) == 3
    for (number, epochs, seed, loss), row in zip(shown, study.trials.itertuples()):
        assert (int(number), int(epochs), int(seed)) == (row.number, row.epochs, row.seed)
        # Another kind of CPU sums in another order; at a large lr that shows in some percent.
        assert float(loss) == pytest.approx(row.final_loss, rel=0.1)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The study that the documents' command for the lab makes."""
    assert "python -m xortune search lab --data lab --trials 4\n" in read(SPACES)
    results = tmp_path_factory.mktemp("results")
    return xortune.search("lab", data="lab", trials=4, runner="inline", results=results, name="l")


def test_the_command_for_the_lab_reproduces_its_runs(lab, lab_table):
    runs = lab.trials.query("seed == 42 and loss_fn == 'mse'").set_index(["lr", "epochs"])
    assert {(0.01, 100_000), (0.1, 10_000)} < set(runs.index)
    number = int(runs.loc[(0.1, 10_000), "number"])
    curve = lab.curves(number).set_index("epoch")["training"]
    for epoch, loss in lab_table.items():
        assert curve[epoch] == pytest.approx(loss, rel=0.0025)


def test_the_lab_always_succeeds_and_true_xor_does_not(lab, tmp_path):
    assert lab.trials["solved"].all()
    space = {"lr": {"value": 1.0}, "epochs": {"value": 5000}, "seed": {"min": 0, "max": 9}}
    found = {
        data: xortune.search(space, data=data, trials=10, results=tmp_path, name=data)
        for data in ("lab", "xor")
    }
    assert found["lab"].trials["solved"].all()
    assert not found["xor"].trials["solved"].all()


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:ssl=None is deprecated:DeprecationWarning")
def test_the_commands_for_jobs_work_on_a_cluster(tmp_path):
    from tests.cluster.jobs.test_jobs import TOKEN, running_cluster

    commands = [c for c in blocks(README, "sh")[-1].commands if c.startswith("python -m xortune")]
    scripts = [b for b in blocks(STUDIES, "sh") if b.text.startswith("JOB=")]
    assert len(commands) == 3
    assert len(scripts) == 1
    with running_cluster() as cluster:
        environment = {key: v for key, v in os.environ.items() if not key.startswith("RAY_")}
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment |= {"RAY_API_SERVER_ADDRESS": cluster.address, "RAY_AUTH_TOKEN": TOKEN}

        def bash(script):
            words = ["bash", "-euo", "pipefail", "-c", script]
            done = subprocess.run(
                words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            return done.stdout.strip()

        submit, *others = commands
        job = bash(submit)
        for command in others:
            bash(command.replace("JOB", job))
        bash(scripts[0].text)
    studies = [xortune.load(folder) for folder in (tmp_path / "results").iterdir()]
    assert [len(study.trials) for study in studies] == [1000, 1000]
