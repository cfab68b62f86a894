"""The graph of a module: what it calls, under the names of its submodules, with shapes."""

import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from xortune.errors import XortuneError
from xortune.problems.module.graph import MOST_NODES, graph_of


class Own(nn.Module):
    """All that a `forward` of one's own may do."""

    def __init__(self):
        super().__init__()
        self.reads = nn.GRU(3, 4, batch_first=True)
        self.shared = nn.Linear(4, 4)
        self.blocks = nn.ModuleDict({"a/b": nn.Sequential(self.shared, nn.BatchNorm1d(4))})
        self.scale = nn.Parameter(torch.ones(4))
        self.offsets = (torch.ones(4),)

    def forward(self, x):
        states, last = self.reads(x)
        hidden = F.relu(self.shared(states[:, -1]))
        hidden += self.offsets[0]
        hidden[:, 0] = last[0, :, 1]
        if hidden.sum().item() > 1e9:
            hidden = -hidden
        return self.blocks["a/b"](hidden) @ torch.diag(self.scale).T


class Loop(nn.Module):
    def forward(self, x):
        for _ in range(MOST_NODES):
            x = x * 2
        return x


def named(graph):
    return {node.name: node for node in graph}


def calls(graph):
    """Operation and shape of all nodes that are neither weights nor at the ends."""
    left_out = ("Parameter", "Buffer", "IO Node")
    return [(node.name, node.shape) for node in graph if node.op not in left_out]


def test_layers_are_calls_within_groups_from_input_to_output():
    graph = graph_of(nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1)), torch.ones(9, 2))
    first = ("input/x", "Sequential/Linear[0]/weight", "Sequential/Linear[0]/bias")
    found = named(graph)
    assert calls(graph) == [
        ("Sequential/Linear[0]/linear", (-1, 8)),
        ("Sequential/Tanh[1]/tanh", (-1, 8)),
        ("Sequential/Linear[2]/linear", (-1, 1)),
    ]
    assert found["Sequential/Linear[0]/linear"].inputs == first
    assert found["input/x"].shape == (-1, 2)
    assert found["output/output"].inputs == ("Sequential/Linear[2]/linear",)
    assert found["Sequential/Linear[0]/weight"].shape == (8, 2)


def test_a_convolution_has_images_and_dropout():
    layers = (nn.Conv2d(1, 4, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.5), nn.Linear(36, 10))
    assert calls(graph_of(nn.Sequential(*layers), torch.ones(9, 1, 8, 8))) == [
        ("Sequential/Conv2d[0]/conv2d", (-1, 4, 6, 6)),
        ("Sequential/MaxPool2d[1]/max_pool2d", (-1, 4, 3, 3)),
        ("Sequential/Flatten[2]/flatten", (-1, 36)),
        ("Sequential/Dropout[3]/dropout", (-1, 36)),
        ("Sequential/Linear[4]/linear", (-1, 10)),
    ]


def test_a_forward_of_ones_own_is_followed_whatever_it_does():
    found = named(graph_of(Own(), torch.ones(9, 5, 3)))
    assert found["Own/GRU[reads]/gru"].shape == (-1, 5, 4)
    assert found["Own/Linear[shared]/linear_1"].inputs[1:] == (
        "Own/Linear[shared]/weight", "Own/Linear[shared]/bias",
    )  # fmt: skip
    batch_norm = found["Own/ModuleDict[blocks]/Sequential[a_b]/BatchNorm1d[1]/batch_norm"]
    assert {found[name].op for name in batch_norm.inputs} == {"linear", "Parameter", "Buffer"}
    # What changes a tensor in place comes between its neighbours.
    assert found["Own/add_"].inputs == ("Own/relu", "Own/constant")
    assert found["Own/setitem"].inputs == ("Own/add_", "Own/getitem_1")
    assert found["Own/Linear[shared]/linear_1"].inputs[0] == "Own/setitem"
    assert found["Own/diag"].inputs == ("Own/scale",)
    assert found["output/output"].inputs == ("Own/matmul",)


@pytest.mark.parametrize(
    ("module", "x"),
    [
        (Own(), torch.ones(9, 5, 3)),
        (nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), torch.ones(9, 5, 4)),
        (nn.Sequential(nn.Embedding(5, 3), nn.Flatten()), torch.ones(9, 2, dtype=torch.int64)),
        (nn.Identity(), torch.ones(1, 2)),
    ],
)
def test_every_input_of_a_node_is_a_node_before_it(module, x):
    known = set()
    for node in graph_of(module, x):
        assert {*node.inputs} <= known
        assert node.name not in known
        known.add(node.name)


def test_weights_have_the_names_and_shapes_of_the_module():
    module = Own()
    found = [node for node in graph_of(module, torch.ones(9, 5, 3)) if node.op == "Parameter"]
    assert sorted(node.shape for node in found) == sorted(
        tuple(parameter.shape) for parameter in module.parameters()
    )


def test_a_module_is_left_as_it_was():
    module = Own()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    graph_of(module, torch.ones(9, 5, 3))
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


def test_a_graph_that_is_too_large_to_be_read_is_refused():
    with pytest.raises(XortuneError, match=f"more than {MOST_NODES} nodes"):
        graph_of(Loop(), torch.ones(9, 2))


def test_the_compiler_of_pytorch_is_not_loaded():
    code = (
        "import sys, torch; from torch import nn; "
        "from xortune.problems.module.graph import graph_of; "
        "graph_of(nn.GRU(2, 2), torch.ones(3, 4, 2)); "
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
