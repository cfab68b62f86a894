"""A search in a real Jupyter kernel shows one line of progress, which is redrawn."""

import re
import subprocess
import sys

import pytest
from jupyter_client.manager import start_new_kernel

BEGIN = "import xortune\nfrom xortune.errors import XortuneError\n"
SEARCH = "study = xortune.search('smoke', trials=6, generation=2, name='{}', runner='{}')"
LONG = "xortune.search('smoke', trials=5000, generation=1, name='{}', runner='inline')"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of a notebook."""
    return tmp_path_factory.mktemp("notebook")


@pytest.fixture(scope="module")
def kernel(folder):
    """The kernel of a notebook, which has imported xortune."""
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(folder))
    try:
        assert run((manager, client), BEGIN)[0]["status"] == "ok"
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def run(kernel, code, at=None, act=None):
    """The reply to a cell, and what it sent: pairs of a message's type and its content.

    Args:
        kernel: of a notebook.
        code: the cell.
        at: text of a message, at the first of which `act` is called.
        act: takes no arguments.
    """
    _, client = kernel
    cell = client.execute(code)
    sent = []
    while ("status", {"execution_state": "idle"}) not in sent:
        message = client.get_iopub_msg(timeout=100)
        if message["parent_header"].get("msg_id") != cell:
            continue
        sent.append((message["msg_type"], message["content"]))
        if at is not None and at in str(message["content"]):
            at = None
            act()
    # On a slow machine, answers to the questions of the start may still come first.
    reply = client.get_shell_msg(timeout=100)
    while reply["parent_header"].get("msg_id") != cell:
        reply = client.get_shell_msg(timeout=100)
    return reply["content"], [pair for pair in sent if pair[0] not in ("status", "execute_input")]


def lines(sent):
    """The texts that took the place of each other below the cell."""
    kinds = [kind for kind, _ in sent if kind != "error"]
    assert kinds == ["display_data"] + ["update_display_data"] * (len(kinds) - 1), sent
    shown = [content for kind, content in sent if kind != "error"]
    assert len({content["transient"]["display_id"] for content in shown}) == 1
    assert {tuple(content["data"]) for content in shown} == {("text/plain",)}
    texts = [content["data"]["text/plain"] for content in shown]
    assert [text for text in texts if not text.isprintable()] == []
    return texts


def test_a_search_shows_one_line(kernel):
    reply, sent = run(kernel, SEARCH.format("one", "inline"))
    assert reply["status"] == "ok"
    texts = lines(sent)
    assert texts[0] == "starting workers"
    assert re.fullmatch(r"6/6 trials  best [\d.e-]+", texts[-1])


@pytest.mark.long
def test_a_search_on_ray_shows_the_same(kernel):
    reply, sent = run(kernel, SEARCH.format("ray", "ray"))
    assert reply["status"] == "ok"
    assert re.fullmatch(r"6/6 trials  best [\d.e-]+", lines(sent)[-1])


def test_a_resume_shows_one_line(kernel):
    run(kernel, SEARCH.format("again", "inline"))
    _, sent = run(kernel, "study = xortune.resume('again', trials=8, runner='inline')")
    assert re.fullmatch(r"8/8 trials  best [\d.e-]+", lines(sent)[-1])


def test_an_interrupt_leaves_the_line_and_the_kernel_tidy(kernel):
    reply, sent = run(kernel, LONG.format("cut"), "/5000 trials", kernel[0].interrupt_kernel)
    assert (reply["status"], reply["ename"]) == ("error", "Interrupted")
    assert re.fullmatch(r"\d+/5000 trials( +best [\d.e-]+)?  stopped", lines(sent)[-1])
    reply, sent = run(kernel, SEARCH.format("after", "inline"))
    assert reply["status"] == "ok"
    assert lines(sent)[-1].startswith("6/6 trials")


def test_a_failure_is_said_in_the_line(kernel, folder):
    def remove():
        (folder / "results" / "lost").rename(folder / "elsewhere")

    reply, sent = run(kernel, LONG.format("lost"), "/5000 trials", remove)
    assert (reply["status"], reply["ename"]) == ("error", "XortuneError")
    assert re.fullmatch(r"\d+/5000 trials( +best [\d.e-]+)?  failed", lines(sent)[-1])


def test_bad_input_shows_no_line(kernel):
    reply, sent = run(kernel, "xortune.search('smoke', trials=0)")
    assert (reply["status"], reply["ename"]) == ("error", "UsageError")
    assert [kind for kind, _ in sent] == ["error"]


def test_who_watches_sees_it_alone(kernel):
    code = "seen = []\n" + SEARCH.format("watched", "inline").replace(
        "name=", "on_progress=seen.append, name="
    )
    reply, sent = run(kernel, code)
    assert (reply["status"], sent) == ("ok", [])
    assert run(kernel, "assert seen[-1].done == 6")[0]["status"] == "ok"


NET = """
import torch
from torch import nn

GAIN = 2.0

class Net(nn.Module):
    def __init__(self, inputs, outputs, width):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, width), nn.Tanh(), nn.Linear(width, outputs))

    def forward(self, x):
        return GAIN * self.layers(x)

def data():
    x = torch.linspace(-1, 1, 40)[:, None]
    return xortune.Split(x[::2], x[::2] ** 2, x[1::2], x[1::2] ** 2)

space = {"width": {"min": 3, "max": 9}, "epochs": {"value": 3}}
problem = xortune.Problem(model=Net, data=data, loss="mse", space=space)
study = xortune.search(problem=problem, trials=4, name="net", runner="inline", confirm="none")
"""


def test_a_module_of_a_cell_is_searched_and_resumed_until_the_cell_changes(kernel):
    reply, sent = run(kernel, NET)
    assert reply["status"] == "ok", reply
    assert lines(sent)[-1].startswith("4/4 trials")
    resume = "study = xortune.resume('net', problem=problem, trials=6, runner='inline')"
    reply, sent = run(kernel, resume)
    assert reply["status"] == "ok", reply
    assert lines(sent)[-1].startswith("6/6 trials")
    for old, new in (("nn.Tanh()", "nn.ReLU()"), ("GAIN = 2.0", "GAIN = 3.0")):
        changed = NET.replace(old, new).replace("study = xortune.search", "dict")
        assert run(kernel, changed)[0]["status"] == "ok"
        reply, _ = run(kernel, resume.replace("6", "8"))
        assert reply["ename"] == "UsageError"
        assert "has another text than when the study began" in reply["evalue"]


SCRIPT = f"import sys\n{BEGIN}{SEARCH.format('script', 'inline')}\n"


def test_a_script_prints_nothing_and_imports_no_ipython(tmp_path):
    code = f"{SCRIPT}assert 'IPython' not in sys.modules"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_ipython_on_a_terminal_shows_nothing(tmp_path):
    command = [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
