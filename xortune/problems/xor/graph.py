"""The graph that PyTorch traces for `XOR(2, 1)` on four rows.

A constant, since tracing it takes five seconds of imports.
"""

from xortune.spec import GraphNode

GRAPH = (
    GraphNode("input/x", "IO Node", (), (4, 2)),
    GraphNode("XOR/Linear[fc1]/weight", "prim::GetAttr", (), (2, 2)),
    GraphNode("XOR/Linear[fc1]/bias", "prim::GetAttr", (), (2,)),
    GraphNode(
        "XOR/Linear[fc1]/linear",
        "aten::linear",
        ("input/x", "XOR/Linear[fc1]/weight", "XOR/Linear[fc1]/bias"),
        (4, 2),
    ),
    GraphNode("XOR/hidden", "aten::sigmoid", ("XOR/Linear[fc1]/linear",), (4, 2)),
    GraphNode("XOR/Linear[fc2]/weight", "prim::GetAttr", (), (1, 2)),
    GraphNode("XOR/Linear[fc2]/bias", "prim::GetAttr", (), (1,)),
    GraphNode(
        "XOR/Linear[fc2]/linear",
        "aten::linear",
        ("XOR/hidden", "XOR/Linear[fc2]/weight", "XOR/Linear[fc2]/bias"),
        (4, 1),
    ),
    GraphNode("XOR/output", "aten::sigmoid", ("XOR/Linear[fc2]/linear",), (4, 1)),
    GraphNode("output/output", "IO Node", ("XOR/output",), (4, 1)),
)
