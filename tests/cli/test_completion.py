"""Completion, asked of the shells themselves."""

import os
import shutil
import subprocess
import sys

import pexpect
import pytest

from tests.cli.commands import COMMANDS, call
from xortune.studies.problems import ENGINES

# Calls what bash calls for the Tab key, and prints what it would offer.
BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
$(complete -p xortune | sed 's/.*-F \\([^ ]*\\).*/\\1/')
printf '%s\\n' "${COMPREPLY[@]}"
"""
ZSH = (
    "autoload -Uz compinit; compinit -u -d '{0}/dump'; LISTMAX=999; "
    "eval \"$(<'{1}')\"; print re''ady"
)


@pytest.fixture
def script(capsys, tmp_path):
    """The file of a shell's script."""

    def make(shell):
        code, out, err = call(capsys, "--print-completion", shell)
        assert (code, err) == (0, "")
        file = tmp_path / f"_xortune.{shell}"
        file.write_text(out)
        return file

    return make


@pytest.fixture
def bash(script, tmp_path):
    file = script("bash")
    folder = tmp_path / "here"
    folder.mkdir()

    def offered(*words):
        done = subprocess.run(
            ["bash", "--norc", "-c", BASH, "bash", file, "xortune", *words],
            cwd=folder, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return {word.strip() for word in done.stdout.split("\n")} - {""}

    return folder, offered


def test_bash_offers_the_listed_commands(bash) -> None:
    _, offered = bash
    assert offered("") >= set(COMMANDS)
    assert "snapshot" not in offered("")
    assert offered("s") == {word for word in COMMANDS if word.startswith("s")}


def test_bash_offers_options_and_their_choices(bash) -> None:
    _, offered = bash
    assert {"--trials", "--engine", "--quiet"} <= offered("search", "--")
    assert "--follow" not in offered("search", "--")
    assert offered("search", "--engine", "") == set(ENGINES)
    assert offered("search", "--engine", "c") == {"compiled"}


def test_bash_offers_files(bash) -> None:
    folder, offered = bash
    (folder / "space.yaml").touch()
    (folder / "results").mkdir()
    assert {"space.yaml", "results"} <= {word.rstrip("/") for word in offered("search", "")}
    assert offered("report", "results", "--output", "sp") == {"space.yaml"}
    assert {word.rstrip("/") for word in offered("report", "")} >= {"results"}
    assert "space.yaml" not in offered("report", "")


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh here")
@pytest.mark.parametrize(
    ("typed", "words"), [("xortune ", COMMANDS), ("xortune search --engine ", ENGINES)]
)
def test_zsh_offers_what_bash_offers(script, tmp_path, typed, words) -> None:
    environment = {**os.environ, "HOME": str(tmp_path), "TERM": "dumb", "PS1": ""}
    shell = pexpect.spawn(
        "zsh", ["-f", "-i"], env=environment, dimensions=(50, 200), encoding="utf-8", timeout=60
    )
    try:
        shell.sendline(ZSH.format(tmp_path, script("zsh")))
        shell.expect("\nready")
        shell.send(f"{typed}\t\t")
        offered = ""
        while not all(word in offered for word in words):
            offered += shell.read_nonblocking(1000)
    finally:
        shell.close(force=True)
    assert "snapshot" not in offered


def test_another_shell_is_refused() -> None:
    command = [sys.executable, "-m", "xortune", "--print-completion", "fish"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "'fish'" in done.stderr
