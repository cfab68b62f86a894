"""Trained models as files for other programs: safetensors, PyTorch and ONNX."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable, Mapping
from typing import Any

from xortune.errors import UsageError, XortuneError
from xortune.escaping import json_text
from xortune.problems.portable import Portable, PortableNetwork
from xortune.wording import option


def model_file(portable: Portable, ending: str, about: Mapping[str, Any]) -> bytes:
    """A trained model as the content of a file.

    Args:
        portable: the model.
        ending: `.safetensors`, `.pt` or `.onnx`.
        about: plain values that say where it comes from. A `.pt` file has no room for them.

    Raises:
        UsageError: only a network of dense layers can be written as `.onnx`.
        XortuneError: the package for the format is not installed.
    """
    facts = {**about, **_of_network(portable), **portable.facts}
    texts = {name: _text(value) for name, value in facts.items()}
    try:
        return _FORMATS[ending](portable, texts)
    except ModuleNotFoundError as error:
        raise XortuneError(
            f"{ending} files need the package {error.name}. Install it with: "
            "pip install 'xortune[models]'; or write a .pt file."
        ) from None


def _safetensors(portable: Portable, about: Mapping[str, str]) -> bytes:
    from safetensors.torch import save

    # Other programs read the key "format" to know whose tensors these are.
    return _in_order(bytes(save(dict(portable.state), {"format": "pt", **about})))


def _in_order(content: bytes) -> bytes:
    """The same file with its metadata by name, since the package writes them in any order.

    A file is the length of its header, which is JSON padded by spaces to eight bytes, the header,
    and the numbers.
    """
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


def _pytorch(portable: Portable, about: Mapping[str, str]) -> bytes:
    """The `state_dict()` alone, as `load_state_dict` takes it."""
    import torch

    file = io.BytesIO()
    torch.save(dict(portable.state), file)
    return file.getvalue()


def _onnx(portable: Portable, about: Mapping[str, str]) -> bytes:
    if not isinstance(portable, PortableNetwork):
        raise UsageError(
            "a module of your own is written as .onnx only where it is a multilayer perceptron, "
            f"and its code is named again, with {option('problem', 'FILE.py')}. Write .safetensors "
            "or .pt, load that into the module, and use torch.onnx.export."
        )
    from xortune.problems.onnx_graph import onnx_model

    return bytes(onnx_model(portable, about).SerializeToString(deterministic=True))


def _of_network(portable: Portable) -> Mapping[str, Any]:
    """What a reader needs to know of dense layers; empty for another model."""
    if not isinstance(portable, PortableNetwork):
        return {}
    return {
        "activation": portable.activation,
        "inputs": portable.inputs,
        "outputs": [output._asdict() for output in portable.outputs],
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json_text(json.dumps(value))


_FORMATS: Mapping[str, Callable[[Portable, Mapping[str, str]], bytes]] = {
    ".safetensors": _safetensors,
    ".pt": _pytorch,
    ".onnx": _onnx,
}
