"""`dashboard` and `export` as commands."""

from __future__ import annotations

import json
import re
import signal
import socket
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.cli.commands import call, contents
from tests.dashboard.studies import mixed_study
from tests.faults.terminals import CTRL_C, Terminal

ADDRESS = r"http://127\.0\.0\.1:\d+/dashboard"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("folder")
    mixed_study(folder / "results" / "one")
    mixed_study(folder / "results" / "two")
    return folder


def names(terminal: Terminal) -> list[str]:
    """The studies that a dashboard on a terminal shows."""
    terminal.wait_for(ADDRESS)
    terminal.wait_for("Ctrl-C ends it")
    (address,) = re.findall(ADDRESS, terminal.screen)
    with urllib.request.urlopen(address.replace("/dashboard", "/api/studies")) as answer:
        return [study["study_name"] for study in json.load(answer)["study_summaries"]]


def test_ctrl_c_ends_a_dashboard_of_every_study(folder):
    before = contents(folder)
    with Terminal(["dashboard", "--port", "0"], folder) as terminal:
        assert names(terminal) == ["one", "two"]
        terminal.type(CTRL_C)
        assert terminal.end() == 130
        assert terminal.screen.endswith("xortune: stopped\r\n")
        assert "Traceback" not in terminal.screen
    assert contents(folder) == before


@pytest.mark.long
def test_a_signal_ends_a_dashboard_of_one_study(folder):
    with Terminal(["dashboard", "results/two", "--port", "0"], folder) as terminal:
        assert names(terminal) == ["two"]
        terminal.send(signal.SIGTERM)
        assert terminal.end() == 143


def test_a_port_that_is_taken(folder, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = call(capsys, "dashboard", "--results", folder / "results", "--port", port)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        f"xortune: --port {port}: 127.0.0.1 cannot be listened on: Address already in use. "
        "Choose another --port; 0 takes a free one.\n"
    )


@pytest.mark.parametrize("host", ["no such host", "", "a" * 64 + ".example", "\0"])
def test_a_host_that_is_no_address_of_this_machine(folder, capsys, host):
    answer = call(capsys, "dashboard", "--results", folder / "results", "--host", host)
    assert answer.code == 2
    assert "is not an address of this machine. Use --host 127.0.0.1." in answer.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["three"], "no study 'three'"),
        (["--results", "nowhere"], "--results nowhere: there is no such folder."),
        (["--port", "65536"], "must be a whole number from 0 to 65535"),
    ],
)
def test_what_cannot_be_served(folder, capsys, monkeypatch, words, message):
    monkeypatch.chdir(folder)
    answer = call(capsys, "dashboard", *words)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err


def test_the_missing_extra_is_named(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna_dashboard", None)
    answer = call(capsys, "dashboard", "--results", folder / "results")
    assert answer.code == 2
    assert answer.err == (
        "xortune: the dashboard needs optuna-dashboard. Install it with: "
        "pip install 'xortune[dashboard]'\n"
    )


@pytest.mark.parametrize(
    ("name", "address"), [("a b.log", "'a b.log'"), ("one.db", "sqlite:///one.db")]
)
def test_an_export_says_how_to_browse_it(folder, capsys, monkeypatch, tmp_path, name, address):
    monkeypatch.chdir(tmp_path)
    answer = call(capsys, "export", "one", "--results", folder / "results", "--to", "optuna", name)
    assert answer == (
        0, "", f"xortune: 8 trials written. Browse them with: optuna-dashboard {address}\n",
    )  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_export_replaces_a_file_if_it_is_told_to(folder, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("one.log").write_text("mine")
    words = ("export", "one", "--results", folder / "results", "--to", "optuna", "one.log")
    refusal = "one.log: exists already. Choose another name, or replace it with --force."
    assert call(capsys, *words) == (2, "", f"xortune: {refusal}\n")
    assert call(capsys, *words, "--force").code == 0
    assert Path("one.log").read_text() != "mine"


def test_an_export_names_its_tool(folder, capsys, tmp_path):
    words = ("export", "one", "--results", folder / "results")
    answer = call(capsys, *words, tmp_path / "one.log")
    assert (answer.code, "--to" in answer.err) == (2, True)
    answer = call(capsys, *words, "--to", "wandb", tmp_path / "one.log")
    assert (answer.code, "optuna" in answer.err) == (2, True)
