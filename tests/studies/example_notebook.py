"""Runs search_spaces/example.ipynb in a real kernel; as a program, writes its output anew.

python -m tests.studies.example_notebook
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from jupyter_client.manager import start_new_kernel

from tests.studies.test_notebook import run

NOTEBOOK = Path(__file__).parents[2] / "search_spaces" / "example.ipynb"
# What is kept of an output: the first of these that it has. A figure's HTML would load plotly's
# script from the network.
KEPT = ("application/vnd.plotly.v1+json", "image/svg+xml", "text/html", "text/plain")


def code_of(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def executed(folder: Path) -> dict[str, Any]:
    """The notebook with the output of a run in a folder."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    environment = {**os.environ, "PYTHONWARNINGS": ""}
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(folder), env=environment)
    try:
        count = 0
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                count += 1
                _, sent = run((manager, client), code_of(cell))
                cell["execution_count"] = count
                cell["outputs"] = _outputs(sent, count)
        return notebook
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _outputs(sent: list[tuple[str, dict[str, Any]]], count: int) -> list[dict[str, Any]]:
    """What a notebook's file keeps of a cell's messages: of a line that is redrawn, the last."""
    outputs: list[dict[str, Any]] = []
    for kind, content in sent:
        if kind == "update_display_data":
            outputs[-1]["data"] = _kept(content["data"])
        elif kind in ("display_data", "execute_result"):
            output = {"output_type": kind, "metadata": {}, "data": _kept(content["data"])}
            outputs.append(output | ({"execution_count": count} if "result" in kind else {}))
        else:
            outputs.append({"output_type": kind, **content})
    return outputs


def _kept(data: dict[str, Any]) -> dict[str, Any]:
    kind = next(kind for kind in KEPT if kind in data)
    return {kind: data[kind]}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        text = json.dumps(executed(Path(scratch)), indent=1, ensure_ascii=False)
    NOTEBOOK.write_text(f"{text}\n", encoding="utf-8")
