"""The graphs of a study's modules: one for each structure, and the process left alone."""

import logging
import random

import numpy as np
import pytest
import torch
from torch import nn

from tests.declared_modules import data, made, problem_of
from xortune.problems.module.problem import RecordedModule

FORWARDS = []  # a mark for each


class Net(nn.Module):
    def __init__(self, inputs, outputs, width, rate, shortcut):
        super().__init__()
        self.hidden, self.answers = nn.Linear(inputs, width), nn.Linear(width, outputs)
        self.rate, self.shortcut = rate, shortcut

    def forward(self, x):
        FORWARDS.append(1)
        print("forward")
        np.random.rand(), random.random(), torch.rand(1)
        hidden = torch.tanh(self.hidden(x))
        if self.shortcut:
            hidden = hidden + torch.sin(hidden)
        return self.answers(nn.functional.dropout(hidden, self.rate, self.training))


def net(
    inputs: int, outputs: int, width: int = 4, rate: float = 0.5, shortcut: bool = False,
    fails: bool = False,
) -> nn.Module:  # fmt: skip
    if fails:
        raise ValueError("no such net")
    return Net(inputs, outputs, width, rate, shortcut)


SPACE = {
    "width": {"values": [3, 5]},
    "rate": {"min": 0.0, "max": 0.5},
    "shortcut": {"values": [True, False]},
    "fails": {"values": [False, True]},
}


@pytest.fixture
def problem():
    FORWARDS.clear()
    return problem_of(made(model=net, space=SPACE))


def graph(problem, **values):
    usual = {"shortcut": False, "fails": False}
    return problem.graph(problem.spec.assignment({**usual, **values}))


def test_a_structure_is_recorded_once(problem):
    first = graph(problem, width=3, rate=0.1)
    count = len(FORWARDS)
    assert graph(problem, width=3, rate=0.1, lr=0.5, epochs=2) is first
    assert graph(problem, width=3, rate=0.2) is first
    assert len(FORWARDS) == count > 0
    other, longer = graph(problem, width=5), graph(problem, width=3, shortcut=True)
    assert [node.name for node in other] == [node.name for node in first]
    assert [node.shape for node in other] != [node.shape for node in first]
    assert "Net/sin" in {node.name for node in longer} - {node.name for node in first}


def test_a_graph_leaves_no_trace_in_the_process(problem, capsys):
    torch.manual_seed(7)
    torch.set_num_threads(2)
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    assert graph(problem)
    after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    assert after == before
    assert torch.get_num_threads() == 2
    assert capsys.readouterr() == ("", "")


def test_a_module_that_cannot_be_recorded_has_none_which_is_said_once(problem, caplog):
    caplog.set_level(logging.INFO)
    assert graph(problem, fails=True) == ()
    assert graph(problem, fails=True, width=5) == ()
    (said,) = caplog.messages
    assert said.startswith("TensorBoard gets no graph of the module: ValueError: no such net")
    assert graph(problem) != ()


def test_a_study_without_the_code_has_no_graph(problem):
    recorded = RecordedModule(problem.spec)
    assert recorded.graph(problem.spec.assignment({})) == ()


def test_rows_of_the_data_are_asked_and_not_made_up(problem):
    (first,) = [node for node in graph(problem) if node.name == "input/x"]
    assert first.shape == (-1, *data().x.shape[1:])
