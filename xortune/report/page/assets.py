"""The style and the scripts inside a page, and the policy that keeps out all others."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

_SCRIPTS = ("numbers.js", "leaderboard.js", "page.js", "figures.js")
# These draw with WebGL, and plotly compiles their shaders' bindings from text.
_COMPILED = ("gl", "parcoords", "splom", "3d", "cone", "isosurface", "streamtube", "volume")


@cache
def style() -> str:
    """The style of a page, on a screen and on paper."""
    return _read("page.css") + _read("print.css")


@cache
def script() -> str:
    """The page's own script."""
    return "\n".join(map(_read, _SCRIPTS))


@cache
def plotly() -> str:
    """Plotly's code, 4.8 MB, from its package."""
    return (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")


def policy(scripts: tuple[str, ...], figures: list[dict[str, Any]]) -> str:
    """The content security policy of a page: nothing is fetched, and only these scripts run.

    Plotly writes style sheets, so styles may be inline. It also compiles code, from texts of its
    own, for the traces that need WebGL: only a page that has some permits that.

    Args:
        scripts: the page's scripts, in full.
        figures: plotly's figures, as plain values.
    """
    hashes = " ".join(f"'sha256-{_digest(text)}'" for text in scripts)
    kinds = {trace.get("type", "scatter") for figure in figures for trace in figure["data"]}
    compiled = any(part in kind for kind in kinds for part in _COMPILED)
    allowed = f"{hashes} 'unsafe-eval'" if compiled else hashes
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _read(name: str) -> str:
    return (files("xortune.report.page") / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
