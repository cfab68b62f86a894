"""The graph of a run: the lab's, held against what PyTorch traces, and that of a module."""

import warnings
from collections import Counter

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import xortune
from tests.declared_modules import made
from tests.make import make_params, make_weights
from xortune.problems.xor.data import load_data
from xortune.problems.xor.problem import XORProblem
from xortune.tensorboard.runs import graph_message

PROBLEM = XORProblem("xor")


def model():
    return PROBLEM.model(make_params(), make_weights())


def model_graph():
    return graph_message(PROBLEM.graph(make_params()))


def nodes(graph) -> dict[str, tuple[str, tuple[str, ...], tuple[tuple[int, ...], ...]]]:
    """Operation, inputs and shapes of every node."""
    return {
        node.name: (
            node.op,
            tuple(node.input),
            tuple(
                tuple(dim.size for dim in shape.dim)
                for shape in node.attr["_output_shapes"].list.shape
            ),
        )
        for node in graph.node
    }


def chain(graph) -> list[tuple[str, tuple[tuple[int, ...], ...]]]:
    """Operation and shapes of the nodes from the input to the output."""
    found = nodes(graph)
    name = next(name for name in found if name.startswith("output/"))
    along = []
    while True:
        op, inputs, shapes = found[name]
        along.append((op, shapes))
        if not inputs:
            return along[::-1]
        name = inputs[0]


@pytest.fixture(scope="module")
def traced_graph(tmp_path_factory):
    """What the lab's `add_graph` writes."""
    folder = tmp_path_factory.mktemp("traced")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.utils.tensorboard import SummaryWriter

        with SummaryWriter(str(folder)) as writer:
            writer.add_graph(model(), load_data("xor").training.x)
    reader = EventAccumulator(str(folder))
    reader.Reload()
    return reader.Graph()


def test_the_graph_has_the_operations_that_pytorch_traces(traced_graph):
    ours, traced = (
        Counter(op for op, _, _ in nodes(graph).values() if op.startswith("aten::"))
        for graph in (model_graph(), traced_graph)
    )
    assert ours == traced == {"aten::linear": 2, "aten::sigmoid": 2}


def test_the_graph_has_the_shapes_that_pytorch_traces(traced_graph):
    assert chain(model_graph()) == chain(traced_graph)
    assert [shapes for _, shapes in chain(model_graph())] == [
        ((4, 2),), ((4, 2),), ((4, 2),), ((4, 1),), ((4, 1),), ((4, 1),),
    ]  # fmt: skip


def test_the_graph_s_weights_have_the_model_s_names_and_shapes():
    found = nodes(model_graph())
    for name, tensor in model().state_dict().items():
        layer, kind = name.split(".")
        op, _, shapes = found[f"XOR/Linear[{layer}]/{kind}"]
        assert (op, shapes) == ("prim::GetAttr", (tuple(tensor.shape),))


def test_every_input_of_a_node_is_a_node():
    found = nodes(model_graph())
    assert {name for _, inputs, _ in found.values() for name in inputs} <= set(found)


def test_every_run_of_a_module_has_the_graph_of_its_own_shape(tmp_path):
    space = {"width": {"values": [3, 5]}, "epochs": {"value": 1}}
    study = xortune.search(
        problem=made(space=space), trials=2, sampler="random", results=tmp_path, confirm="none"
    )
    widths = dict(zip(study.trials["number"], study.trials["width"]))
    assert {*widths.values()} == {3, 5}
    for number, width in widths.items():
        reader = EventAccumulator(str(study.paths.run(number)))
        reader.Reload()
        found = nodes(reader.Graph())
        assert found["input/x"] == ("IO Node", (), ((-1, 2),))
        assert found["Sequential/Linear[0]/weight"][2] == ((width, 2),)
        assert found["Sequential/Tanh[1]/tanh"] == (
            "tanh", ("Sequential/Linear[0]/linear",), ((-1, width),),
        )  # fmt: skip
        assert found["output/output"][1] == ("Sequential/Linear[2]/linear",)
