"""A network of dense layers as an ONNX graph: Gemm, its activation, and what outputs mean."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from xortune.problems.portable import PortableNetwork, PortableOutput

if TYPE_CHECKING:
    import onnx

# Old enough for programs of many years; what it lacks, as Gelu, is written out.
_OPSET, _IR = 17, 8
_ROWS = "rows"


def onnx_model(portable: PortableNetwork, about: Mapping[str, str]) -> onnx.ModelProto:
    """The model, from `inputs`, float32 of shape `(rows, d)`, to its outputs; checked.

    Args:
        portable: the network.
        about: texts for readers, by name.
    """
    from onnx import checker, helper

    graph = _Graph()
    graph.add_layers(portable)
    for output in portable.outputs:
        graph.add_output(output)
    inputs = graph.described("inputs", "FLOAT", len(portable.inputs))
    made = helper.make_graph(graph.nodes, "network", [inputs], graph.outputs, graph.constants)
    opset = helper.make_opsetid("", _OPSET)
    model = helper.make_model(made, opset_imports=[opset], ir_version=_IR, producer_name="xortune")
    helper.set_model_props(model, dict(about))
    checker.check_model(model, full_check=True)
    return model


class _Graph:
    """An ONNX graph under construction; `last` names the latest result, of `width` columns."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.outputs: list[Any] = []
        self.last = "inputs"
        self.width = 0

    def add_layers(self, portable: PortableNetwork) -> None:
        names = list(portable.state)
        pairs = [*zip(names[::2], names[1::2])]
        for place, (weight, bias) in enumerate(pairs):
            for name in (weight, bias):
                self._constant(name, portable.state[name].detach().cpu().numpy())
            self.width = len(portable.state[bias])
            last = place == len(pairs) - 1
            sums = "sums" if last else f"sums.{place}"
            self._add("Gemm", [self.last, weight, bias], sums, transB=1)
            self.last = sums if last else self._activated(portable.activation, sums)

    def add_output(self, output: PortableOutput) -> None:
        """What is made of the last layer's sums."""
        kind, width = "FLOAT", self.width
        if output.reading == "units":
            kind = "DOUBLE"
            self._in_units(output)
        elif output.reading == "pair":
            width = 2
            self._add("Neg", [self.last], "opposite")
            self._add("Concat", ["opposite", self.last], "both", axis=1)
            self._add("Sigmoid", ["both"], output.name)
        elif output.reading == "softmax":
            self._add("Softmax", [self.last], output.name, axis=1)
        else:
            of = {"": "Identity", "sigmoid": "Sigmoid"}
            self._add(of[output.reading], [self.last], output.name)
        self.outputs.append(self.described(output.name, kind, width))

    def described(self, name: str, kind: str, width: int) -> Any:
        """An input or an output: a number of rows, and so many columns."""
        from onnx import TensorProto, helper

        element = getattr(TensorProto, kind)
        return helper.make_tensor_value_info(name, element, [_ROWS, width])

    def _in_units(self, output: PortableOutput) -> None:
        """In float64, as predictions are."""
        from onnx import TensorProto

        self._constant("scale", np.array(output.scale, np.float64))
        self._constant("mean", np.array(output.mean, np.float64))
        self._add("Cast", [self.last], "sums.double", to=TensorProto.DOUBLE)
        self._add("Mul", ["sums.double", "scale"], "scaled")
        self._add("Add", ["scaled", "mean"], output.name)

    def _activated(self, activation: str, sums: str) -> str:
        """The name of what an activation makes of some sums."""
        result = f"activated.{sums}"
        single = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu"}
        if activation in single:
            self._add(single[activation], [sums], result)
        elif activation == "silu":
            self._add("Sigmoid", [sums], f"gate.{sums}")
            self._add("Mul", [sums, f"gate.{sums}"], result)
        else:
            self._add_gelu(sums, result)
        return result

    def _add_gelu(self, sums: str, result: str) -> None:
        """`x / 2 * (1 + erf(x / sqrt(2)))`: Hendrycks and Gimpel (2016)."""
        for name, value in (("half", 0.5), ("one", 1.0), ("root", math.sqrt(0.5))):
            if not any(constant.name == name for constant in self.constants):
                self._constant(name, np.array(value, np.float32))
        self._add("Mul", [sums, "root"], f"scaled.{sums}")
        self._add("Erf", [f"scaled.{sums}"], f"erf.{sums}")
        self._add("Add", [f"erf.{sums}", "one"], f"gate.{sums}")
        self._add("Mul", [sums, "half"], f"half.{sums}")
        self._add("Mul", [f"half.{sums}", f"gate.{sums}"], result)

    def _add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))

    def _constant(self, name: str, values: Any) -> None:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
