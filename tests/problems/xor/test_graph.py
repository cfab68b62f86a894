"""The graph that is written down, against the one that PyTorch traces."""

import itertools
import warnings

import torch

from xortune.problems.xor.data import load_data
from xortune.problems.xor.graph import GRAPH
from xortune.problems.xor.model import XOR

NODES = {node.name: node for node in GRAPH}


def test_the_graph_has_the_operations_and_shapes_that_pytorch_traces():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(XOR(2, 1), load_data("xor").training.x)
    operations = [
        (node.kind(), tuple(node.output().type().sizes()))
        for node in traced.inlined_graph.nodes()
        if node.kind().startswith("aten::")
    ]
    assert [(n.op, n.shape) for n in GRAPH if n.op.startswith("aten::")] == operations
    assert [op for op, _ in operations] == ["aten::linear", "aten::sigmoid"] * 2


def test_operations_follow_one_another_from_the_input_to_the_output():
    chain = [node for node in GRAPH if node.op != "prim::GetAttr"]
    assert (chain[0].name, chain[0].inputs) == ("input/x", ())
    for before, after in itertools.pairwise(chain):
        assert after.inputs[0] == before.name


def test_the_weights_have_the_model_s_names_and_shapes():
    for name, tensor in XOR(2, 1).state_dict().items():
        layer, kind = name.split(".")
        node = NODES[f"XOR/Linear[{layer}]/{kind}"]
        assert (node.op, node.shape) == ("prim::GetAttr", tuple(tensor.shape))
        assert node.name in NODES[f"XOR/Linear[{layer}]/linear"].inputs


def test_every_input_of_a_node_is_a_node_before_it():
    seen = set()
    for node in GRAPH:
        assert {*node.inputs} <= seen
        seen.add(node.name)
